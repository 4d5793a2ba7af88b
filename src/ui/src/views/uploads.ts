// The files that go with the message one writes. Their way to the server comes with the first of them (lazy/uploads.tsx).
import { call } from '../api'
import { linkOf } from '../attachment'
import { Store } from '../store'
import type { Media } from '../types'

export interface Item {
  id: number
  file: File
  url: string // of a picture, to be shown; '': it is none
  part: number // of 1, that has been sent
  alt: string // what stands for a picture
  media: Media | null // it is there
  reason: string // why it failed
  again: boolean // another try may do better
  cancel: (() => void) | null // it is on its way
}

const NEW = { url: '', part: 0, alt: '', media: null, reason: '', again: false, cancel: null }

let ids = 0

export class Uploads {
  readonly store = new Store<readonly Item[]>([])

  add(files: File[]): void {
    this.store.set([...this.store.get(), ...files.map((file) => ({ ...NEW, id: ++ids, file }))])
  }

  change(id: number, change: Partial<Item>): void {
    this.store.set(this.store.get().map((item) => (item.id === id ? { ...item, ...change } : item)))
  }

  forget(id: number): void {
    this.store.set(this.store.get().filter((item) => item.id !== id))
  }

  // The links of those that are there; they are the message's from now on.
  take(): string[] {
    const links: string[] = []
    for (const { id, media, alt, url } of this.store.get()) {
      if (!media) continue
      if (alt.trim()) void call('PATCH', `media/${media.id}`, { alt: alt.trim() }).catch(() => {})
      links.push(linkOf(media, alt.trim() || media.filename))
      if (url) URL.revokeObjectURL(url)
      this.forget(id)
    }
    return links
  }
}
