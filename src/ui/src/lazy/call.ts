// News for those who do not look at the page: a sound, the system's notifications. Both only when asked for.
import { nameOf, people } from '../people'
import { hashOf, openThread } from '../route'
import { settings } from '../settings'
import type { Message } from '../types'

const PATIENCE_MS = 1_000 // with the other tabs: whether somebody looks at one of them

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

function notify(name: string, body: string, peer: number): void {
  const options = { body, tag: `parley.${peer}`, icon: 'icon.svg', data: hashOf(peer) }
  try {
    const notice = new Notification(name, options)
    notice.onclick = () => {
      focus()
      openThread(peer)
      notice.close()
    }
  } catch {
    // On phones it is the service worker's alone, which also hears of its being touched (sw.ts).
    void navigator.serviceWorker?.ready.then((worker) => worker.showNotification(name, options))
  }
}

// `isSeen`: does somebody look at one of the tabs?
export function callFor(messages: Message[], preview: (message: Message) => string, isSeen: () => boolean): void {
  const message = messages[messages.length - 1]
  const { sound, notices } = settings.get()
  if (sound) beep()
  if (!notices || !canNotify() || Notification.permission !== 'granted') return
  const call = () => isSeen() || notify(nameOf(people.get(), message.sender), preview(message), message.sender)
  setTimeout(call, PATIENCE_MS)
}
