// The server's answers: the only place that uses fetch (upload.ts needs XMLHttpRequest). Addresses are relative: the
// server may lie behind a proxy, under any path.
import { amount, t, type Key } from './i18n'

const ANSWER_MS = 30_000 // the longest wait for one

export interface Flaw {
  path: string
  message: string
}

export class Refusal extends Error {
  constructor(
    message: string, // can be shown
    readonly status: number, // 0: no answer came, or none that can be read
    readonly flaws: Flaw[] = [],
    readonly retryAfter = 0, // seconds; 0: not said
  ) {
    super(message)
  }
}

// This machine's clock may be wrong by years; the server's is what messages bear.
let ahead = 0

export const now = (): number => Date.now() + ahead

function hearClock(date: string | null): void {
  const theirs = date ? Date.parse(date) : NaN
  // The header has whole seconds; less than that is no difference.
  if (Number.isFinite(theirs)) ahead = Math.abs(theirs - Date.now()) > 5_000 ? theirs - Date.now() : 0
}

export interface ErrorBody {
  errors?: { message?: string; data?: { errors?: Flaw[] } }[]
  message?: string
}

let forbidden = () => {}

// `act` is called at each answer that says that one may not: the session may be over.
export const onForbidden = (act: () => void): void => {
  forbidden = act
}

// What people can be refused with, by words of the server's reasons, which are Payload's and English. `n` is a number
// that such a reason tells.
const REASONS: [RegExp, Key][] = [
  [/password provided/, 'refused.pair'],
  [/setup token/, 'refused.token'],
  [/valid email/, 'refused.noEmail'],
  [/given email|be unique/, 'refused.taken'],
  [/minimum length of (\d+)/, 'password.short'],
  [/^File type|^SVG|uploading/, 'refused.file'],
  [/invalid relationships/, 'refused.gone'],
  [/not allowed to/, 'ended.title'], // the page offers nothing else that one may not do
  [/^Something went/, 'error.unknown'],
]

// In the page's language; one that is not known, as the server says it.
function told(reason: string): string {
  for (const [words, key] of REASONS) {
    const found = words.exec(reason)
    if (found) return t(key, { n: Number(found[1]) })
  }
  return reason
}

export function refusalOf(status: number, body: ErrorBody | null, retryAfter: string | null): Refusal {
  if (status === 401 || status === 403) forbidden()
  const error = body?.errors?.[0]
  const flaws = (error?.data?.errors ?? []).map(({ path, message }) => ({ path, message: told(message) }))
  const wait = Number(retryAfter) || 0
  const reason = flaws.map(({ message }) => message).join(' ') || told(error?.message ?? body?.message ?? '') || t('error.unknown')
  // By the status: a proxy may say it before the server does.
  const message = status === 413 ? t('refused.large')
    : wait && status < 500 ? t('error.tooMany', { time: amount(Math.ceil(wait / 60), 'minute') }) : reason
  return new Refusal(message, status, flaws, wait)
}

interface CallOptions {
  key?: string // Idempotency-Key
  token?: string // Parley-Setup-Token
  signal?: AbortSignal
}

// The answer's JSON; throws a Refusal.
export async function call<T>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<T> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), ANSWER_MS)
  options.signal?.addEventListener('abort', () => stop.abort())
  const headers: Record<string, string> = {}
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (options.key) headers['Idempotency-Key'] = options.key
  if (options.token) headers['Parley-Setup-Token'] = options.token
  let response: Response | undefined
  let answer: unknown
  try {
    const init = { method, headers, signal: stop.signal, body: body === undefined ? undefined : JSON.stringify(body) }
    response = await fetch(`api/${path}`, init)
    hearClock(response.headers.get('Date'))
    answer = response.status === 204 ? null : await response.json()
  } catch {
    if (!response) throw new Refusal(t('error.unreachable'), 0)
    if (response.ok) throw new Refusal(t('error.unknown'), 0)
    throw refusalOf(response.status, null, response.headers.get('Retry-After'))
  } finally {
    clearTimeout(timer)
  }
  if (!response.ok) throw refusalOf(response.status, answer as ErrorBody, response.headers.get('Retry-After'))
  return answer as T
}

// The page itself, as the server has it now; '' where that cannot be said.
export async function readIndex(): Promise<string> {
  const response = await fetch('./').catch(() => null)
  return response?.ok ? response.text() : ''
}

// crypto.randomUUID is not there on plain http.
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
