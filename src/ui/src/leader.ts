// One tab of a browser leads: it alone has the stream, and tells the others what comes. Browsers open six connections to
// a server over HTTP/1.1, so with a stream in each tab the seventh would not even load.
//
// The tabs talk over a BroadcastChannel. A leader answers each `who` at once, also in a background tab, where timers
// sleep but messages come. A tab that gets no answer within ANSWER_MS claims to lead. Should two lead, the one with the
// lower id hears the other's word and steps down. A leader that is closed says so. Locks (navigator.locks) would do the
// same, but not on plain http, and one way is better than two. Where there is no BroadcastChannel every tab leads itself.
//
// That there is a leader is also noted in the browser's storage: a tab that opens where none is noted need not wait. One
// that was killed leaves its note, which costs the next tab the wait and nothing else, as where nothing can be noted.
import { keep, kept } from './storage'

const ANSWER_MS = 700
const LOOK_MS = 5_000

export interface Tabs {
  lead(): void // from now on this tab has the stream
  follow(): void // from now on another one has
  hear(message: unknown): void // what another tab said
  place(): unknown // where the leader is, to be told to those who ask
  told(place: unknown): void // where the leader is
}

type Word =
  | { kind: 'who' }
  | { kind: 'lead'; place: unknown } // also the answer to `who`
  | { kind: 'leave' }
  | { kind: 'say'; message: unknown }

export class Leader {
  leading = false
  #id = crypto.getRandomValues(new Uint32Array(1))[0]
  #channel: BroadcastChannel | null
  #name: string
  #claim: ReturnType<typeof setTimeout> | undefined
  #look: ReturnType<typeof setInterval> | undefined
  #tabs: Tabs

  constructor(name: string, tabs: Tabs) {
    this.#tabs = tabs
    this.#name = name
    this.#channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : null
    if (!this.#channel) return
    this.#channel.onmessage = ({ data }) => this.#hear(data)
    this.#look = setInterval(() => this.ask(), LOOK_MS)
  }

  start(): void {
    if (this.#channel && (kept(this.#name) || !keep(this.#name, 1))) this.ask()
    else this.#lead()
  }

  // Looks whether there is a leader, and becomes it if there is none.
  ask(): void {
    if (this.leading || this.#claim || !this.#channel) return
    this.#say({ kind: 'who' })
    this.#claim = setTimeout(() => this.#lead(), ANSWER_MS * (0.7 + 0.6 * Math.random()))
  }

  say(message: unknown): void {
    this.#say({ kind: 'say', message })
  }

  close(): void {
    clearInterval(this.#look)
    this.#endClaim()
    this.leave()
    this.#channel?.close()
    this.#channel = null
  }

  leave(): void {
    if (this.leading) {
      keep(this.#name, null)
      this.#say({ kind: 'leave' })
    }
    this.leading = false
  }

  #say(word: Word): void {
    this.#channel?.postMessage({ ...word, from: this.#id })
  }

  #endClaim(): void {
    clearTimeout(this.#claim)
    this.#claim = undefined
  }

  #lead(): void {
    this.#endClaim()
    this.leading = true
    keep(this.#name, 1)
    this.#say({ kind: 'lead', place: this.#tabs.place() })
    this.#tabs.lead()
  }

  #hear(word: Word & { from: number }): void {
    if (word.kind === 'who' && this.leading) this.#say({ kind: 'lead', place: this.#tabs.place() })
    else if (word.kind === 'lead') this.#hearLeader(word.from, word.place)
    else if (word.kind === 'leave') setTimeout(() => this.ask(), 50 * Math.random())
    else if (word.kind === 'say') this.#tabs.hear(word.message)
  }

  #hearLeader(id: number, place: unknown): void {
    this.#endClaim()
    if (this.leading) {
      if (id < this.#id) {
        this.#say({ kind: 'lead', place: this.#tabs.place() })
        return
      }
      this.leading = false
      this.#tabs.follow()
    }
    this.#tabs.told(place)
  }
}
