// What was written and is not known to be stored yet. It is kept until it is: here, and in the browser's storage, so that
// it survives a reload and a connection that is away.
//
// Each item has a key, and is sent with it however often (Idempotency-Key): a message whose answer was lost is stored
// once. The key is good for seven days; behind that, and where the server cannot tell, one that may have been stored is
// looked for by its sender and timestamp first.
import { call, now, randomKey, Refusal } from './api'
import { check, session } from './session'
import { keep, kept, keysWith } from './storage'
import { Store } from './store'
import { idOf, type List, type MessageDoc } from './types'

const KEY_GOOD_MS = 6 * 86_400_000
const AGAIN_MS = [1_000, 2_000, 5_000, 10_000, 30_000] // between tries, where nothing says that the server is back

export interface Unsent {
  key: string
  to: number
  content: string
  timestamp: string
  state: 'sending' | 'waiting' | 'failed' // waiting: for the connection
  reason: string
  tried: number // when first, by the server's clock; 0: never
}

const isUnsent = (item: Unsent | null): item is Unsent =>
  typeof item?.key === 'string' && typeof item.content === 'string' && Date.parse(item.timestamp) > 0

export class Outbox {
  readonly store = new Store<readonly Unsent[]>([]) // as they were written
  #me: number
  #prefix: string
  #stored: (doc: MessageDoc) => void
  #busy = false
  #tries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(me: number, stored: (doc: MessageDoc) => void) {
    this.#me = me
    this.#prefix = `parley.unsent.${me}.`
    this.#stored = stored
    const items = keysWith(this.#prefix).map((key) => kept<Unsent>(key)).filter(isUnsent)
    items.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
    addEventListener('beforeunload', this.#warn)
    this.store.set(items.map((item) => ({ ...item, state: item.state === 'failed' ? 'failed' : 'waiting' })))
  }

  add(to: number, content: string): void {
    const last = this.store.get().at(-1)?.timestamp ?? ''
    // Times go up, also when two are written within a millisecond: they name the message and its place in the queue.
    const time = Math.max(now(), last ? Date.parse(last) + 1 : 0)
    const text = content.replace(/\p{Surrogate}/gu, '\ufffd')
    const item: Unsent = {
      key: randomKey(), to, content: text, timestamp: new Date(time).toISOString(), state: 'waiting', reason: '', tried: 0,
    }
    keep(this.#prefix + item.key, item)
    this.store.set([...this.store.get(), item])
    this.send()
  }

  // Now, whatever went wrong before.
  send = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#busy && !this.#closed) void this.#deliver()
  }

  retry(key: string): void {
    this.#change(key, { state: 'waiting', reason: '' })
    this.send()
  }

  drop(key: string): void {
    keep(this.#prefix + key, null)
    this.store.set(this.store.get().filter((item) => item.key !== key))
  }

  // Ends the waiting of those that have become these documents: their answers were lost. The server is there, for the others.
  settle(docs: readonly MessageDoc[]): void {
    const stored = this.store.get().filter((item) => docs.some((doc) => this.#isSame(item, doc)))
    if (stored.length === 0) return
    for (const { key } of stored) this.drop(key)
    this.#tries = 0
    this.send()
  }

  clear(): void {
    for (const { key } of this.store.get()) this.drop(key)
  }

  // Would it survive a reload?
  keepAll(): boolean {
    return this.store.get().every((item) => keep(this.#prefix + item.key, item))
  }

  close(): void {
    this.#closed = true
    removeEventListener('beforeunload', this.#warn)
    clearTimeout(this.#timer)
  }

  // Where the browser's storage could not take it the page asks before it goes.
  #warn = (event: Event): void => {
    if (this.store.get().some(({ key }) => !kept(this.#prefix + key))) event.preventDefault()
  }

  // One after the other: they are stored in the order in which they were written.
  async #deliver(): Promise<void> {
    this.#busy = true
    for (;;) {
      const item = this.store.get().find(({ state }) => state !== 'failed')
      if (!item || this.#closed) break
      const tried = item.tried || now()
      this.#change(item.key, { state: 'sending', tried })
      try {
        const doc = await this.#post(item)
        this.#tries = 0
        this.#stored(doc)
        this.drop(item.key)
      } catch (refusal) {
        if (!(await this.#refused(item.key, refusal as Refusal))) break
      }
    }
    this.#busy = false
  }

  async #post(item: Unsent): Promise<MessageDoc> {
    const { key, to, content, timestamp, tried } = item
    if (tried && now() - tried > KEY_GOOD_MS) {
      const found = await this.#find(item)
      if (found) return found
    }
    const message = { sender: this.#me, receiver: to, content, timestamp }
    try {
      return (await call<{ doc: MessageDoc }>('POST', 'messages?depth=0', message, { key })).doc
    } catch (refusal) {
      const found = (refusal as Refusal).status === 409 ? await this.#find(item) : null
      if (found) return found
      throw refusal
    }
  }

  // Whether the others are to be tried: not where all would fare the same.
  async #refused(key: string, { status, message, retryAfter }: Refusal): Promise<boolean> {
    const outside = status === 401 || status === 403
    if (outside) await check()
    const passing = status === 0 || status === 429 || status >= 500 || (outside && session.get().state !== 'in')
    // Its answer alone was lost.
    if (!this.store.get().some((item) => item.key === key)) return true
    this.#change(key, { state: passing ? 'waiting' : 'failed', reason: message })
    if (!passing) return true
    const delay = retryAfter ? retryAfter * 1000 : AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]
    if (!outside) this.#timer = setTimeout(this.send, delay)
    return false
  }

  #change(key: string, change: Partial<Unsent>): void {
    this.store.set(this.store.get().map((item) => {
      if (item.key !== key) return item
      const changed = { ...item, ...change }
      keep(this.#prefix + key, changed)
      return changed
    }))
  }

  #isSame(item: Unsent, doc: MessageDoc): boolean {
    return item.timestamp === doc.timestamp && idOf(doc.sender) === this.#me && idOf(doc.receiver) === item.to &&
      item.content === doc.content
  }

  async #find(item: Unsent): Promise<MessageDoc | undefined> {
    const where = new URLSearchParams({
      'where[sender][equals]': String(this.#me), 'where[timestamp][equals]': item.timestamp,
    })
    const { docs } = await call<List<MessageDoc>>('GET', `messages?depth=0&limit=0&${where}`)
    return docs.find((doc) => this.#isSame(item, doc))
  }
}
