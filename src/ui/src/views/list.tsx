// The people and what was last said with each.
import { memo, useEffect, useMemo, useRef, useState } from 'react'
import { order } from '../conversations'
import { Icon } from '../icons'
import { speech, t } from '../i18n'
import { emailOf, findPeople, nameOf, people, readPeople } from '../people'
import { preview } from '../preview'
import { hashOf } from '../route'
import { session } from '../session'
import { online, typing } from '../signals'
import { useStore } from '../store'
import { briefTime } from '../time'
import type { Message, Peer } from '../types'
import { Avatar, SignAvatar } from './avatar'
import { ConnectionBar, ConnectionSign } from './connection'
import { useChat } from './context'
import { isNarrow } from './layout'

const PAUSE_MS = 250
const SKELETON = [0, 1, 2, 3, 4, 5]

interface RowProps {
  peer: Peer
  name: string
  kind: 'person' | 'everyone' | 'self'
  current: boolean
  last?: Message | null
  mine?: boolean
  unread?: number
  draft?: string
  present?: boolean
  writing?: boolean
  language?: string // it is drawn in
}

function lineOf({ last, mine, draft, writing, kind }: RowProps): string {
  if (writing) return t('typing.short')
  if (draft) return draft
  if (!last) return kind === 'self' ? t('self.hint') : ''
  return mine && kind === 'person' ? t('preview.mine', { text: preview(last) }) : preview(last)
}

const Row = memo(function Row(props: RowProps) {
  const { peer, name, kind, last, unread = 0, draft, current, present, writing } = props
  const line = lineOf(props)
  return (
    <li>
      <a href={hashOf(peer)} className={line ? 'talk' : 'talk bare'} data-peer={peer}
        aria-current={current ? 'page' : undefined}>
        {kind === 'person' ? <Avatar id={Number(peer)} name={name} online={present} />
          : <SignAvatar sign={kind === 'self' ? 'note' : 'everyone'} />}
        <span className="name">
          <bdi>{name}</bdi>
          <span className="unseen">{present && `, ${t('presence.online')}`}{unread > 0 && `, ${t('list.unread', { n: unread })}`}</span>
        </span>
        {last && <time dateTime={last.createdAt}>{briefTime(last.createdAt)}</time>}
        {line && (
          <span className={`line${writing ? ' writing' : ''}`} dir="auto">
            {draft && !writing ? <><em>{t('list.draft')}</em> <bdi>{line}</bdi></> : line}
          </span>
        )}
        {unread > 0 && <span className="count" aria-hidden="true">{unread > 99 ? '99+' : unread}</span>}
      </a>
    </li>
  )
})

const fits = (text: string, ...names: string[]) => names.some((name) => name.toLocaleLowerCase().includes(text.toLocaleLowerCase()))

function Empty({ add }: { add: () => void }) {
  return (
    <div className="empty">
      <p>{t('list.alone')}</p>
      <button type="button" className="primary" onClick={add}>{t('person.add')}</button>
    </div>
  )
}

function Rows({ filter, current, add }: { filter: string; current: Peer | null; add: () => void }) {
  const chat = useChat()
  const all = useStore(people)
  const { state, reason, byPeer } = useStore(chat.talks.store)
  // What is written in the open one changes with each key, and is not shown.
  useStore(chat.drafts.store, (drafts) => [...drafts].filter(([peer]) => peer !== current).join())
  const present = useStore(online)
  const writing = useStore(typing)
  const open = useStore(session, ({ config }) => config.messages === 'open')
  const away = useStore(session, (now) => now.state === 'away') // which is told above the list
  // More people than are known: the server looks too.
  const [answered, setAnswered] = useState({ filter: '', reason: '' })
  const asks = filter !== '' && all.total > all.byId.size
  const wanted = useRef('')
  wanted.current = filter
  // Of an answer that comes late, behind another's, nothing is said.
  const look = () => findPeople(filter).then(() => '', ({ message }) => message)
    .then((reason) => { if (wanted.current === filter) setAnswered({ filter, reason }) })
  useEffect(() => {
    if (!asks) return
    const timer = setTimeout(look, PAUSE_MS)
    return () => clearTimeout(timer)
  }, [filter])
  const retry = () => { void chat.talks.read(); void readPeople().catch(() => {}) }
  const [flaw, again] = state === 'failed' && !away ? [reason, retry] : [answered.filter === filter ? answered.reason : '', look]
  const { language } = speech.get()
  const ids = useMemo(() => order(all, byPeer, chat.me), [all, byPeer])
  if (state === 'failed' && byPeer.size === 0) {
    return <div className="empty"><p role="alert">{reason}</p><button type="button" className="primary" onClick={retry}>{t('retry')}</button></div>
  }
  if (state === 'reading' && all.byId.size === 0) {
    return <ol className="talks" aria-busy="true" aria-label={t('loading')}>{SKELETON.map((n) => <li key={n} className="skeleton" />)}</ol>
  }
  const shown = ids.filter((id) => !filter || fits(filter, nameOf(all, id), emailOf(all, id), id === chat.me ? t('self.name') : ''))
  const everyone = open && (!filter || fits(filter, t('everyone.name')))
  return (
    <>
      <ol className="talks" aria-busy={state === 'reading'}>
        {everyone && (
          <Row key="all" peer="all" name={t('everyone.name')} kind="everyone" current={current === 'all'} />
        )}
        {shown.map((id) => {
          const talk = byPeer.get(id)
          return (
            <Row key={id} peer={id} name={id === chat.me ? t('self.name') : nameOf(all, id)} kind={id === chat.me ? 'self' : 'person'}
              last={talk?.last} mine={talk?.last?.sender === chat.me} unread={id === chat.me ? 0 : talk?.unread}
              draft={current === id ? '' : chat.drafts.of(id)} current={current === id}
              present={id !== chat.me && present.has(id)} writing={writing.has(id)} language={language} />
          )
        })}
      </ol>
      {flaw && <p className="empty" role="alert">{flaw} <button type="button" className="link" onClick={again}>{t('retry')}</button></p>}
      {filter && shown.length === 0 && !everyone && !flaw && (!asks || answered.filter === filter) && (
        <p className="empty" role="status">{t('search.none', { text: filter })}</p>
      )}
      {!filter && all.total === 1 && all.byId.size === 1 && <Empty add={add} />}
    </>
  )
}

interface ListProps {
  current: Peer | null
  search: () => void
  add: () => void
  settings: () => void
}

export function TalkList({ current, search, add, settings }: ListProps) {
  const [filter, setFilter] = useState('')
  const narrow = useStore(isNarrow)
  const asOf = useStore(useChat().talks.store, (talks) => talks.asOf)
  const Frame = narrow ? 'main' : 'nav'
  const Title = narrow ? 'h1' : 'h2'
  return (
    <Frame className="side" aria-label={narrow ? undefined : t('list.title')}>
      <header>
        <Title><img src="icon.svg" alt="" width="26" height="26" />Parley</Title>
        <ConnectionSign />
        <button type="button" className="sign" aria-label={t('search.title')} title={t('search.title')} onClick={search}><Icon name="search" /></button>
        <button type="button" className="sign" aria-label={t('person.add')} title={t('person.add')} onClick={add}><Icon name="add" /></button>
        <button type="button" className="sign" aria-label={t('settings.title')} title={t('settings.title')} onClick={settings}><Icon name="settings" /></button>
      </header>
      {current === null && <ConnectionBar asOf={asOf} />}
      <input className="filter" type="search" placeholder={t('list.filter')} aria-label={t('list.filter')} value={filter}
        onChange={(event) => setFilter(event.target.value)} />
      <div className="scrolled" tabIndex={-1}><Rows filter={filter.trim()} current={current} add={add} /></div>
    </Frame>
  )
}
