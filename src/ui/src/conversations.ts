// With whom one talks: the last message with each, how many are unread, and how far each has read.
// The server counts.
import { call, Refusal } from './api'
import { meet, nameOf, type People } from './people'
import { Store } from './store'
import { messageOf, peerOf, type List, type Message, type MessageDoc, type User } from './types'

const MOST = 500

export interface Conversation {
  peer: number
  last: Message | null
  unread: number
  read: number // the newest message that one has read
  peerRead: number // and that the other has
}

export interface Conversations {
  state: 'reading' | 'read' | 'failed'
  reason: string
  asOf: string // when it was seen so, if that was not now
  byPeer: ReadonlyMap<number, Conversation>
}

interface ConversationDoc {
  peer: User
  last: MessageDoc | null
  unread: number
  read: number | null
  peerRead: number | null
}

const NONE: Conversations = { state: 'reading', reason: '', asOf: '', byPeer: new Map() }

const fromDoc = (doc: ConversationDoc): Conversation => ({
  peer: doc.peer.id,
  last: doc.last && messageOf(doc.last),
  unread: doc.unread,
  read: doc.read ?? 0,
  peerRead: doc.peerRead ?? 0,
})

// Those one talks with, the last one first; then the others by name; oneself last of them.
export function order(all: People, talks: ReadonlyMap<number, Conversation>, me: number): number[] {
  const ids = new Set([...all.byId.keys(), ...talks.keys(), me])
  const rank = (id: number) => talks.get(id)?.last?.id ?? (id === me ? -1 : 0)
  return [...ids].sort((a, b) => rank(b) - rank(a) || nameOf(all, a).localeCompare(nameOf(all, b)))
}

export class Talks {
  readonly store = new Store<Conversations>(NONE)
  #me: number
  #counted = 0 // the newest message that was counted
  #meanwhile: Message[] | null = null // what came while all is being read

  constructor(me: number) {
    this.#me = me
  }

  of(peer: number): Conversation {
    return this.store.get().byPeer.get(peer) ?? { peer, last: null, unread: 0, read: 0, peerRead: 0 }
  }

  async read(): Promise<void> {
    const meanwhile: Message[] = []
    this.#meanwhile = meanwhile
    try {
      const found = await this.#ask()
      if (this.#meanwhile !== meanwhile) return
      this.#show('read', found)
      // Ids go up: what is beyond the newest of them came behind the answer.
      this.#meanwhile = null
      this.learn(meanwhile.filter(({ id }) => id > this.#counted))
    } catch (refusal) {
      if (this.#meanwhile !== meanwhile) return
      this.#meanwhile = null
      const { byPeer, asOf } = this.store.get()
      this.store.update({ state: byPeer.size && !asOf ? 'read' : 'failed', reason: (refusal as Refusal).message })
    }
  }

  // What was seen at another time, until all is read.
  recall(seen: Conversation[], at: string): void {
    const { state, byPeer } = this.store.get()
    if (state !== 'read' && byPeer.size === 0) this.#show(state, seen, at)
  }

  // Messages that came through the stream; gives those of others that are new to this person.
  learn(messages: Message[]): Message[] {
    const byPeer = new Map(this.store.get().byPeer)
    const news: Message[] = []
    this.#meanwhile?.push(...messages)
    for (const message of messages) {
      const peer = peerOf(message, this.#me)
      if (peer === null) continue
      const old = byPeer.get(peer) ?? this.of(peer)
      const isNew = message.id > this.#counted && message.sender !== this.#me && message.id > old.read
      if (isNew) news.push(message)
      byPeer.set(peer, {
        ...old,
        last: !old.last || message.id >= old.last.id ? message : old.last,
        unread: old.unread + (isNew ? 1 : 0),
      })
      this.#counted = Math.max(this.#counted, message.id)
    }
    this.store.update({ byPeer })
    return news
  }

  // The last message of some may be among them, or an unread one.
  forget(ids: number[]): void {
    const gone = new Set(ids)
    for (const { peer, last, unread, read } of this.store.get().byPeer.values())
      if ((last && gone.has(last.id)) || (unread && ids.some((id) => id > read))) void this.readOne(peer)
  }

  async readOne(peer: number): Promise<void> {
    try {
      this.#put(fromDoc(await call<ConversationDoc>('GET', `parley/conversations/${peer}`)))
    } catch {
      // It stays as it was.
    }
  }

  // One has seen the messages up to that one.
  async markRead(peer: number, message: number): Promise<void> {
    const talk = this.of(peer)
    if (message <= talk.read && talk.unread === 0) return
    if (talk.last && message >= talk.last.id) this.#put({ ...talk, read: message, unread: 0 })
    type Answer = { read: number; unread: number }
    const { read, unread } = await call<Answer>('POST', `parley/conversations/${peer}/read`, { message })
    // What came meanwhile has been counted.
    if (this.of(peer).last?.id === talk.last?.id) this.#put({ ...this.of(peer), read, unread })
  }

  // `user` has read what they have with `peer`, up to that message.
  heardRead(user: number, peer: number, message: number): void {
    if (user !== this.#me && peer === this.#me) {
      const talk = this.of(user)
      if (message > talk.peerRead) this.#put({ ...talk, peerRead: message })
    } else if (user === this.#me) {
      const talk = this.of(peer)
      if (message <= talk.read) return
      if (!talk.last || message >= talk.last.id) this.#put({ ...talk, read: message, unread: 0 })
      else void this.readOne(peer)
    }
  }

  #show(state: Conversations['state'], talks: Conversation[], asOf = ''): void {
    this.#counted = Math.max(0, ...talks.map(({ last }) => last?.id ?? 0))
    this.store.update({ state, asOf, byPeer: new Map(talks.map((one) => [one.peer, one])) })
  }

  #put(talk: Conversation): void {
    this.store.update({ byPeer: new Map(this.store.get().byPeer).set(talk.peer, talk) })
  }

  async #ask(): Promise<Conversation[]> {
    const { docs } = await call<List<ConversationDoc>>('GET', `parley/conversations?limit=${MOST}`)
    meet(docs.map(({ peer }) => peer))
    return docs.map(fromDoc)
  }
}
