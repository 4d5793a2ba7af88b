// How a person learns of news who does not look at them: the tab's title and icon, the app's number, a line on the page.
// (A sound and the system's notifications, for those who asked for them: lazy/call.ts.)
import { showBadge } from './badge'
import { nameOf, people } from './people'
import { openThread } from './route'
import { Store } from './store'
import type { Message } from './types'

export interface Toast {
  text: string
  act: (() => void) | null // what it is a button for
}

export const toast = new Store<Toast | null>(null)
// What is said to those who do not see the page.
export const spoken = new Store('')

const TOAST_MS = 5_000
let timer: ReturnType<typeof setTimeout> | undefined

export function showToast(text: string, act: Toast['act'] = null): void {
  clearTimeout(timer)
  toast.set({ text, act })
  timer = setTimeout(() => toast.set(null), TOAST_MS)
}

// The same again is read out again.
export const say = (text: string): void => spoken.set(text === spoken.get() ? `${text}\u00a0` : text)

let shownCount = -1

export function showCount(count: number): void {
  document.title = count ? `(${count > 99 ? '99+' : count}) Parley` : 'Parley'
  showBadge(count)
  if (count > 0 === shownCount > 0) return
  shownCount = count
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (!icon) return
  icon.type = count ? 'image/png' : 'image/svg+xml'
  icon.href = count ? dotted() : 'icon.svg'
}

// The icon with a dot.
function dotted(): string {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 32
  const pen = canvas.getContext('2d')
  if (!pen) return 'icon.svg'
  pen.fillStyle = '#2f6f62'
  pen.fill(new Path2D('M5 4h22a3 3 0 0 1 3 3v13a3 3 0 0 1-3 3H15l-7 6v-6H5a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z'))
  pen.fillStyle = '#d64545'
  pen.beginPath()
  pen.arc(24, 8, 8, 0, 2 * Math.PI)
  pen.fill()
  return canvas.toDataURL('image/png')
}

type Preview = (message: Message) => string

const lineOf = (message: Message, preview: Preview) => `${nameOf(people.get(), message.sender)}: ${preview(message)}`

// On the page.
export function show(messages: Message[], preview: Preview): void {
  const message = messages[messages.length - 1]
  if (!document.hidden) showToast(lineOf(message, preview), () => openThread(message.sender))
}
