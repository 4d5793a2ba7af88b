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

const pageOf = async (query: string): Promise<List<Message>> => {
  const page = await call<List<MessageDoc>>('GET', `messages?depth=0${query}`)
  return { ...page, docs: page.docs.map(messageOf) }
}

export class Feed {
  away: Peer | null = null // the conversation whose reader is not at its end
  #timelines = new Map<Peer, Store<Timeline>>() // the last one looked at is the last
  #gone = new Set<number>() // deleted by the stream's word; a page that is under way may still hold them
  #around = Promise.resolve() // the last readAround
  #me: number
  #recalled = new WeakSet<Message>() // from the snapshot: older than every answer
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
    const { turn, messages, older, asOf } = timeline.get()
    const before = new Set(messages)
    timeline.update({ older: messages.length && !asOf ? older : 'reading', reason: '' })
    if (messages.length === 0) void this.#recall(peer, timeline)
    try {
      const page = await pageOf(`${this.#of(peer)}&sort=-id&limit=${PAGE}`)
      if (timeline.get().turn !== turn) return
      this.#showNewest(timeline, page, before, replace)
    } catch (refusal) {
      this.#fail(timeline, 'older', refusal)
    }
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
    timeline.set({ ...UNREAD, older: 'reading', turn })
    try {
      const half = PAGE / 2
      const [before, after] = await Promise.all([
        pageOf(`${this.#of(peer)}&sort=-id&limit=${half}&where[id][less_than_equal]=${id}`),
        pageOf(`${this.#of(peer)}&sort=id&limit=${PAGE}&where[id][greater_than]=${id}`),
      ])
      if (timeline.get().turn !== turn) return
      const messages = this.#merge(timeline.get().messages, [...before.docs, ...after.docs])
      timeline.set({
        ...timeline.get(),
        messages,
        older: before.hasNextPage ? 'more' : 'none',
        newer: after.hasNextPage ? 'more' : 'none',
        turn: turn + 1,
      })
    } catch (refusal) {
      void this.#recall(peer, timeline)
      this.#fail(timeline, 'older', refusal)
    }
  }

  async readOlder(peer: Peer): Promise<void> {
    const timeline = this.open(peer)
    const [first] = timeline.get().messages
    if (!first || timeline.get().asOf) return this.readNewest(peer)
    if (timeline.get().older === 'reading') return
    const { turn } = timeline.get()
    timeline.update({ older: 'reading' })
    try {
      const page = await pageOf(`${this.#of(peer)}&sort=-id&limit=${PAGE}&where[id][less_than]=${first.id}`)
      if (timeline.get().turn !== turn) return
      const messages = this.#merge(timeline.get().messages, page.docs)
      const cut = messages.length > MOST
      timeline.update({
        messages: cut ? messages.slice(0, MOST - LEEWAY) : messages,
        older: page.hasNextPage ? 'more' : 'none',
        newer: cut ? 'more' : timeline.get().newer,
      })
    } catch (refusal) {
      this.#fail(timeline, 'older', refusal)
    }
  }

  async readNewer(peer: Peer): Promise<void> {
    const timeline = this.open(peer)
    const last = timeline.get().messages.at(-1)
    if (!last || timeline.get().newer === 'reading' || timeline.get().newer === 'none') return
    const { turn } = timeline.get()
    timeline.update({ newer: 'reading' })
    try {
      const page = await pageOf(`${this.#of(peer)}&sort=id&limit=${PAGE}&where[id][greater_than]=${last.id}`)
      if (timeline.get().turn !== turn) return
      timeline.update({ newer: page.hasNextPage ? 'more' : 'none' })
      this.#grow(timeline, this.#merge(timeline.get().messages, page.docs))
    } catch (refusal) {
      this.#fail(timeline, 'newer', refusal)
    }
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

  forgetGone(): void {
    this.#gone.clear()
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
    for (const message of seen.what) this.#recalled.add(message)
    timeline.update({ messages: this.#merge([], seen.what), asOf: seen.at })
  }

  #of(peer: Peer): string {
    return peer === 'all' ? '' : IS_PAIR(this.#me, peer)
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

  #showNewest(timeline: Store<Timeline>, page: List<Message>, before: Set<Message>, replace: boolean): void {
    const { messages, newer, turn, asOf } = timeline.get()
    const first = page.docs.at(-1)?.id ?? 0
    const last = messages.at(-1)?.id ?? 0
    const anew = replace || asOf
    const meets = !anew && messages.length > 0 && last >= first
    // Where all is new nothing counts that was known before: the server may have gone back behind it. Of those that the
    // page covers, the ones it does not hold are gone, but for what came while it was under way.
    const came = (message: Message) => !before.has(message) && !this.#recalled.has(message)
    const newest = page.docs[0]?.id ?? 0
    const held = new Set(page.docs.map(({ id }) => id))
    const stay = (anew ? messages.filter(came) : messages).filter((message) =>
      (meets && ((message.id < first && page.hasNextPage) || message.deleted)) || held.has(message.id) ||
      (message.id > newest && came(message)))
    const older: Edge = meets && messages[0].id < first ? timeline.get().older : page.hasNextPage ? 'more' : 'none'
    timeline.update({ older, newer: 'none', asOf: '', turn: meets && newer === 'none' ? turn : turn + 1 })
    this.#grow(timeline, this.#merge(stay, page.docs))
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

  #fail(timeline: Store<Timeline>, edge: 'older' | 'newer', refusal: unknown): void {
    timeline.update({ [edge]: 'failed', reason: (refusal as Refusal).message })
  }
}

// One who was seen as the sender or the receiver is a person to write to.
export const meetParties = (docs: MessageDoc[]): void => meet(docs.flatMap(({ sender, receiver }) => [sender, receiver]))
