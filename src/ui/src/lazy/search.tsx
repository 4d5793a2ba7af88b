// Looking for people and for what was said.
import { useEffect, useRef, useState } from 'react'
import { call, type Refusal } from '../api'
import { t } from '../i18n'
import { findPeople, nameOf, people } from '../people'
import { preview } from '../preview'
import { openThread } from '../route'
import { session } from '../session'
import { useStore } from '../store'
import { briefTime } from '../time'
import { messageOf, peerOf, type List, type Message, type MessageDoc, type Peer, type User } from '../types'
import { Avatar } from '../views/avatar'
import { useChat } from '../views/context'
import { Dialog } from '../views/dialog'

const PAUSE_MS = 250
const PAGE = 20
const AROUND = 60 // characters before the first hit

interface Found {
  text: string
  users: User[]
  messages: Message[]
  more: boolean
}

const NOTHING: Found = { text: '', users: [], messages: [], more: false }

// `open`: messages between others are looked through too.
async function findMessages(text: string, me: number, open: boolean, before: number): Promise<{ docs: Message[]; more: boolean }> {
  const where = new URLSearchParams({ 'where[and][0][content][contains]': text })
  if (before) where.set('where[and][1][id][less_than]', String(before))
  if (!open) {
    where.set('where[and][2][or][0][sender][equals]', String(me))
    where.set('where[and][2][or][1][receiver][equals]', String(me))
  }
  const { docs, hasNextPage } = await call<List<MessageDoc>>('GET', `messages?depth=0&sort=-id&limit=${PAGE}&${where}`)
  return { docs: docs.map(messageOf), more: hasNextPage }
}

// The text around its first hit, the hits marked.
function Snippet({ message, text }: { message: Message; text: string }) {
  const line = preview(message).includes(text) ? preview(message) : message.content.replace(/\s+/g, ' ')
  const first = line.toLowerCase().indexOf(text.toLowerCase())
  const start = Math.max(0, first - AROUND)
  const end = first < 0 ? AROUND : first + text.length
  return (
    <span className="line" dir="auto">
      {start > 0 && '…'}{first > 0 && line.slice(start, first)}
      {first >= 0 && <mark>{line.slice(first, end)}</mark>}{line.slice(Math.max(0, first < 0 ? 0 : end), end + 2 * AROUND)}
    </span>
  )
}

export default function Search({ close }: { close: () => void }) {
  const { me } = useChat()
  const all = useStore(people)
  const open = useStore(session, ({ config }) => config.messages === 'open')
  const [text, setText] = useState('')
  const [found, setFound] = useState(NOTHING)
  const [state, setState] = useState<'' | 'busy' | 'failed'>('')
  const [reason, setReason] = useState('')
  const asked = useRef(0)
  const wanted = text.trim()

  const look = async (more: boolean) => {
    const turn = ++asked.current
    setState('busy')
    try {
      const before = more ? found.messages.at(-1)?.id ?? 0 : 0
      const [users, page] = await Promise.all([more ? found.users : findPeople(wanted), findMessages(wanted, me, open, before)])
      if (turn !== asked.current) return
      setFound({ text: wanted, users, messages: more ? [...found.messages, ...page.docs] : page.docs, more: page.more })
      setState('')
    } catch (refusal) {
      if (turn !== asked.current) return
      setReason((refusal as Refusal).message)
      setState('failed')
    }
  }
  useEffect(() => {
    asked.current++
    if (!wanted) return setFound(NOTHING)
    const timer = setTimeout(() => void look(false), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [wanted])

  // More are read as one comes to the end of them; after a failure only when asked.
  const end = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!end.current || state) return
    const observer = new IntersectionObserver(([{ isIntersecting }]) => { if (isIntersecting) void look(true) })
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [found, state])

  const go = (peer: Peer, message = 0) => {
    close()
    openThread(peer, message)
  }
  const none = wanted && found.text === wanted && state === '' && found.users.length + found.messages.length === 0
  return (
    <Dialog title={t('search.title')} close={close} className="search">
      <input type="search" data-first placeholder={t('search.placeholder')} aria-label={t('search.placeholder')} value={text}
        onChange={(event) => setText(event.target.value)} />
      <div className="found" aria-busy={state === 'busy'}>
        {found.users.length > 0 && <h3>{t('search.people')}</h3>}
        <ul>
          {found.users.map((user) => (
            <li key={user.id}>
              <button type="button" className="talk" onClick={() => go(user.id)}>
                <Avatar id={user.id} name={nameOf(all, user.id)} />
                <span className="name"><bdi>{user.id === me ? t('self.name') : nameOf(all, user.id)}</bdi></span>
                <span className="line" dir="auto">{user.email}</span>
              </button>
            </li>
          ))}
        </ul>
        {found.messages.length > 0 && <h3>{t('thread.messages')}</h3>}
        <ul>
          {found.messages.map((message) => {
            const peer = peerOf(message, me) ?? 'all'
            const name = (id: number) => (id === me ? t('you') : nameOf(all, id))
            return (
              <li key={message.id}>
                <button type="button" className="talk" onClick={() => go(peer, message.id)}>
                  <Avatar id={message.sender} name={nameOf(all, message.sender)} />
                  <span className="name"><bdi>{t('search.between', { from: name(message.sender), to: name(message.receiver) })}</bdi></span>
                  <time dateTime={message.createdAt}>{briefTime(message.createdAt)}</time>
                  <Snippet message={message} text={found.text} />
                </button>
              </li>
            )
          })}
        </ul>
        {found.more && <button ref={end} type="button" className="quiet" disabled={state === 'busy'} onClick={() => void look(true)}>{t('search.more')}</button>}
        {state === 'failed' && <p className="flaw" role="alert">{reason} <button type="button" className="link" onClick={() => void look(found.text === wanted)}>{t('retry')}</button></p>}
        <p className="hint" role="status">{none && t('search.none', { text: wanted })}</p>
      </div>
    </Dialog>
  )
}
