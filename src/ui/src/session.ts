// Who is signed in. The session itself is a cookie that scripts cannot read.
import { call, now, onForbidden, type Refusal } from './api'
import { showBadge } from './badge'
import { lastIn, ownedBy } from './snapshot'
import { keep, kept } from './storage'
import { Store } from './store'
import type { Config, User } from './types'

const HALF_LIFE_MS = 60 * 60_000 // a session lasts two hours, and is made longer when half of that is gone
const LOOK_MS = 60_000
const PATIENCE_MS = 2_000 // with a server that does not say who one is

export type SessionState =
  | 'starting'
  | 'failed' // the server could not be asked; `reason` says why
  | 'first' // the server has no account yet
  | 'out'
  | 'in'
  | 'away' // the server has not said yet who one is; `me` is who it was last, and what is shown what they saw
  | 'ended' // was in: the page stays, and one signs in over it

export interface Session {
  state: SessionState
  me: User | null
  reason: string
  config: Config
}

const KEPT_CONFIG = 'parley.config'
const CONFIG: Config = {
  version: '', messages: 'open', maxContent: 40_000, uploadBytes: 268_435_456, ...kept<Partial<Config>>(KEPT_CONFIG),
}

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

function enter({ user, exp = 0 }: Account): void {
  const me = user && { id: user.id, email: user.email }
  ownedBy(me)
  expires = exp * 1000
  session.update({ state: 'in', me, reason: '' })
}

function leave(state: 'first' | 'out'): void {
  ownedBy(null)
  showBadge(0)
  session.update({ state, me: null })
}

// What the server allows, which may be something else when it was started again. One that does not say is as it was when
// the page was loaded.
export async function readConfig(): Promise<void> {
  const config = await call<Config>('GET', 'parley/config').catch(() => CONFIG)
  keep(KEPT_CONFIG, config)
  session.update({ config: { ...CONFIG, ...config } })
}

// One may have signed out, or in, before the server says who one is: its answer is old then.
const isUnknown = (): boolean => ['starting', 'away'].includes(session.get().state)

// Who is it?
export async function start(): Promise<void> {
  if (session.get().state === 'failed') session.update({ state: 'starting' })
  const timer = setTimeout(goOn, PATIENCE_MS)
  try {
    const [account] = await Promise.all([call<Account>('GET', 'users/me'), readConfig()])
    if (!isUnknown()) return
    if (account.user) return enter(account)
    ownedBy(null)
    const { initialized } = await call<{ initialized: boolean }>('GET', 'users/init')
    if (isUnknown()) leave(initialized ? 'out' : 'first')
  } catch (refusal) {
    if (isUnknown() && !goOn()) failed((refusal as Refusal).message)
  } finally {
    clearTimeout(timer)
  }
}

// With what was seen last, without the server. Is there anything?
function goOn(): boolean {
  const me = lastIn()
  if (!me) return false
  if (session.get().state === 'starting') session.update({ state: 'away', me })
  return true
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
  leave('out')
}

export function ended(): void {
  if (session.get().state !== 'in') return
  ownedBy(null)
  session.update({ state: 'ended' })
}

let checking: Promise<void> | undefined
let next: Promise<void> | undefined

// Is the session still good, or again? Only an answer that says so ends it. What is asked already may be answered with
// what was so before there was a reason to ask.
export function check(): Promise<void> {
  if (checking) return (next ??= checking.then(check))
  next = undefined
  return (checking = look().finally(() => { checking = undefined }))
}

async function look(): Promise<void> {
  const { state, me } = session.get()
  if (state === 'away') return start()
  if (state !== 'in' && state !== 'ended') return
  const account = await call<Account>('GET', 'users/me').catch(() => null)
  if (session.get().me !== me) return // it is another session by now, or none
  if (account && !account.user) ended()
  else if (account?.user && account.user.id !== me?.id) location.reload()
  else if (account) enter(account)
}

onForbidden(() => void check())

async function refresh(): Promise<void> {
  const { state, me } = session.get()
  if (state !== 'in' || expires - now() >= HALF_LIFE_MS) return
  try {
    expires = (await call<{ exp: number }>('POST', 'users/refresh-token')).exp * 1000
  } catch (refusal) {
    if ((refusal as Refusal).status === 403 && session.get().me === me) ended()
  }
}

export function watchSession(): void {
  const look = () => {
    if (document.hidden) return
    void refresh()
    // One may have signed in again in another tab, or the server be back.
    if (session.get().state !== 'in') void check()
  }
  setInterval(look, LOOK_MS)
  document.addEventListener('visibilitychange', look)
}
