// Files on their way to the server, before the message that bears them is sent.
import { useEffect, useRef, useState } from 'react'
import { call, upload, type Refusal, type Upload } from '../api'
import { linkOf } from '../attachment'
import { Icon } from '../icons'
import { t } from '../i18n'
import { fileSize } from '../time'
import type { Media } from '../types'

interface Item {
  id: number
  file: File
  url: string // of a picture, to be shown; '': it is none
  part: number // of 1, that has been sent
  alt: string // what stands for a picture
  media: Media | null
  reason: string // why it failed
  again: boolean // another try may do better
  sending: Upload | null
}

export interface Uploads {
  items: readonly Item[]
  ready: readonly Item[]
  busy: boolean
  add: (files: File[]) => void
  change: (id: number, change: Partial<Item>) => void
  retry: (item: Item) => void
  drop: (id: number) => void
  take: () => Promise<string[]> // the links of those that are there; they are the message's from now on
}

const SHOWN = /^image\/(png|jpeg|gif|webp|avif)$/
let ids = 0

export function useUploads(most: number): Uploads {
  const [items, setItems] = useState<readonly Item[]>([])
  const latest = useRef(items)
  latest.current = items
  const put = (next: readonly Item[]) => {
    latest.current = next
    setItems(next)
  }
  const change = (id: number, part: Partial<Item>) =>
    put(latest.current.map((item) => (item.id === id ? { ...item, ...part } : item)))
  const start = (item: Item) => {
    const sending = upload(item.file, item.alt || item.file.name, (part) => change(item.id, { part }))
    change(item.id, { sending, reason: '', part: 0 })
    sending.done.then(
      (media) => change(item.id, { media, sending: null, part: 1 }),
      ({ message, status }: Refusal) => change(item.id, { reason: message, again: ![400, 413].includes(status), sending: null }),
    )
  }
  const add = (files: File[]) => {
    for (const file of files) {
      const url = SHOWN.test(file.type) ? URL.createObjectURL(file) : ''
      const item: Item = { id: ++ids, file, url, part: 0, alt: '', media: null, reason: '', again: false, sending: null }
      put([...latest.current, item])
      if (file.size <= most) start(item)
      else change(item.id, { reason: t('upload.tooLarge', { size: fileSize(file.size), most: fileSize(most) }) })
    }
  }
  const drop = (id: number) => {
    const item = latest.current.find((one) => one.id === id)
    item?.sending?.cancel()
    if (item?.url) URL.revokeObjectURL(item.url)
    if (item?.media) void call('DELETE', `media/${item.media.id}`).catch(() => {})
    put(latest.current.filter((one) => one.id !== id))
  }
  const take = async () => {
    const links: string[] = []
    for (const { id, media, alt, url } of latest.current) {
      if (!media) continue
      if (alt.trim()) void call('PATCH', `media/${media.id}`, { alt: alt.trim() }).catch(() => {})
      links.push(linkOf(media, alt.trim() || media.filename))
      if (url) URL.revokeObjectURL(url)
      put(latest.current.filter((one) => one.id !== id))
    }
    return links
  }
  useEffect(() => () => { for (const { id, media } of latest.current) if (!media) drop(id) }, [])
  return {
    items, add, change, drop, take, retry: start,
    ready: items.filter(({ media }) => media),
    busy: items.some(({ sending }) => sending),
  }
}

function Chip({ item, uploads }: { item: Item; uploads: Uploads }) {
  const { id, file, url, part, alt, media, reason, again } = item
  return (
    <li className={reason ? 'failed' : ''}>
      {url ? <img src={url} alt="" /> : <span className="avatar sign"><Icon name="file" /></span>}
      <div>
        <p><bdi>{file.name}</bdi> <span className="hint">{fileSize(file.size)}</span></p>
        {reason && <p className="flaw" role="alert">{reason} {again && <button type="button" className="link" onClick={() => uploads.retry(item)}>{t('retry')}</button>}</p>}
        {!reason && !media && <progress value={part} max={1} aria-label={t('upload.progress', { name: file.name })} />}
        {media && url && (
          <input value={alt} maxLength={250} placeholder={t('upload.alt')} aria-label={t('upload.altOf', { name: file.name })}
            onChange={(event) => uploads.change(id, { alt: event.target.value })} />
        )}
      </div>
      <button type="button" className="sign" aria-label={t('upload.remove', { name: file.name })} onClick={() => uploads.drop(id)}><Icon name="close" size={18} /></button>
    </li>
  )
}

export function UploadChips({ uploads }: { uploads: Uploads }) {
  if (uploads.items.length === 0) return null
  return <ul className="chips">{uploads.items.map((item) => <Chip key={item.id} item={item} uploads={uploads} />)}</ul>
}
