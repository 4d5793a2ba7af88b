// One stream of events that comes back whenever it is lost: the only user of EventSource.
//
// The browser's own way back is not used: it does not wait longer each time, it takes an answer that is no stream for the
// end, and it cannot tell a dead connection from a silent one. A stream that comes back goes on behind the last event
// (`since`); where the server cannot do that it says `reset`.
const FIRST_MS = 500 // before the first try to come back; twice as long before each further one
const LONGEST_MS = 30_000
const SILENCE_MS = 75_000 // the server says something every 30 s
const OPEN_MS = 20_000 // and at once to one who comes
const NAMES = ['hello', 'message', 'delete', 'reset', 'bye', 'ping', 'read', 'typing', 'presence', 'profile']

export interface StreamEvent {
  name: string // as the server calls it; a `hello` on a stream that goes on behind nothing is `fresh`
  id: string
  data: unknown
}

export interface Listener {
  event(event: StreamEvent): void
  opened(): void
  lost(retryIn: number, full: boolean): void // milliseconds; full: the server has no room, and said when to come back
  refused(): Promise<number> // there was an answer, and it was no stream: the milliseconds that the server wants; 0: it does not say
}

export class Stream {
  cursor = '' // of the last event; '': there was none
  #address: string
  #listener: Listener
  #source: EventSource | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #tries = 0
  #fresh = true
  #full = false // as far as is known: it is so until an answer says otherwise

  constructor(address: string, listener: Listener) {
    this.#address = address
    this.#listener = listener
  }

  open(): void {
    this.close()
    const since = this.cursor && `&since=${encodeURIComponent(this.cursor)}`
    const source = new EventSource(this.#address + since)
    this.#fresh = !since
    this.#source = source
    this.#lostAfter(OPEN_MS)
    for (const name of NAMES) source.addEventListener(name, (event) => this.#hear(event as MessageEvent<string>))
    source.onopen = () => this.#listener.opened()
    source.onerror = () => this.#lost(source.readyState === EventSource.CLOSED)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#source?.close()
    this.#source = null
  }

  #hear(event: MessageEvent<string>): void {
    this.#tries = 0
    this.#lostAfter(SILENCE_MS)
    if (event.lastEventId) this.cursor = event.lastEventId
    const data = event.type === 'ping' ? null : JSON.parse(event.data)
    const name = event.type === 'hello' && this.#fresh ? 'fresh' : event.type
    this.#listener.event({ name, id: event.lastEventId, data })
  }

  #lost(refused: boolean): void {
    this.close()
    const delay = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#tries++) * (0.5 + Math.random())
    this.#openAfter(delay)
    this.#full &&= refused
    this.#listener.lost(delay, this.#full)
    if (refused) void this.#lookWhy()
  }

  async #lookWhy(): Promise<void> {
    const timer = this.#timer
    const delay = await this.#listener.refused()
    this.#full = delay > 0
    if (!delay || timer !== this.#timer) return
    this.#openAfter(delay)
    this.#listener.lost(delay, true)
  }

  #openAfter(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.open(), delay)
  }

  // A connection on which nothing comes for so long is dead, though nobody has said so.
  #lostAfter(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#lost(false), delay)
  }
}
