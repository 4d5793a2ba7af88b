// Changing a message that was sent.
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { t } from '../i18n'
import { session } from '../session'
import { enterSends } from '../settings'
import { useStore } from '../store'
import type { Message } from '../types'
import { useChat } from '../views/context'
import { useAsTall } from '../views/layout'

export default function Editor({ message, close }: { message: Message; close: () => void }) {
  const chat = useChat()
  const most = useStore(session, ({ config }) => config.maxContent)
  const [before] = useState(message)
  const [text, setText] = useState(message.content)
  const [reason, setReason] = useState('')
  const [busy, setBusy] = useState(false)
  const box = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => {
    const area = box.current
    area?.focus()
    area?.setSelectionRange(area.value.length, area.value.length)
    return () => document.getElementById('composer')?.focus()
  }, [])
  useAsTall(box, [text])
  const save = async () => {
    if (text === before.content) return close()
    if (message.deleted || !text.trim() || text.length > most) return
    setBusy(true)
    try {
      await chat.edit(message.id, text)
      close()
    } catch (refusal) {
      setReason((refusal as Error).message)
      setBusy(false)
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Escape') close()
    else if (event.key === 'Enter' && !event.shiftKey && (enterSends() || event.ctrlKey || event.metaKey)) void save()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  // Somebody else changed or deleted it in the meantime: both are shown, and what one wrote is kept.
  const changed = message.content !== before.content && message.content !== text
  return (
    <form className="editor" onSubmit={(event) => { event.preventDefault(); void save() }}>
      {changed && (
        <div className="flaw" role="status">
          {message.deleted ? t('message.deleted', { n: 1 }) : <>{t('edit.changed')}<blockquote>{message.content}</blockquote></>}
        </div>
      )}
      <textarea ref={box} rows={1} value={text} dir="auto" aria-label={t('edit.label')} onKeyDown={onKeyDown}
        onChange={(event) => setText(event.target.value)} />
      {reason && <p className="flaw" role="alert">{reason}</p>}
      <p className="buttons">
        <button type="button" className="quiet" onClick={close}>{t('cancel')}</button>
        <button type="submit" className="primary" disabled={busy || message.deleted || !text.trim() || text.length > most}>{t('save')}</button>
      </p>
    </form>
  )
}
