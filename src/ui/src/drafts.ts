// What is being written, by conversation. It survives a reload.
import { keep, kept, keysWith } from './storage'
import { Store } from './store'

const PREFIX = 'parley.draft.'
const KEEP_MS = 300

export class Drafts {
  readonly store = new Store<ReadonlyMap<number, string>>(new Map())
  #prefix: string
  #timers = new Map<number, ReturnType<typeof setTimeout>>()

  constructor(me: number) {
    this.#prefix = `${PREFIX}${me}.`
    const drafts = new Map<number, string>()
    for (const key of keysWith(this.#prefix)) {
      const text = kept<unknown>(key)
      if (typeof text === 'string') drafts.set(Number(key.slice(this.#prefix.length)), text)
    }
    this.store.set(drafts)
  }

  of(peer: number): string {
    return this.store.get().get(peer) ?? ''
  }

  set(peer: number, text: string): void {
    const drafts = new Map(this.store.get())
    if (text) drafts.set(peer, text)
    else drafts.delete(peer)
    this.store.set(drafts)
    clearTimeout(this.#timers.get(peer))
    if (text) this.#timers.set(peer, setTimeout(() => keep(this.#prefix + peer, text), KEEP_MS))
    else keep(this.#prefix + peer, null)
  }

  // The page goes: what waits to be kept is kept now. Is it?
  keepAll(): boolean {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    return [...this.store.get()].every(([peer, text]) => keep(this.#prefix + peer, text))
  }

  clear(): void {
    for (const peer of this.store.get().keys()) this.set(peer, '')
  }
}
