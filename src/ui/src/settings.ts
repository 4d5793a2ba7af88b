// What a person chose for this browser.
import { browserLanguage, isLanguage, speak, type Language } from './i18n'
import { keep, kept } from './storage'
import { Store } from './store'

const KEY = 'parley.settings'

export interface Settings {
  theme: 'auto' | 'light' | 'dark'
  language: Language | 'auto'
  enter: 'auto' | 'sends' | 'breaks' // what the Enter key does; auto: it sends where there is a real keyboard
  sound: boolean
  notices: boolean // the system's notifications
  letters: boolean // single letters are keys, outside fields
}

const DEFAULTS: Settings = { theme: 'auto', language: 'auto', enter: 'auto', sound: false, notices: false, letters: true }

export const settings = new Store<Settings>({ ...DEFAULTS, ...kept<Partial<Settings>>(KEY) })

const chosenLanguage = (): Language => {
  const { language } = settings.get()
  return isLanguage(language) ? language : browserLanguage()
}

export const enterSends = (): boolean => {
  const { enter } = settings.get()
  return enter === 'auto' ? !matchMedia('(pointer: coarse)').matches : enter === 'sends'
}

// The frame that the browser draws round the page follows it too: each of its colours counts where the theme is its own.
function applyTheme(): void {
  const { theme } = settings.get()
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  const colours = document.querySelectorAll<HTMLMetaElement>('[name=theme-color]')
  for (const [at, own] of ['light', 'dark'].entries())
    colours[at].media = theme === 'auto' ? `(prefers-color-scheme: ${own})` : theme === own ? '' : 'not all'
}

export function choose(change: Partial<Settings>): void {
  settings.update(change)
  keep(KEY, settings.get())
  applyTheme()
  if (change.language) void speak(chosenLanguage()).catch(() => {})
}

// Before anything is drawn.
export async function applySettings(): Promise<void> {
  applyTheme()
  await speak(chosenLanguage()).catch(() => speak('en'))
}
