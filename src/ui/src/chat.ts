// All that one signed-in person's page knows, and what happens to it when the server tells something.
import { call, type Refusal } from './api'
import { Talks, type Conversation } from './conversations'
import { Drafts } from './drafts'
import { Feed, meetParties } from './feed'
import { loadParts } from './later'
import { Live, connection } from './live'
import { show, showCount } from './notices'
import { Outbox } from './outbox'
import { forgetPeople, hear, meet, nobody, people, peopleToKeep, readPeople } from './people'
import { preview } from './preview'
import { placeOf, route } from './route'
import { check, left, readConfig, session, signOut } from './session'
import { forgetSignals, heardPresence, heardTyping, readPresence } from './signals'
import { Snapshot } from './snapshot'
import { Store } from './store'
import type { StreamEvent } from './stream'
import { messageOf, peerOf, type Message, type MessageDoc, type Peer, type User } from './types'
import { lookForUpdate } from './update'

const PATIENCE_MS = 1_000 // with a stream that does not begin

interface Documents {
  collection: string
  docs: unknown[]
}

// The list as it was seen.
interface Listed {
  talks: Conversation[]
  people: User[]
}

export class Chat {
  readonly me: number
  readonly feed: Feed
  readonly talks: Talks
  readonly outbox: Outbox
  readonly drafts: Drafts
  readonly live: Live
  readonly editing = new Store(0) // the message that is being edited; 0: none
  attached = 0 // files that wait for their message
  #waits = true // nothing is read before it is heard what happens from then on, or that takes too long
  #snapshot: Snapshot
  #leaving: (() => void)[] = []

  constructor(me: number) {
    this.me = me
    this.#snapshot = new Snapshot(me)
    this.feed = new Feed(me, this.#snapshot)
    this.talks = new Talks(me)
    this.drafts = new Drafts(me)
    this.outbox = new Outbox(me, (doc) => this.#sent(doc))
    this.live = new Live(me, { batch: (events) => this.#take(events), missed: () => this.#readAll(false) })
  }

  start(): void {
    this.live.start()
    void this.#recall()
    const begin = () => { if (this.#waits) this.#readAll(false) }
    const timer = setTimeout(begin, PATIENCE_MS)
    let away = false
    const onConnection = () => {
      const { state } = connection.get()
      // The tab that has the stream hears where it begins; for the others it has begun.
      if (state !== 'connecting' && !(state === 'live' && this.live.leading)) begin()
      if (state === 'live') {
        if (session.get().state === 'away') void check()
        this.outbox.send()
        if (away) this.#goOn()
      }
      away = state === 'lost'
    }
    let { state } = session.get()
    const onSession = () => {
      const was = state
      state = session.get().state
      if (state === 'ended' && was === 'in') this.live.rest()
      if (state !== 'in' || was === 'in') return
      this.live.resume()
      this.#readAll(false)
      this.outbox.send()
    }
    const keep = () => {
      this.drafts.keepAll()
      void this.#snapshot.flush()
    }
    const hold = (event: BeforeUnloadEvent) => { if (!this.#survives()) event.preventDefault() }
    const look = () => this.#snapshot.write('list', this.#listed)
    const count = () => showCount(this.unread())
    const listening = new AbortController()
    const { signal } = listening
    addEventListener('pagehide', keep, { signal })
    addEventListener('beforeunload', hold, { signal })
    addEventListener('online', this.outbox.send, { signal })
    this.#leaving.push(
      connection.subscribe(onConnection),
      session.subscribe(onSession),
      this.talks.store.subscribe(count),
      this.talks.store.subscribe(look),
      people.subscribe(look),
      route.subscribe(count),
      () => {
        listening.abort()
        clearTimeout(timer)
      },
    )
    this.outbox.send()
  }

  close(): void {
    for (const leave of this.#leaving.splice(0)) leave()
    this.live.close()
    this.outbox.close()
    nobody()
    forgetSignals()
    showCount(0)
  }

  // What was not sent is lost by it: ask before.
  async signOut(everywhere: boolean): Promise<void> {
    this.live.rest()
    try {
      await signOut(everywhere)
    } catch (refusal) {
      this.live.resume()
      throw refusal
    }
    this.live.sayLeft()
    this.outbox.clear()
    this.drafts.clear()
    left()
  }

  unread(): number {
    const open = this.lookedAt()
    let sum = 0
    for (const { peer, unread } of this.talks.store.get().byPeer.values()) if (peer !== open && peer !== this.me) sum += unread
    return sum
  }

  // The conversation before one's eyes; what comes there is no news.
  lookedAt(): Peer | null {
    const at = route.get()
    return at.view === 'thread' && !document.hidden && document.hasFocus() ? at.peer : null
  }

  async edit(id: number, content: string): Promise<void> {
    const { doc } = await call<{ doc: MessageDoc }>('PATCH', `messages/${id}?depth=0`, { content })
    this.feed.learn([doc], false)
  }

  async remove(id: number): Promise<void> {
    try {
      await call('DELETE', `messages/${id}?depth=0`)
    } catch (refusal) {
      if ((refusal as Refusal).status !== 404) throw refusal
    }
    this.feed.forget([id])
    this.talks.forget([id])
  }

  // Would a reload lose nothing of what was begun?
  #survives(): boolean {
    return !this.attached && !this.editing.get() && this.drafts.keepAll() && this.outbox.keepAll()
  }

  #listed = (): Listed | null => {
    const { state, asOf, byPeer } = this.talks.store.get()
    return state === 'read' && !asOf ? { talks: [...byPeer.values()], people: peopleToKeep(byPeer) } : null
  }

  async #recall(): Promise<void> {
    const seen = await this.#snapshot.read<Listed>('list')
    if (!seen || this.#leaving.length === 0) return
    if (people.get().byId.size === 0) meet(seen.what.people)
    this.talks.recall(seen.what.talks, seen.at)
  }

  #sent(doc: MessageDoc): void {
    this.feed.learn([doc], false)
    this.talks.learn([messageOf(doc)])
    if (connection.get().state === 'lost') this.live.reconnect() // the server is there
  }

  #read(): void {
    void readPeople().catch(() => {})
    void this.talks.read()
    void readPresence()
  }

  // The server is there again: what it could not be asked is asked now.
  #goOn(): void {
    const at = placeOf(route.get())
    if (at.view === 'thread') this.feed.readFailed(at.peer)
    if (this.talks.store.get().state === 'failed') this.#read()
    void readConfig()
  }

  // `replace`: nothing of what was known need be true. What was not read yet has waited for this.
  #readAll(replace: boolean): void {
    if (this.live.resting) return // it is done behind that
    const at = placeOf(route.get())
    const peer = at.view === 'thread' ? at.peer : null
    this.feed.forgetOthers(peer)
    if (replace) this.feed.forgetTold()
    if (peer && !this.#waits) void this.feed.readAgain(peer, replace)
    this.#waits = false
    this.feed.begin()
    this.#read()
  }

  #take(events: StreamEvent[]): void {
    const arrived: MessageDoc[] = []
    for (const { name, data } of events) {
      // Their order counts where one of the others comes between two messages.
      if (name === 'message' && (data as Documents).collection === 'messages') {
        arrived.push(...((data as Documents).docs as MessageDoc[]))
        continue
      }
      this.#learn(arrived.splice(0))
      this.#hear(name, data)
    }
    this.#learn(arrived)
  }

  #hear(name: string, data: unknown): void {
    // Where it is not known yet who one is, all is read once it is.
    if (name === 'hello' || name === 'fresh') void lookForUpdate()
    if (name === 'fresh' && session.get().state !== 'away') this.#readAll(false)
    else if (name === 'reset') this.#readAll(true)
    else if (name === 'hello') this.#read() // what has no id was not sent again
    else if (name === 'message') meet((data as Documents).docs as User[])
    else if (name === 'delete') this.#forget(data as Documents)
    else if (name === 'read') {
      const { user, peer, message } = data as { user: number; peer: number; message: number }
      this.talks.heardRead(user, peer, message)
    } else if (name === 'typing') {
      const { user, typing } = data as { user: number; typing: boolean }
      if (user !== this.me) heardTyping(user, typing)
    } else if (name === 'profile') {
      hear(data as User)
    } else if (name === 'presence') {
      const { user, online } = data as { user: number; online: boolean }
      heardPresence(user, online)
    }
  }

  #forget({ collection, docs }: Documents): void {
    const ids = (docs as { id: number }[]).map(({ id }) => id)
    if (collection === 'users') forgetPeople(ids)
    if (collection !== 'messages') return
    this.feed.forget(ids)
    this.talks.forget(ids)
  }

  #learn(docs: MessageDoc[]): void {
    if (docs.length === 0) return
    meetParties(docs)
    this.feed.learn(docs, true)
    this.outbox.settle(docs)
    const messages = docs.map(messageOf)
    for (const { sender } of messages) if (sender !== this.me) heardTyping(sender, false)
    this.#tell(this.talks.learn(messages))
  }

  #tell(news: Message[]): void {
    const looked = this.lookedAt()
    const told = news.filter((message) => peerOf(message, this.me) !== looked && looked !== 'all')
    if (told.length === 0) return
    show(told, preview)
    if (document.hasFocus()) this.live.saySeen()
    // Of the browser's tabs one calls, and only where nobody looks at any.
    if (!this.live.leading) return
    const at = performance.now()
    void loadParts().then(({ callFor }) => callFor(told, preview, () => this.live.isSeen(at)), () => {})
  }
}
