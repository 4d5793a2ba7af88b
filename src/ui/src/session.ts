// Who is signed in. The session itself is a cookie that scripts cannot read.
import { call, now, Refusal } from './api'
import { keep, kept } from './storage'
import { Store } from './store'
import type { Config, User } from './types'

const HALF_LIFE_MS = 60 * 60_000 // a session lasts two hours, and is made longer when half of that is gone
const LOOK_MS = 60_000

export type SessionState =
  | 'starting'
  | 'failed' // the server could not be asked; `reason` says why
  | 'first' // the server has no account yet
  | 'out'
  | 'in'
  | 'ended' // was in: the page stays, and one signs in over it

export interface Session {
  state: SessionState
  me: User | null
  reason: string
  config: Config
}

const CONFIG: Config = { version: '', messages: 'open', maxContent: 40_000, uploadBytes: 268_435_456 }

export const session = new Store<Session>({ state: 'starting', me: null, reason: '', config: CONFIG })

let expires = 0

interface Account {
  user: User | null
  exp?: number // seconds
}

export interface Credentials {
  email: string
  password: string
}

// Was one signed in when this browser was last here? Only a guess.
const WAS_IN = 'parley.in'

export const wasIn = (): boolean => kept<boolean>(WAS_IN) === true

function enter(account: Account): void {
  keep(WAS_IN, true)
  expires = (account.exp ?? 0) * 1000
  session.update({ state: 'in', me: account.user && { id: account.user.id, email: account.user.email }, reason: '' })
}

// A server that does not say is as the first one was.
const readConfig = () => call<Config>('GET', 'parley/config').catch(() => CONFIG)

export async function start(): Promise<void> {
  session.update({ state: 'starting' })
  try {
    const [account, config] = await Promise.all([call<Account>('GET', 'users/me'), readConfig()])
    session.update({ config: { ...CONFIG, ...config } })
    if (account.user) return enter(account)
    const { initialized } = await call<{ initialized: boolean }>('GET', 'users/init')
    session.update({ state: initialized ? 'out' : 'first' })
  } catch (refusal) {
    failed((refusal as Refusal).message)
  }
}

export function failed(reason: string): void {
  session.update({ state: 'failed', reason })
}

export async function signIn(credentials: Credentials): Promise<void> {
  const account = await call<Account>('POST', 'users/login', credentials)
  const { state, me } = session.get()
  // Another one than before: nothing of what the page knows is theirs.
  if (state === 'ended' && me && account.user?.id !== me.id) location.reload()
  enter(account)
}

// The first account; false: somebody else was faster.
export async function register(credentials: Credentials, token?: string): Promise<boolean> {
  try {
    enter(await call<Account>('POST', 'users/first-register', credentials, { token }))
    return true
  } catch (refusal) {
    const { initialized } = await call<{ initialized: boolean }>('GET', 'users/init')
    if (!initialized) throw refusal
    session.update({ state: 'out' })
    return false
  }
}

// The session's end; the page goes on to know it until left().
export async function signOut(everywhere: boolean): Promise<void> {
  try {
    await call('POST', `users/logout${everywhere ? '?allSessions=true' : ''}`)
  } catch (refusal) {
    // 400: it had ended before. Without an answer one is still signed in: the cookie is not the page's to remove.
    if ((refusal as Refusal).status !== 400) throw refusal
  }
}

// Signed out, here or in another tab of this browser.
export function left(): void {
  keep(WAS_IN, null)
  session.update({ state: 'out', me: null })
}

export function ended(): void {
  if (session.get().state === 'in') session.update({ state: 'ended' })
}

// Is the session still good, or again? Only an answer that says so ends it.
export async function check(): Promise<void> {
  const { state, me } = session.get()
  if (state !== 'in' && state !== 'ended') return
  const account = await call<Account>('GET', 'users/me').catch(() => null)
  if (account && !account.user) ended()
  else if (account?.user && account.user.id !== me?.id) location.reload()
  else if (account) enter(account)
}

// What a call was refused with, looked at: one who is not signed in any more learns it.
export function noticed(refusal: unknown): Refusal {
  if (refusal instanceof Refusal && (refusal.status === 401 || refusal.status === 403)) void check()
  return refusal as Refusal
}

async function refresh(): Promise<void> {
  const due = session.get().state === 'in' && !document.hidden && expires - now() < HALF_LIFE_MS
  if (!due) return
  try {
    expires = (await call<{ exp: number }>('POST', 'users/refresh-token')).exp * 1000
  } catch (refusal) {
    if ((refusal as Refusal).status === 403) ended()
  }
}

export function watchSession(): void {
  setInterval(() => void refresh(), LOOK_MS)
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    void refresh()
    // One may have signed in again in another tab.
    if (session.get().state === 'ended') void check()
  })
}
