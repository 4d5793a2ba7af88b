// How a person learns of news who does not look at them: the tab's title and icon, the app's number, a line on the page,
// a sound, the system's notifications. The last two only when asked for.
import { showBadge } from './badge'
import { nameOf, people } from './people'
import { openThread } from './route'
import { settings } from './settings'
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

let audio: AudioContext | null = null

// Two short tones; there is no file to be loaded. Browsers let it sound only once the page was touched, and would sound
// all that came before then.
export function beep(): void {
  if (navigator.userActivation?.hasBeenActive === false) return
  audio ??= new AudioContext()
  const start = audio.currentTime
  for (const [at, pitch] of [[0, 660], [0.09, 880]]) {
    const tone = audio.createOscillator()
    const volume = audio.createGain()
    tone.frequency.value = pitch
    volume.gain.setValueAtTime(0.08, start + at)
    volume.gain.exponentialRampToValueAtTime(0.001, start + at + 0.18)
    tone.connect(volume).connect(audio.destination)
    tone.start(start + at)
    tone.stop(start + at + 0.2)
  }
}

export const canNotify = (): boolean => isSecureContext && 'Notification' in window

type Preview = (message: Message) => string

const lineOf = (message: Message, preview: Preview) => `${nameOf(people.get(), message.sender)}: ${preview(message)}`

// On the page.
export function show(messages: Message[], preview: Preview): void {
  const message = messages[messages.length - 1]
  if (!document.hidden) showToast(lineOf(message, preview), () => openThread(message.sender))
}

// Beyond the page. `seen`: somebody looks at it.
export function callFor(messages: Message[], preview: Preview, seen: boolean): void {
  const message = messages[messages.length - 1]
  const { sound, notices } = settings.get()
  if (sound) beep()
  if (seen || !notices || !canNotify() || Notification.permission !== 'granted') return
  const name = nameOf(people.get(), message.sender)
  const notice = new Notification(name, { body: preview(message), tag: `parley.${message.sender}`, icon: 'icon.svg' })
  notice.onclick = () => {
    focus()
    openThread(message.sender)
    notice.close()
  }
}
