// One conversation: its messages, and what is written to it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import type { Conversation } from '../conversations'
import type { Timeline } from '../feed'
import { Icon } from '../icons'
import { speech, t } from '../i18n'
import { say } from '../notices'
import type { Unsent } from '../outbox'
import { emailOf, nameOf, people } from '../people'
import { leave, openThread } from '../route'
import { session } from '../session'
import { online, typing, useLastSeen } from '../signals'
import { useStore } from '../store'
import { dayKey, dayName, lastSeen } from '../time'
import type { Message, Peer } from '../types'
import { useAnchor } from './anchor'
import { Avatar, SignAvatar } from './avatar'
import { Composer } from './composer'
import { ConnectionBar, ConnectionSign } from './connection'
import { useChat } from './context'
import { isNarrow } from './layout'
import { Row, UnsentRow } from './row'

const TOGETHER_MS = 5 * 60_000 // messages of one sender closer than this stand together
const AHEAD_PX = 600 // from an end of what is known: the next page is read
const SEEN_MS = 1_000 // a message has been read that was in sight for as long
const QUIET_MS = 1_000 // in which browsers decide what of a change is read out
const WATCHED = ['focus', 'blur', 'visibilitychange'] // the last one reaches the window too
const LIT_MS = 2_000
const FAR = 30 // unread messages, of which the first would not be in the newest page

const areTogether = (a: Message, b: Message) =>
  a.sender === b.sender && a.receiver === b.receiver && Date.parse(b.createdAt) - Date.parse(a.createdAt) < TOGETHER_MS

interface RowsProps {
  timeline: Timeline
  unsent: Unsent[]
  everyone: boolean
  unreadFrom: number // the first unread message; 0: none
  peerRead: number
  lit: number
}

function Rows({ timeline, unsent, everyone, unreadFrom, peerRead, lit }: RowsProps) {
  const { me, editing } = useChat()
  const edited = useStore(editing)
  const { language } = speech.get()
  const { messages } = timeline
  const rows: ReactNode[] = []
  const kept = messages.filter(({ deleted }) => !deleted)
  const own = kept.filter(({ sender, id }) => sender === me && id <= peerRead)
  const seen = everyone ? null : own.at(-1)
  const last = kept.at(-1)
  let gone = 0 // messages in a row that are deleted: where they stood is shown to those who had them in the page
  messages.forEach((message, at) => {
    const before = messages[at - 1]
    const newDay = !before || dayKey(before.createdAt) !== dayKey(message.createdAt)
    if (newDay) rows.push(<li key={`day ${message.id}`} className="day"><span>{dayName(message.createdAt)}</span></li>)
    if (message.id === unreadFrom) rows.push(<li key="new" className="new"><span>{t('thread.new')}</span></li>)
    // What somebody is changing is still theirs.
    if (message.deleted && message.id !== edited) {
      if (newDay || message.id === unreadFrom) gone = 0
      if (gone++) rows.pop()
      rows.push(<li key={message.id} className="deleted" data-id={message.id}>{t('message.deleted', { n: gone })}</li>)
      return
    }
    const first = newDay || message.id === unreadFrom || gone > 0 || !areTogether(before, message)
    gone = 0
    rows.push(
      <Row key={message.id} message={message} mine={message.sender === me} first={first} everyone={everyone}
        seen={message === seen} lit={message.id === lit} tabbable={message === last} language={language} />,
    )
  })
  unsent.forEach((item, at) => {
    rows.push(<UnsentRow key={item.key} item={item} first={at === 0 && last?.sender !== me} />)
  })
  return <ol>{rows}</ol>
}

function Start({ timeline, peer, retry }: { timeline: Timeline; peer: Peer; retry: () => void }) {
  const all = useStore(people)
  const { me } = useChat()
  const { messages, older, reason } = timeline
  if (older === 'reading' || (older === 'more' && messages.length === 0)) return <p className="start spin" role="status"><span className="unseen">{t('loading')}</span></p>
  if (older === 'failed') {
    return <p className="start" role="alert">{t('thread.unread')} {reason} <button type="button" className="link" onClick={retry}>{t('retry')}</button></p>
  }
  if (older === 'more') return <p className="start" />
  if (peer === 'all') return <p className="start">{messages.length ? t('thread.start') : t('thread.emptyAll')}</p>
  if (peer === me) return <p className="start">{t('self.hint')}</p>
  const name = nameOf(all, peer)
  return (
    <div className="start">
      <Avatar id={peer} name={name} />
      <p><b><bdi>{name}</bdi></b></p>
      <p>{messages.length ? t('thread.start') : t('thread.empty', { name })}</p>
    </div>
  )
}

function Header({ peer }: { peer: Peer }) {
  const all = useStore(people)
  const { me } = useChat()
  const narrow = useStore(isNarrow)
  const present = useStore(online, (ids) => ids.has(Number(peer)))
  const writing = useStore(typing, (ids) => ids.has(Number(peer)))
  const seen = useLastSeen(peer === me ? 'all' : peer)
  const name = peer === 'all' ? t('everyone.name') : peer === me ? t('self.name') : nameOf(all, peer)
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => { if (writing) say(t('typing', { name })) }, [writing])
  // Where there is no room for a list nothing else is left of what had the focus; writing would open a keyboard.
  useLayoutEffect(() => { if (narrow) title.current?.focus() }, [])
  const about = peer === 'all' ? t('everyone.about') : peer === me ? t('self.hint')
    : writing ? t('typing', { name }) : present ? t('presence.online') : seen ? lastSeen(seen) : emailOf(all, peer)
  return (
    <header className="top">
      {narrow && <button type="button" className="sign flips" aria-label={t('back')} onClick={leave}><Icon name="back" /></button>}
      {peer === 'all' || peer === me ? <SignAvatar sign={peer === 'all' ? 'everyone' : 'note'} /> : <Avatar id={peer} name={name} online={present} />}
      <div>
        <h1 ref={title} tabIndex={-1}><bdi>{name}</bdi></h1>
        <p className={writing ? 'writing' : ''}><bdi>{about}</bdi></p>
      </div>
      {narrow && <ConnectionSign />}
    </header>
  )
}

// The first message that was unread when the thread was opened, kept until one leaves; -1: it lies before what is known.
function useUnreadLine(peer: Peer, { messages, older }: Timeline, known: boolean): number {
  const { talks, me } = useChat()
  const left = useRef<Conversation | null>(null) // where one left off, once that is known
  const line = useRef(0)
  if (known && peer !== 'all') left.current ??= talks.of(peer)
  if (!line.current && left.current?.unread) {
    const { read, unread } = left.current
    const news = messages.filter(({ id, sender, deleted }) => id > read && sender !== me && !deleted)
    if (older === 'none' || messages[0]?.id <= read || news.length >= unread) line.current = news[0]?.id ?? 0
    else if (older === 'more' && messages.length) return -1
  }
  return line.current
}

// The messages in sight: those of which half is, or that take half of the room.
function inSight(scroller: HTMLElement): number[] {
  const box = scroller.getBoundingClientRect()
  const rows = [...scroller.querySelectorAll<HTMLElement>('.row:not(.unsent)')].filter((row) => {
    const { top, bottom, height } = row.getBoundingClientRect()
    return Math.min(bottom, box.bottom) - Math.max(top, box.top) >= Math.min(height, box.height) / 2
  })
  return rows.map(({ dataset }) => Number(dataset.id))
}

// Tells the server how far one has read: up to the last message that was in sight, and stayed there for a while.
function useReading(peer: Peer, timeline: Timeline, scroller: React.RefObject<HTMLElement | null>) {
  const chat = useChat()
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const stop = () => {
    clearTimeout(timer.current)
    timer.current = undefined
  }
  const look = () => {
    const box = scroller.current
    if (timer.current || !box || peer === 'all' || peer === chat.me || document.hidden || !document.hasFocus()) return
    const before = inSight(box)
    timer.current = setTimeout(() => {
      stop()
      const now = inSight(box)
      const seen = Math.max(0, ...now.filter((id) => before.includes(id)))
      if (seen && !chat.live.resting) chat.talks.markRead(peer, seen).catch(() => {})
      if (now.some((id) => !before.includes(id))) look()
    }, SEEN_MS)
  }
  useEffect(look, [peer, timeline.messages])
  useEffect(() => {
    const watch = () => {
      stop()
      look()
    }
    for (const name of WATCHED) addEventListener(name, watch)
    return () => {
      stop()
      for (const name of WATCHED) removeEventListener(name, watch)
    }
  }, [peer])
  return look
}

// Pages that are read are no news: nothing of them is read out. That is decided a moment after they were drawn.
function useQuiet(reading: boolean): boolean {
  const [quiet, setQuiet] = useState(true)
  useEffect(() => {
    if (reading) return setQuiet(true)
    const timer = setTimeout(() => setQuiet(false), QUIET_MS)
    return () => clearTimeout(timer)
  }, [reading])
  return quiet || reading
}

export function Thread({ peer, message }: { peer: Peer; message: number }) {
  const chat = useChat()
  const store = useMemo(() => chat.feed.open(peer), [peer])
  const timeline = useStore(store)
  const known = useStore(chat.talks.store, ({ state }) => state !== 'reading')
  const talk = useStore(chat.talks.store, ({ byPeer }) => byPeer.get(Number(peer)))
  const outbox = useStore(chat.outbox.store)
  const unsent = outbox.filter(({ to }) => peer === 'all' || to === peer)
  const scroller = useRef<HTMLDivElement>(null)
  const [lit, setLit] = useState(0)
  const [passed, setPassed] = useState(0) // the newest message that was there when one was at the end
  const { messages, older, newer, turn } = timeline
  const newest = messages.at(-1)?.id ?? 0

  // Before it is painted: what has been read may be what waits for its answer.
  useLayoutEffect(() => chat.outbox.settle(messages), [messages])
  const unreadFrom = useUnreadLine(peer, timeline, known)
  const look = useReading(peer, timeline, scroller)
  const quiet = useQuiet(older === 'reading' || newer === 'reading' || (older === 'more' && !newest))
  const readMore = () => {
    const box = scroller.current
    if (!box) return
    const above = box.scrollHeight - box.clientHeight + box.scrollTop
    const edges = store.get()
    if (above < AHEAD_PX && edges.older === 'more' && edges.messages.length) void chat.feed.readOlder(peer)
    if (-box.scrollTop < AHEAD_PX && edges.newer === 'more') void chat.feed.readNewer(peer)
  }
  const anchor = useAnchor(scroller, () => { readMore(); look() })

  // Once for each thing that is looked for: around it; else where one left off, which is known with the conversations:
  // at the first unread message, and at the end until then.
  const led = useRef(-1) // to which message, 0: to none; -1: nowhere yet
  const sought = useRef(false) // not a second time: what is read around it may hold nothing unread
  useLayoutEffect(() => {
    const far = unreadFrom < 0 || (talk && talk.unread > FAR && !newest)
    const back = known && !message && !sought.current && talk && far ? talk.read || 1 : 0 // 1: nothing was read
    if (back || (message && message !== led.current)) {
      sought.current = true
      void chat.feed.readAround(peer, back || message)
    } else if (led.current < 0) void chat.feed.readNewest(peer, store.get().newer !== 'none')
    led.current = message
  }, [message, known, unreadFrom < 0])

  const placed = useRef(-1) // twice the turn, and 1 more where the first unread message was known
  const recalled = useRef(false)
  useLayoutEffect(() => {
    const was = placed.current
    placed.current = newest ? turn * 2 + Number(unreadFrom > 0) : -1
    if (!newest || placed.current === was) return
    const before = recalled.current || was >> 1 === turn // it was not known where one left off, or what is there by now
    recalled.current = !!timeline.asOf
    // Whoever has begun to read meanwhile goes on there.
    if (before && !anchor.atEnd) return
    if (message && messages.some(({ id }) => id === message)) {
      anchor.show(message, 'center')
      setLit(message)
      setTimeout(() => setLit(0), LIT_MS)
    } else if (unreadFrom > 0 && (before || was < 0)) anchor.show(unreadFrom, 'start')
    else if (!message) (store.get().newer === 'more' ? toNewest : anchor.toEnd)() // more: nothing near where one left off is unread
  })
  useEffect(readMore, [messages, older, newer])
  useEffect(() => { chat.feed.away = anchor.atEnd ? null : peer }, [anchor.atEnd])
  useEffect(() => { if (anchor.atEnd && newer === 'none') setPassed(newest) }, [anchor.atEnd, newest, newer])

  const below = ({ id, sender, deleted }: Message) => id > passed && sender !== chat.me && !deleted
  // Beyond what is known here the server has counted.
  const unseen = newer === 'none' ? messages.filter(below).length : talk?.unread ?? 0
  const toNewest = () => {
    if (message) openThread(peer)
    if (newer !== 'none') void chat.feed.readNewest(peer, true)
    anchor.toEnd()
  }
  // Up and down among the messages' menus; End to the newest.
  const onKeyDown = (event: KeyboardEvent) => {
    const from = (event.target as HTMLElement).closest('.tools')?.closest('.row')
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (event.key === 'End') toNewest()
    else if (!step || !from) return
    else {
      const rows = [...(scroller.current?.querySelectorAll('.row') ?? [])]
      rows[rows.indexOf(from) + step]?.querySelector<HTMLElement>('.tools button')?.focus()
    }
    event.preventDefault()
  }
  const editLast = () => {
    const own = messages.filter(({ sender, deleted }) => sender === chat.me && !deleted)
    chat.editing.set(own.at(-1)?.id ?? 0)
  }
  return (
    <main className="thread">
      <Header peer={peer} />
      <ConnectionBar asOf={timeline.asOf} />
      <div className="middle">
        <div className="scroller" ref={scroller} role="log" aria-label={t('thread.messages')} tabIndex={0}
          aria-live={quiet ? 'off' : 'polite'} aria-relevant="additions" onScroll={anchor.onScroll} onKeyDown={onKeyDown}>
          <div className="sheet">
            <Start timeline={timeline} peer={peer} retry={() => void chat.feed.readOlder(peer)} />
            <Rows timeline={timeline} unsent={unsent} everyone={peer === 'all'} unreadFrom={unreadFrom}
              peerRead={talk?.peerRead ?? 0} lit={lit} />
            {newer === 'reading' && newest > 0 && <p className="start spin" role="status"><span className="unseen">{t('loading')}</span></p>}
            {newer === 'failed' && <p className="start" role="alert">{timeline.reason} <button type="button" className="link" onClick={() => void chat.feed.readNewer(peer)}>{t('retry')}</button></p>}
          </div>
        </div>
        {(!anchor.atEnd || newer !== 'none') && (
          <button type="button" className="news" data-new={unseen > 0 || undefined} onClick={toNewest}
            aria-label={unseen ? undefined : t('thread.toNewest')} title={t('thread.toNewest')}>
            {unseen > 0 && <span>{t('thread.unseen', { n: unseen })}</span>}<Icon name="down" size={18} />
          </button>
        )}
      </div>
      <Composer peer={peer} sent={toNewest} editLast={editLast} />
    </main>
  )
}

// Nothing is chosen, and there is room for it.
export function Nothing() {
  const me = useStore(session, (all) => all.me)
  return (
    <main className="thread nothing">
      <img src="icon.svg" alt="" width="56" height="56" />
      <h1>{t('nothing.title')}</h1>
      <p className="hint">{t('settings.me')} <bdi>{me?.email}</bdi></p>
    </main>
  )
}
