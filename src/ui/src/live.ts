// What happens on the server, as it happens: the stream of the tab that leads, passed on to all tabs, in batches.
//
// A burst of events is given on together, at most every BATCH_MS, so that it is drawn once and not a hundred times. An
// event after a silence comes at once.
import { call, type Refusal } from './api'
import { Leader } from './leader'
import { check, left, session } from './session'
import { Store } from './store'
import { Stream, type StreamEvent } from './stream'

const PATH = 'parley/stream?collections=messages,users&events=read,typing,presence,profile&limit=0'
const BATCH_MS = 100
const BATCH_MOST = 40 // events; more are drawn in several tasks, so that keys and touches come between
const SEEN_MS = 1_000
const ASLEEP_MS = 30_000 // a tab that was hidden for longer may have slept
const WATCH_MS = 5_000
const SLEPT_MS = 150_000 // without a look at the clock; in tabs that are not seen browsers look once a minute

export interface Connection {
  state: 'connecting' | 'live' | 'lost' | 'full' // full: the server has no room for a further stream
  retryAt: number // by Date.now(); only when lost or full
}

export const connection = new Store<Connection>({ state: 'connecting', retryAt: 0 })

export interface Handlers {
  batch(events: StreamEvent[]): void // in their order
  missed(): void // events may have been missed: what is shown is to be read anew
}

type Said = { event: StreamEvent } | { connection: Connection } | { left: true } | { seen: true }

interface Place {
  cursor: string
  connection: Connection
}

// Why there was no stream, which the browser does not tell: the session may be over, or the server full.
async function refused(): Promise<number> {
  void check()
  return call('HEAD', PATH).then(() => 0, ({ status, retryAfter }: Refusal) => (status === 503 ? retryAfter * 1000 : 0))
}

export class Live {
  resting = false // there is no session, or will be none in a moment: what is asked for would be refused
  #leader: Leader
  #stream: Stream
  #handlers: Handlers
  #waiting: StreamEvent[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #flushed = 0
  #hiddenAt = 0
  #seenAt = -Infinity
  #watch: ReturnType<typeof setInterval> | undefined
  #watched = Date.now()
  #listening = new AbortController() // until it is closed

  constructor(user: number, handlers: Handlers) {
    this.#handlers = handlers
    this.#stream = new Stream(`api/${PATH}`, {
      event: (event) => this.#tell({ event }),
      opened: () => this.#tell({ connection: { state: 'live', retryAt: 0 } }),
      lost: (delay, full) => this.#tell({ connection: { state: full ? 'full' : 'lost', retryAt: Date.now() + delay } }),
      refused,
    })
    this.#leader = new Leader(`parley.${user}`, {
      lead: () => this.#open(),
      follow: () => this.#stream.close(),
      hear: (message) => this.#hear(message as Said),
      place: (): Place => ({ cursor: this.#stream.cursor, connection: connection.get() }),
      told: (place) => this.#told(place as Place),
    })
  }

  get leading(): boolean {
    return this.#leader.leading
  }

  start(): void {
    connection.set({ state: 'connecting', retryAt: 0 })
    this.#leader.start()
    const { signal } = this.#listening
    addEventListener('online', this.reconnect, { signal })
    addEventListener('pagehide', this.#hide, { signal })
    addEventListener('pageshow', this.#show, { signal })
    document.addEventListener('visibilitychange', this.#look, { signal })
    this.#watch = setInterval(this.#check, WATCH_MS)
  }

  close(): void {
    this.#stream.close()
    this.#leader.close()
    clearTimeout(this.#timer)
    clearInterval(this.#watch)
    this.#listening.abort()
  }

  // The other tabs are signed out too.
  sayLeft(): void {
    this.#leader.say({ left: true })
  }

  // Somebody looks at this tab: the leader need not call them.
  saySeen(): void {
    this.#tell({ seen: true })
  }

  // Or did when that was news?
  isSeen(at: number): boolean {
    return at - this.#seenAt < SEEN_MS
  }

  // Its state cannot be trusted behind a sleep: it is opened anew, and goes on where it was.
  reconnect = (): void => {
    if (this.#leader.leading) this.#open()
    else this.#leader.ask()
  }

  rest(): void {
    this.resting = true
    this.#stream.close()
  }

  resume(): void {
    if (!this.resting) return
    this.resting = false
    this.reconnect()
  }

  #open(): void {
    if (!this.resting) this.#stream.open()
  }

  // A device that slept need not say so, but its clock has gone on.
  #check = (): void => {
    const since = Date.now() - this.#watched
    this.#watched = Date.now()
    if (since > SLEPT_MS) this.reconnect()
  }

  #hide = (): void => {
    this.#stream.close()
    this.#leader.leave()
  }

  #show = (event: PageTransitionEvent): void => {
    if (event.persisted) this.#leader.ask()
  }

  #look = (): void => {
    if (document.hidden) this.#hiddenAt = Date.now()
    else if (!this.#leader.leading) this.#leader.ask()
    else if (Date.now() - this.#hiddenAt > ASLEEP_MS) this.#open()
  }

  #tell(said: Said): void {
    this.#leader.say(said)
    this.#hear(said)
  }

  #hear(said: Said): void {
    if ('connection' in said) connection.set(said.connection)
    else if ('left' in said) left()
    else if ('seen' in said) this.#seenAt = performance.now()
    else this.#take(said.event)
  }

  // Where the leader is behind this tab's last event, or before it, something did not come here.
  #told(place: Place): void {
    connection.set(place.connection)
    if (this.#stream.cursor && place.cursor !== this.#stream.cursor) this.#handlers.missed()
    this.#stream.cursor = place.cursor
  }

  #take(event: StreamEvent): void {
    if (event.id) this.#stream.cursor = event.id
    if (event.name === 'ping') return
    if (event.name === 'bye') {
      // The stream's session is over, which need not be the page's: a new password has made a new one. Until that is
      // known it rests.
      if ((event.data as { reason: string }).reason !== 'signed-out') return
      this.rest()
      void check().then(() => { if (session.get().state === 'in') this.resume() })
      return
    }
    this.#waiting.push(event)
    this.#timer ??= setTimeout(this.#flush, Math.max(0, this.#flushed + BATCH_MS - performance.now()))
  }

  #flush = (): void => {
    this.#timer = undefined
    this.#flushed = performance.now()
    const events = this.#waiting.splice(0, BATCH_MOST)
    if (this.#waiting.length) this.#timer = setTimeout(this.#flush, BATCH_MS / 4)
    this.#handlers.batch(events)
  }
}
