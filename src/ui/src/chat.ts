// All that one signed-in person's page knows, and what happens to it when the server tells something.
import { call } from './api'
import { Talks } from './conversations'
import { Drafts } from './drafts'
import { Feed, meetParties } from './feed'
import { Live, connection } from './live'
import { callFor, show, showCount } from './notices'
import { Outbox } from './outbox'
import { forgetPeople, meet, nobody, readPeople } from './people'
import { preview } from './preview'
import { route } from './route'
import { left, noticed, session, signOut } from './session'
import { forgetSignals, heardPresence, heardTyping, readPresence } from './signals'
import { Store } from './store'
import type { StreamEvent } from './stream'
import { messageOf, peerOf, type Message, type MessageDoc, type Peer, type User } from './types'

const CALL_AFTER_MS = 300

interface Documents {
  collection: string
  docs: unknown[]
}

export class Chat {
  readonly me: number
  readonly feed: Feed
  readonly talks: Talks
  readonly outbox: Outbox
  readonly drafts: Drafts
  readonly live: Live
  readonly editing = new Store(0) // the message that is being edited; 0: none
  #leaving: (() => void)[] = []

  constructor(me: number) {
    this.me = me
    this.feed = new Feed(me)
    this.talks = new Talks(me)
    this.drafts = new Drafts(me)
    this.outbox = new Outbox(me, (doc) => this.#sent(doc))
    this.live = new Live(me, { batch: (events) => this.#take(events), missed: () => this.#readAll(false) })
  }

  start(): void {
    this.live.start()
    this.#read()
    const onLive = () => connection.get().state === 'live' && this.outbox.send()
    let { state } = session.get()
    const onSession = () => {
      const was = state
      state = session.get().state
      if (state === 'ended' && was === 'in') this.live.rest()
      if (state !== 'in' || was !== 'ended') return
      this.live.reconnect()
      this.#readAll(false)
      this.outbox.send()
    }
    const keep = () => this.drafts.keepAll()
    const count = () => showCount(this.unread())
    const send = () => this.outbox.send()
    addEventListener('pagehide', keep)
    addEventListener('online', send)
    this.#leaving.push(
      connection.subscribe(onLive),
      session.subscribe(onSession),
      this.talks.store.subscribe(count),
      route.subscribe(count),
      () => removeEventListener('pagehide', keep),
      () => removeEventListener('online', send),
    )
    this.outbox.send()
  }

  close(): void {
    for (const leave of this.#leaving) leave()
    this.live.close()
    this.outbox.close()
    nobody()
    forgetSignals()
    showCount(0)
  }

  // What was not sent is lost by it: ask before.
  async signOut(everywhere: boolean): Promise<void> {
    await signOut(everywhere)
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
    try {
      const { doc } = await call<{ doc: MessageDoc }>('PATCH', `messages/${id}?depth=0`, { content })
      this.feed.learn([doc], false)
    } catch (refusal) {
      throw noticed(refusal)
    }
  }

  async remove(id: number): Promise<void> {
    try {
      await call('DELETE', `messages/${id}?depth=0`)
    } catch (refusal) {
      if (noticed(refusal).status !== 404) throw refusal
    }
    this.feed.forget([id])
    this.talks.forget([id])
  }

  #sent(doc: MessageDoc): void {
    this.feed.learn([doc], false)
    this.talks.learn([messageOf(doc)])
  }

  #read(): void {
    void this.talks.read()
    void readPeople().catch(noticed)
    void readPresence()
  }

  // `replace`: nothing of what was known need be true.
  #readAll(replace: boolean): void {
    const at = route.get()
    const peer = at.view === 'thread' ? at.peer : null
    this.feed.forgetOthers(peer)
    if (replace) this.feed.forgetGone()
    if (peer) void this.feed.readNewest(peer, replace)
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
    if (name === 'fresh') this.#readAll(false)
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
      meet([data as User])
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
    if (this.live.leading) setTimeout(() => callFor(told, preview, this.live.isSeen()), CALL_AFTER_MS)
  }
}
