// The messages as far as they are known: a timeline for each conversation that was looked at.
//
// A timeline is a run of messages without a hole, by their ids. It may end before the oldest or before the newest
// message there is: what lies beyond is read page by page, and the far end is dropped, so that never more than MOST are
// held and drawn.
//
// Three sources tell of messages and may overtake each other: pages, the stream, and the answers to what is sent from
// here. The stream tells changes in their order, so its word stands; the others count only where they are newer.
//
// Until a timeline has been read, what was seen of it last stands there (`asOf`), and nothing of that outlives the answer.
import { call, type Refusal } from './api'
import { meet } from './people'
import type { Snapshot } from './snapshot'
import { Store } from './store'
import { messageOf, type List, type Message, type MessageDoc, type Peer } from './types'

export const PAGE = 40
export const MOST = 300
const LEEWAY = 20 // so many fewer are kept, that not each one that comes drops one
const TIMELINES = 6 // those looked at last are kept

// What lies beyond an end of a timeline.
export type Edge = 'none' | 'more' | 'reading' | 'failed'

export interface Timeline {
  messages: readonly Message[]
  older: Edge
  newer: Edge
  reason: string // of the last failure
  asOf: string // when it was seen so, if that was not now
  turn: number // counts up when all was replaced and one looks at another place
}

const UNREAD: Timeline = { messages: [], older: 'more', newer: 'none', reason: '', asOf: '', turn: 0 }

const IS_PAIR = (me: number, peer: number) =>
  me === peer
    ? `&where[sender][equals]=${me}&where[receiver][equals]=${me}`
    : `&where[or][0][and][0][sender][equals]=${me}&where[or][0][and][1][receiver][equals]=${peer}` +
      `&where[or][1][and][0][sender][equals]=${peer}&where[or][1][and][1][receiver][equals]=${me}`

// Up to which id a page holds all that there is; up to the `end` where no other follows.
const reach = ({ docs, hasNextPage }: List<Message>, end: number) => (hasNextPage ? docs[docs.length - 1].id : end)

export class Feed {
  away: Peer | null = null // the conversation whose reader is not at its end
  #timelines = new Map<Peer, Store<Timeline>>() // the last one looked at is the last
  #gone = new Set<number>() // deleted by the stream's word; a page that is under way may still hold them
  #told = new Map<number, Message>() // by the stream and the answers, since the first of the pages under way was asked for
  #pages = 0 // under way
  #around = Promise.resolve() // the last readAround
  begin!: () => void // pages are asked for from then on
  #begun = new Promise<void>((resolve) => { this.begin = resolve })
  #me: number
  #snapshot: Pick<Snapshot, 'read' | 'write'>

  constructor(me: number, snapshot: Pick<Snapshot, 'read' | 'write'>) {
    this.#me = me
    this.#snapshot = snapshot
  }

  // The timeline of a conversation; read if it is not known yet.
  open(peer: Peer): Store<Timeline> {
    let timeline = this.#timelines.get(peer)
    if (timeline) this.#timelines.delete(peer)
    else timeline = this.#new(peer)
    this.#timelines.set(peer, timeline)
    const [oldest] = this.#timelines.keys()
    if (this.#timelines.size > TIMELINES) this.#timelines.delete(oldest)
    return timeline
  }

  // Its newest page; what is known of it stays where the two meet.
  async readNewest(peer: Peer, replace = false): Promise<void> {
    const timeline = this.open(peer)
    const { messages, older, newer, asOf } = timeline.get()
    const edge = newer === 'none' ? 'older' : 'newer'
    timeline.update({ [edge]: edge === 'older' && messages.length && !asOf ? older : 'reading', reason: '' })
    if (messages.length === 0) void this.#recall(peer, timeline)
    await this.#read(peer, edge, '&sort=-id', (page) => this.#showNewest(peer, timeline, page, replace))
  }

  // What was missed, if it was at the end; whoever looks farther up stays there. `replace`: all of it.
  async readAgain(peer: Peer, replace: boolean): Promise<void> {
    await this.#around
    if (replace || this.open(peer).get().newer === 'none') await this.readNewest(peer, replace)
  }

  // The page around a message, which may be one that is not there any more: the newest up to it, and the next ones.
  readAround(peer: Peer, id: number): Promise<void> {
    return (this.#around = this.#lookAround(peer, id))
  }

  async #lookAround(peer: Peer, id: number): Promise<void> {
    const timeline = this.open(peer)
    const turn = timeline.get().turn + 1
    timeline.set({ ...UNREAD, older: 'reading', newer: 'reading', turn })
    try {
      const [before, after] = await Promise.all([
        this.#page(peer, `&sort=-id&where[id][less_than_equal]=${id}`, PAGE / 2),
        this.#page(peer, `&sort=id&where[id][greater_than]=${id}`),
      ])
      if (timeline.get().turn !== turn) return
      timeline.update({
        messages: this.#merge([], [...before.docs, ...after.docs, ...this.#toldOf(peer, reach(before, 0), reach(after, Infinity))]),
        older: before.hasNextPage ? 'more' : 'none',
        newer: after.hasNextPage ? 'more' : 'none',
        turn: turn + 1,
      })
    } catch (refusal) {
      timeline.update({ older: 'failed', newer: 'none', reason: (refusal as Refusal).message })
      void this.#recall(peer, timeline)
    }
  }

  async readOlder(peer: Peer): Promise<void> {
    const timeline = this.open(peer)
    const { messages: [first], older, asOf } = timeline.get()
    if (!first || asOf) return this.readNewest(peer)
    if (older === 'reading') return
    timeline.update({ older: 'reading' })
    await this.#read(peer, 'older', `&sort=-id&where[id][less_than]=${first.id}`, (page) => {
      const { messages, newer } = timeline.get()
      // This end was dropped for what was read at the other one.
      if (messages[0]?.id !== first.id) return timeline.update({ older: 'more' })
      const known = this.#merge(messages, [...page.docs, ...this.#toldOf(peer, reach(page, 0), first.id)])
      const cut = known.length > MOST
      timeline.update({
        messages: cut ? known.slice(0, MOST - LEEWAY) : known,
        older: page.hasNextPage ? 'more' : 'none',
        newer: cut ? 'more' : newer,
      })
    })
  }

  async readNewer(peer: Peer): Promise<void> {
    const timeline = this.open(peer)
    const { messages: known, newer } = timeline.get()
    const last = known.at(-1)
    if (!last || newer === 'reading' || newer === 'none') return
    timeline.update({ newer: 'reading' })
    await this.#read(peer, 'newer', `&sort=id&where[id][greater_than]=${last.id}`, (page) => {
      const { messages } = timeline.get()
      if (messages.at(-1)?.id !== last.id) return timeline.update({ newer: 'more' })
      timeline.update({ newer: page.hasNextPage ? 'more' : 'none' })
      this.#grow(timeline, this.#merge(messages, [...page.docs, ...this.#toldOf(peer, last.id, reach(page, Infinity))]))
    })
  }

  readFailed(peer: Peer): void {
    const { older, newer } = this.open(peer).get()
    if (older === 'failed') void this.readOlder(peer)
    if (newer === 'failed') void this.readNewer(peer)
  }

  // What the stream tells (`live`), or an answer to what was sent from here.
  learn(docs: MessageDoc[], live: boolean): void {
    const messages = docs.map(messageOf)
    if (live) for (const { id } of messages) this.#gone.delete(id)
    if (this.#pages) for (const message of messages) this.#told.set(message.id, message)
    for (const [peer, timeline] of this.#timelines) {
      const own = messages.filter((message) => this.#belongs(message, peer))
      const moved = live ? messages.filter((message) => !this.#belongs(message, peer)).map(({ id }) => id) : []
      if (moved.length) this.#replace(timeline, new Set(moved), () => [])
      if (own.length) this.#learnOf(timeline, own, live)
    }
  }

  forget(ids: number[]): void {
    for (const id of ids) this.#gone.add(id)
    for (const timeline of this.#timelines.values())
      this.#replace(timeline, new Set(ids), (message) => [{ ...message, content: '', deleted: true }])
  }

  // Of the conversations that nobody looks at nothing is kept.
  forgetOthers(peer: Peer | null): void {
    for (const other of [...this.#timelines.keys()]) if (other !== peer) this.#timelines.delete(other)
  }

  // Of a server that went back to an older state nothing counts that it told before.
  forgetTold(): void {
    this.#gone.clear()
    this.#told.clear()
  }

  #new(peer: Peer): Store<Timeline> {
    const timeline = new Store(UNREAD)
    const whole = () => {
      const { messages, older, newer, asOf } = timeline.get()
      return !asOf && newer === 'none' && (messages.length || older === 'none') ? messages.filter(({ deleted }) => !deleted).slice(-PAGE) : null
    }
    timeline.subscribe(() => this.#snapshot.write(`thread ${peer}`, whole))
    return timeline
  }

  // What was seen last, where nothing else is there by then.
  async #recall(peer: Peer, timeline: Store<Timeline>): Promise<void> {
    const { turn } = timeline.get()
    const seen = await this.#snapshot.read<Message[]>(`thread ${peer}`)
    const { messages, older, turn: then } = timeline.get()
    if (!seen || then !== turn || messages.length || older === 'none') return
    timeline.update({ messages: this.#merge([], seen.what), asOf: seen.at })
  }

  // A page beyond an end of a timeline. It counts where all is not another by then.
  async #read(peer: Peer, edge: 'older' | 'newer', query: string, show: (page: List<Message>) => void): Promise<void> {
    const timeline = this.open(peer)
    const { turn } = timeline.get()
    const told = await this.#page(peer, query).then(
      (page) => () => show(page),
      (refusal: Refusal) => () => timeline.update({ [edge]: 'failed', reason: refusal.message }),
    )
    if (timeline.get().turn === turn) told()
  }

  async #page(peer: Peer, query: string, limit = PAGE): Promise<List<Message>> {
    if (this.#pages++ === 0) this.#told.clear()
    try {
      await this.#begun
      const page = await call<List<MessageDoc>>('GET', `messages?depth=0${peer === 'all' ? '' : IS_PAIR(this.#me, peer)}${query}&limit=${limit}`)
      return { ...page, docs: page.docs.map(messageOf) }
    } finally {
      this.#pages--
    }
  }

  // What a page lacks that was asked for before it was told.
  #toldOf(peer: Peer, first: number, last: number): Message[] {
    return [...this.#told.values()].filter((message) => message.id >= first && message.id <= last && this.#belongs(message, peer))
  }

  #belongs({ sender, receiver }: Message, peer: Peer): boolean {
    if (peer === 'all') return true
    return (sender === this.#me && receiver === peer) || (sender === peer && receiver === this.#me)
  }

  // Those known and those of a page, by id; of two the newer one.
  #merge(known: readonly Message[], page: readonly Message[], live = false): Message[] {
    const byId = new Map(known.map((message) => [message.id, message]))
    for (const message of page) {
      const old = byId.get(message.id)
      if (!live && (this.#gone.has(message.id) || (old && old.updatedAt >= message.updatedAt))) continue
      byId.set(message.id, message)
    }
    return [...byId.values()].sort((a, b) => a.id - b.id)
  }

  #showNewest(peer: Peer, timeline: Store<Timeline>, page: List<Message>, replace: boolean): void {
    const { messages, older, newer, turn, asOf } = timeline.get()
    const first = reach(page, 0)
    const meets = !replace && !asOf && messages.length > 0 && messages[messages.length - 1].id >= first
    // Where all is new nothing counts that was known before: the server may have gone back behind it. Of those that the
    // page covers, the ones it does not hold are gone.
    const held = new Set(page.docs.map(({ id }) => id))
    const stay = messages.filter(({ id, deleted }) => meets && (id < first || deleted || held.has(id)))
    timeline.update({
      older: (stay[0]?.id ?? first) < first ? older : page.hasNextPage ? 'more' : 'none',
      newer: 'none',
      asOf: '',
      turn: meets && newer === 'none' ? turn : turn + 1,
    })
    this.#grow(timeline, this.#merge(stay, [...page.docs, ...this.#toldOf(peer, first, Infinity)]))
  }

  #learnOf(timeline: Store<Timeline>, own: Message[], live: boolean): void {
    const { messages, older, newer } = timeline.get()
    const first = messages[0]?.id ?? Infinity
    const last = messages.at(-1)?.id ?? 0
    // What lies beyond an end would leave a hole before it.
    let within = own.filter(({ id }) => (id >= first || older === 'none' || first === Infinity) && (id <= last || newer === 'none'))
    // A reader farther up keeps his place: what there is no room for is read when he comes down.
    if (timeline === this.#timelines.get(this.away ?? 0) && messages.length + within.length > MOST) {
      within = within.filter(({ id }) => id <= last)
      timeline.update({ newer: 'more' })
    }
    if (within.length === 0) return
    this.#grow(timeline, this.#merge(messages, within, live))
  }

  #grow(timeline: Store<Timeline>, messages: Message[]): void {
    const cut = messages.length > MOST
    timeline.update({
      messages: cut ? messages.slice(LEEWAY - MOST) : messages,
      older: cut ? 'more' : timeline.get().older,
    })
  }

  #replace(timeline: Store<Timeline>, ids: Set<number>, by: (message: Message) => Message[]): void {
    const { messages } = timeline.get()
    if (!messages.some(({ id }) => ids.has(id))) return
    timeline.update({ messages: messages.flatMap((message) => (ids.has(message.id) ? by(message) : message)) })
  }
}

// One who was seen as the sender or the receiver is a person to write to.
export const meetParties = (docs: MessageDoc[]): void => meet(docs.flatMap(({ sender, receiver }) => [sender, receiver]))
