// Files on their way to the server, before the message that bears them is sent.
import { useEffect, useLayoutEffect } from 'react'
import { call, type Refusal } from '../api'
import { Icon } from '../icons'
import { t } from '../i18n'
import { session } from '../session'
import { useStore } from '../store'
import { fileSize } from '../time'
import { upload } from '../upload'
import type { Item, Uploads } from '../views/uploads'

const SHOWN = /^image\/(png|jpeg|gif|webp|avif)$/

function start(uploads: Uploads, { id, file, alt }: Item): void {
  const { done, cancel } = upload(file, alt || file.name, (part) => uploads.change(id, { part }))
  uploads.change(id, { cancel, reason: '', part: 0 })
  done.then(
    (media) => uploads.change(id, { media, cancel: null, part: 1 }),
    ({ message, status }: Refusal) => uploads.change(id, { reason: message, again: ![400, 413].includes(status), cancel: null }),
  )
}

function begin(uploads: Uploads, item: Item, most: number): void {
  const { id, file } = item
  if (SHOWN.test(file.type)) uploads.change(id, { url: URL.createObjectURL(file) })
  if (file.size <= most) start(uploads, item)
  else uploads.change(id, { reason: t('upload.tooLarge', { size: fileSize(file.size), most: fileSize(most) }) })
}

function drop(uploads: Uploads, { id, url, media, cancel }: Item): void {
  cancel?.()
  if (url) URL.revokeObjectURL(url)
  if (media) void call('DELETE', `media/${media.id}`).catch(() => {})
  uploads.forget(id)
}

function Chip({ item, uploads }: { item: Item; uploads: Uploads }) {
  const { id, file, url, part, alt, media, reason, again } = item
  return (
    <li className={reason ? 'failed' : ''}>
      {url ? <img src={url} alt="" /> : <span className="avatar sign"><Icon name="file" /></span>}
      <div>
        <p><bdi>{file.name}</bdi> <span className="hint">{fileSize(file.size)}</span></p>
        {reason && <p className="flaw" role="alert">{reason} {again && <button type="button" className="link" onClick={() => start(uploads, item)}>{t('retry')}</button>}</p>}
        {!reason && !media && <progress value={part} max={1} aria-label={t('upload.progress', { name: file.name })} />}
        {media && url && (
          <input value={alt} maxLength={250} placeholder={t('upload.alt')} aria-label={t('upload.altOf', { name: file.name })}
            onChange={(event) => uploads.change(id, { alt: event.target.value })} />
        )}
      </div>
      <button type="button" className="sign" aria-label={t('upload.remove', { name: file.name })} onClick={() => drop(uploads, item)}><Icon name="close" size={18} /></button>
    </li>
  )
}

export default function UploadChips({ uploads }: { uploads: Uploads; close: () => void }) {
  const items = useStore(uploads.store)
  const most = useStore(session, ({ config }) => config.uploadBytes)
  useEffect(() => {
    for (const item of uploads.store.get()) if (!item.cancel && !item.media && !item.reason) begin(uploads, item, most)
  }, [items])
  // One leaves the conversation. (Also when the last one is dropped: at once, or the next one that is chosen would go too.)
  useLayoutEffect(() => () => { for (const item of uploads.store.get()) if (!item.media) drop(uploads, item) }, [])
  return <ul className="chips">{items.map((item) => <Chip key={item.id} item={item} uploads={uploads} />)}</ul>
}
