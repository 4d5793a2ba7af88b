// One message: whose it is, its text and files, its time, and what can be done with it.
import { memo, useRef, useState, type PointerEvent, type ReactNode } from 'react'
import { attachmentsOf, type Attachment } from '../attachment'
import { copy } from '../copy'
import { Icon } from '../icons'
import { t } from '../i18n'
import { Later } from '../later'
import { showToast } from '../notices'
import type { Unsent } from '../outbox'
import { nameOf, people } from '../people'
import { useStore } from '../store'
import { clockTime, fileSize, moment } from '../time'
import type { Message } from '../types'
import { Avatar } from './avatar'
import { useChat } from './context'
import { Menu, type Choice } from './menu'
import { MessageText } from './text'

const PICTURE_PX = 320 // at most, either way
const PRESS_MS = 500

// Its room is kept before it is there.
function Picture({ file, open }: { file: Attachment; open: () => void }) {
  const { width, height } = file.picture ?? { width: 4, height: 3 }
  const scale = Math.min(1, PICTURE_PX / width, PICTURE_PX / height)
  return (
    <button type="button" className="picture" aria-label={t('picture.open', { name: file.name })} onClick={open}>
      <img src={file.path} alt={file.name} loading="lazy" decoding="async"
        style={{ width: Math.max(48, Math.round(width * scale)), aspectRatio: `${width} / ${height}` }} />
    </button>
  )
}

function Files({ files }: { files: Attachment[] }) {
  const [shown, setShown] = useState<number | null>(null)
  const pictures = files.filter(({ picture }) => picture)
  const cards = files.map((file) => {
    if (file.picture) return <Picture key={file.path} file={file} open={() => setShown(pictures.indexOf(file))} />
    return (
      <a key={file.path} className="file" href={file.path} download={file.name}>
        <Icon name="file" /><span><bdi>{file.name}</bdi> {file.bytes > 0 && <small className="hint">{fileSize(file.bytes)}</small>}</span>
      </a>
    )
  })
  return (
    <div className="files">
      {cards}
      {shown !== null && <Later part="Viewer" pictures={pictures} start={shown} close={() => setShown(null)} />}
    </div>
  )
}

function Content({ content }: { content: string }) {
  const { files, text } = attachmentsOf(content)
  return (
    <>
      {files.length > 0 && <Files files={files} />}
      {text && <MessageText text={text} />}
    </>
  )
}

interface RowProps {
  message: Message
  mine: boolean
  first: boolean // of those that its sender wrote without a break
  everyone: boolean // people are named
  seen: boolean // the last one that the other has read
  lit: boolean // it was looked for
  tabbable: boolean // its menu is the one that the tab key reaches
  language: string // it is drawn in
}

function Heading({ message }: { message: Message }) {
  const all = useStore(people)
  const { me } = useChat()
  const name = (id: number) => (id === me ? t('you') : nameOf(all, id))
  return (
    <>
      <Avatar id={message.sender} name={nameOf(all, message.sender)} />
      <p className="heading"><b><bdi>{name(message.sender)}</bdi></b> <Icon name="send" size={13} /><span className="unseen">{t('to')}</span> <bdi>{name(message.receiver)}</bdi></p>
    </>
  )
}

export const Row = memo(function Row({ message, mine, first, everyone, seen, lit, tabbable }: RowProps) {
  const chat = useChat()
  const editing = useStore(chat.editing, (id) => id === message.id)
  const [asking, setAsking] = useState(false)
  const press = useLongPress()
  const edited = message.updatedAt > message.createdAt
  const choices = (): Choice[] => {
    const copying = { label: t('copy'), act: () => void copy(message.content).then((done) => done && showToast(t('copied'))) }
    const own: Choice[] = [
      { label: t('edit'), act: () => chat.editing.set(message.id) },
      { label: t('delete'), danger: true, act: () => setAsking(true) },
    ]
    return mine ? [copying, ...own] : [copying]
  }
  const remove = () => {
    // What had the focus goes with the row, unless one has gone on elsewhere.
    const log = document.querySelector<HTMLElement>('.scroller')
    const goOn = () => { if (document.activeElement?.matches(`body, [data-id="${message.id}"] *`)) log?.focus() }
    chat.remove(message.id).then(goOn, (refusal) => showToast(refusal.message))
  }
  const bubble: ReactNode = editing
    ? <Later part="Editor" message={message} close={() => chat.editing.set(0)} />
    : (
      <div className="bubble" tabIndex={-1} {...press}>
        <Content content={message.content} />
        <span className="meta">
          {edited && <span>{t('message.edited')} </span>}
          <time dateTime={message.createdAt} title={moment(message.createdAt)}>{clockTime(message.createdAt)}</time>
        </span>
      </div>
    )
  const classes = ['row', mine && 'mine', first && 'first', everyone && 'named', lit && 'lit'].filter(Boolean).join(' ')
  return (
    <li className={classes} data-id={message.id} aria-live={mine ? 'off' : undefined}>
      {everyone && first && <Heading message={message} />}
      <span className="unseen">{mine ? t('you') : <Name id={message.sender} />}: </span>
      {bubble}
      <Menu label={t('message.menu')} icon="more" choices={choices} tabbable={tabbable} className="tools" />
      {seen && <p className="under">{t('message.seen')}</p>}
      {asking && <Later part="Question" title={t('delete.title')} text={t('delete.text')} button={t('delete')} act={remove} close={() => setAsking(false)} />}
    </li>
  )
})

// A finger that stays opens the menu; on a link it does what the browser makes of it.
function useLongPress() {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const stop = () => clearTimeout(timer.current)
  const onPointerDown = ({ pointerType, target, currentTarget }: PointerEvent<HTMLElement>) => {
    if (pointerType !== 'touch' || (target as Element).closest('a')) return
    const open = () => currentTarget.parentElement?.querySelector<HTMLElement>('.tools button')?.click()
    timer.current = setTimeout(open, PRESS_MS)
  }
  return { onPointerDown, onPointerUp: stop, onPointerCancel: stop }
}

function Name({ id }: { id: number }) {
  return <>{nameOf(useStore(people), id)}</>
}

// A message that is not stored yet.
export function UnsentRow({ item, first }: { item: Unsent; first: boolean }) {
  const chat = useChat()
  const failed = item.state === 'failed'
  return (
    <li className={`row mine unsent ${item.state}${first ? ' first' : ''}`} data-id={item.key} aria-live="off">
      <span className="unseen">{t('you')}: </span>
      <div className="bubble">
        <Content content={item.content} />
        <span className="meta">
          {!failed && <span className="late"><Icon name="clock" size={13} /> {item.state === 'sending' ? t('message.sending') : t('message.waiting')}</span>}
        </span>
      </div>
      {failed && (
        <p className="under" role="alert">
          <Icon name="warn" size={15} /> {t('message.failed')} {item.reason}{' '}
          <button type="button" className="link" onClick={() => chat.outbox.retry(item.key)}>{t('retry')}</button>{' '}
          <button type="button" className="link" onClick={() => chat.outbox.drop(item.key)}>{t('delete')}</button>
        </p>
      )}
    </li>
  )
}
