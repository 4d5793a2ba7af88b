// The messages as far as they are known, live.
//
// Three sources tell of them and may overtake each other: pages of the history, the stream, and the answers to what is
// sent from here. The stream tells changes in their order, so its word stands; the others count only where they are
// newer. The newest page is read once the stream is open, so there is no hole between the two. A stream that comes back
// goes on behind the last event (`cursor`); where the server cannot do that it says `reset`, and all is read again.
import { call } from './api.js'

const PAGE = 30
const SILENCE_MS = 75_000 // the server says something every 30 s: a stream that is silent for longer is dead
const REOPEN_MS = 3_000 // and up to twice as long, so that not all come back at once
const NOBODY = { learned() {}, arrived() {}, changed() {}, connection() {}, ended() {} }

export class Feed {
  #messages = new Map() // id -> document
  #gone = new Set() // deleted by the stream's word; a page that is under way may still hold them
  #stream = null
  #cursor = ''
  #alarm = 0

  // learned(docs): documents that are new or have changed · arrived(docs): those of them that were written just now
  // changed(): there is something to draw · connection(state): connecting, live, lost or offline
  // ended(): the stream's session is over
  constructor(listener) {
    this.listener = listener
    this.#forgetAll()
  }

  open() {
    this.#stream?.close()
    const stream = new EventSource(`api/messages/sse${this.#cursor && `?since=${encodeURIComponent(this.#cursor)}`}`)
    const on = (name, act) => stream.addEventListener(name, (event) => this.#hear(event, act))
    this.#stream = stream
    this.#openAfter(SILENCE_MS)
    this.listener.connection('connecting')
    on('message', (docs) => this.learn(docs, true))
    on('delete', (docs) => this.#forget(docs))
    on('reset', () => this.#startOver())
    on('bye', ({ reason }) => reason === 'signed-out' && this.listener.ended())
    on('ping', () => {})
    stream.onopen = () => this.#opened()
    stream.onerror = () => this.#lost()
  }

  // Answers that are still under way reach nobody.
  close() {
    clearTimeout(this.#alarm)
    this.#stream?.close()
    this.listener = NOBODY
  }

  // What is to be shown, in order. Older messages that the stream tells, because someone edited them, wait until the
  // history is read that far: shown alone they would hide that something is missing before them.
  documents() {
    const byTime = (a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id - b.id)
    return [...this.#messages.values()].filter((doc) => doc.id >= this.history.oldest).sort(byTime)
  }

  learn(docs, live = false) {
    const { oldest, newest } = this.history
    const fresh = docs.filter((doc) => live || this.#isNewer(doc))
    for (const doc of fresh) {
      this.#gone.delete(doc.id)
      this.#messages.set(doc.id, doc)
      this.history.newest = Math.max(this.history.newest, doc.id)
    }
    const arrived = live && oldest !== Infinity ? fresh.filter((doc) => doc.id > newest) : []
    this.listener.learned(fresh)
    if (arrived.length) this.listener.arrived(arrived)
    this.listener.changed()
  }

  // Reads the newest page, or the one before what is known.
  async readHistory() {
    const history = this.history
    if (history.state === 'reading') return
    history.state = 'reading'
    this.listener.changed()
    try {
      const before = history.oldest === Infinity ? '' : `&where[id][less_than]=${history.oldest}`
      const page = await call('GET', `messages?depth=1&sort=-id&limit=${PAGE}${before}`)
      if (history !== this.history) return
      this.learn(page.docs)
      history.oldest = page.hasNextPage ? page.docs[page.docs.length - 1].id : 0
      history.state = 'read'
    } catch (refusal) {
      Object.assign(history, { state: 'failed', reason: refusal.message })
    }
    this.listener.changed()
  }

  #isNewer(doc) {
    const known = this.#messages.get(doc.id)
    return !this.#gone.has(doc.id) && !(known?.updatedAt >= doc.updatedAt)
  }

  #hear(event, act) {
    this.#openAfter(SILENCE_MS)
    if (event.lastEventId) this.#cursor = event.lastEventId
    act(event.type === 'ping' ? null : JSON.parse(event.data))
  }

  #opened() {
    this.listener.connection('live')
    if (!this.#cursor) this.#startOver()
  }

  #lost() {
    this.listener.connection(navigator.onLine ? 'lost' : 'offline')
    if (this.history.state === 'new') this.readHistory()
    // The browser tries again by itself, but not after an answer that is no stream.
    if (this.#stream.readyState === EventSource.CLOSED) this.#openAfter(REOPEN_MS * (1 + Math.random()))
  }

  #openAfter(delay) {
    clearTimeout(this.#alarm)
    this.#alarm = setTimeout(() => this.open(), delay)
  }

  #forget(docs) {
    for (const { id } of docs) {
      this.#messages.delete(id)
      this.#gone.add(id)
    }
    this.listener.changed()
  }

  #forgetAll() {
    this.#messages.clear()
    this.#gone.clear()
    // The history is known from the id `oldest` on; 0: from its beginning. state: new, reading, read, failed.
    this.history = { oldest: Infinity, newest: 0, state: 'new', reason: '' }
  }

  #startOver() {
    this.#forgetAll()
    this.readHistory()
  }
}
