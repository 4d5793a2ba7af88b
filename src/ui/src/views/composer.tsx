// Where one writes: the draft, the files that go with it, and how long it may be.
import { useEffect, useLayoutEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent } from 'react'
import { Icon } from '../icons'
import { t } from '../i18n'
import { Later } from '../later'
import { say } from '../notices'
import { nameOf, people } from '../people'
import { session } from '../session'
import { enterSends, settings } from '../settings'
import { saySent, sayStopped, sayTyping, typing } from '../signals'
import { useStore } from '../store'
import type { Peer } from '../types'
import { useChat } from './context'
import { isNarrow } from './layout'
import { Uploads } from './uploads'

const COUNTED = 0.9 // of what is allowed: from here on the characters left are shown

interface ComposerProps {
  peer: Peer
  sent: () => void
  editLast: () => void
}

// Writing to everyone is writing to one of them.
function Receiver({ value, choose }: { value: number; choose: (id: number) => void }) {
  const all = useStore(people)
  const { me } = useChat()
  const others = [...all.byId.keys()].filter((id) => id !== me).sort((a, b) => nameOf(all, a).localeCompare(nameOf(all, b)))
  return (
    <label className="receiver">
      {t('to')}
      <select value={value} onChange={(event) => choose(Number(event.target.value))}>
        {[...others, me].map((id) => <option key={id} value={id}>{id === me ? t('self.name') : nameOf(all, id)}</option>)}
      </select>
    </label>
  )
}

function Writing({ peer }: { peer: number }) {
  const all = useStore(people)
  const writing = useStore(typing, (ids) => ids.has(peer))
  return <p className="typing" aria-hidden="true">{writing && <><span className="dots"><i /><i /><i /></span> {t('typing', { name: nameOf(all, peer) })}</>}</p>
}

export function Composer({ peer, sent, editLast }: ComposerProps) {
  const chat = useChat()
  const all = useStore(people)
  const maxContent = useStore(session, ({ config }) => config.maxContent)
  const narrow = useStore(isNarrow)
  useStore(settings)
  const [chosen, setChosen] = useState(0)
  const other = [...all.byId.keys()].find((id) => id !== chat.me) ?? chat.me
  const to = peer === 'all' ? chosen || other : peer
  // What is written to everyone is a draft of its own.
  const draftOf = peer === 'all' ? 0 : peer
  const text = useStore(chat.drafts.store, (drafts) => drafts.get(draftOf) ?? '')
  const box = useRef<HTMLTextAreaElement>(null)
  const files = useRef<HTMLInputElement>(null)
  const [uploads] = useState(() => new Uploads())
  const items = useStore(uploads.store)
  const [over, setOver] = useState(false)

  useLayoutEffect(() => {
    const area = box.current
    if (!area) return
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight}px`
  }, [text, narrow])
  useLayoutEffect(() => { if (!matchMedia('(pointer: coarse)').matches && !narrow) box.current?.focus() }, [])
  useEffect(() => () => { if (peer !== 'all') sayStopped(peer) }, [peer])
  useEffect(() => {
    chat.attached = items.length
    return () => { chat.attached = 0 }
  }, [items])

  const left = maxContent - text.length
  const busy = items.some(({ media, reason }) => !media && !reason)
  const ready = (text.trim() !== '' || items.some(({ media }) => media)) && left >= 0 && !busy
  const write = (value: string) => {
    chat.drafts.set(draftOf, value)
    if (peer === 'all' || peer === chat.me) return
    if (value.trim()) sayTyping(peer)
    else sayStopped(peer)
  }
  const send = () => {
    if (!ready) {
      if (busy) say(t('upload.wait'))
      return
    }
    chat.outbox.add(to, [text, ...uploads.take()].filter((part) => part.trim()).join('\n'))
    chat.drafts.set(draftOf, '')
    saySent()
    say(t('message.sent'))
    sent()
    box.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { isComposing, keyCode } = event.nativeEvent
    if (isComposing || keyCode === 229) return // Safari ends the composition before the key comes
    if (event.key === 'ArrowUp' && !text && !event.altKey) {
      event.preventDefault()
      editLast()
    } else if (event.key === 'Enter' && !event.shiftKey && !event.altKey && (enterSends() || event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      send()
    }
  }
  const onPaste = (event: ClipboardEvent) => {
    const pasted = [...(event.clipboardData?.files ?? [])]
    if (pasted.length === 0) return
    event.preventDefault()
    uploads.add(pasted)
  }
  // A file may be dropped anywhere on the thread. Beside it the browser would leave the page for the file.
  useEffect(() => {
    const thread = box.current?.closest('.thread')
    const drag = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      const within = thread?.contains(event.target as Node) ?? false
      setOver(within && event.type === 'dragover')
      if (within && event.type === 'drop') uploads.add([...event.dataTransfer.files])
    }
    addEventListener('dragover', drag)
    addEventListener('drop', drag)
    return () => {
      removeEventListener('dragover', drag)
      removeEventListener('drop', drag)
    }
  }, [])

  return (
    <form className="composer" aria-label={t('composer.placeholder')} onSubmit={(event) => { event.preventDefault(); send() }}>
      {over && (
        <div className="drop" onDragLeave={() => setOver(false)}>
          {t('upload.drop', { name: to === chat.me ? t('self.name') : nameOf(all, to) })}
        </div>
      )}
      {peer === 'all' ? <Receiver value={to} choose={setChosen} /> : peer !== chat.me && <Writing peer={peer} />}
      {items.length > 0 && <Later part="UploadChips" uploads={uploads} close={() => items.forEach(({ id }) => uploads.forget(id))} />}
      <div className="box">
        <button type="button" className="sign" aria-label={t('upload.choose')} title={t('upload.choose')} onClick={() => files.current?.click()}><Icon name="attach" /></button>
        <input ref={files} type="file" multiple hidden aria-label={t('upload.choose')}
          onChange={(event) => { uploads.add([...(event.target.files ?? [])]); event.target.value = '' }} />
        <textarea ref={box} id="composer" rows={1} value={text} placeholder={t('composer.placeholder')} aria-label={t('composer.label')}
          aria-describedby="composer-left" dir="auto" enterKeyHint={enterSends() ? 'send' : 'enter'} autoComplete="off"
          onChange={(event) => write(event.target.value)} onKeyDown={onKeyDown} onPaste={onPaste} />
        <button type="submit" className="sign send" aria-label={t('composer.send')} title={t('composer.send')} disabled={!ready}><Icon name="send" /></button>
      </div>
      <p id="composer-left" className={left < 0 ? 'flaw' : 'hint'} role={left < 0 ? 'alert' : undefined}>
        {left < maxContent * (1 - COUNTED) && (left < 0 ? t('composer.tooLong', { n: -left }) : t('composer.left', { n: left }))}
      </p>
    </form>
  )
}
