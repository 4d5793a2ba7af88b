// The page's texts. English is built in; others come when they are chosen.
import { Store } from './store'
import en from './i18n/en.json'

type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
type Catalogue = Record<string, Text>
export type Key = keyof typeof en

export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français', ar: 'العربية', zh: '中文' }
export type Language = keyof typeof LANGUAGES

// The build leaves their keys out (build.mjs).
const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ default: unknown }>> = {
  de: () => import('./i18n/de.json'),
  es: () => import('./i18n/es.json'),
  fr: () => import('./i18n/fr.json'),
  ar: () => import('./i18n/ar.json'),
  zh: () => import('./i18n/zh.json'),
}

interface Speech {
  language: Language
  texts: Catalogue
  locale: string // of dates and numbers: the browser's, where it speaks the language
}

const localeOf = (language: Language) => navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language

export const speech = new Store<Speech>({ language: 'en', texts: en, locale: localeOf('en') })

let rules = new Intl.PluralRules(speech.get().locale)

export const isLanguage = (tag: string): tag is Language => tag in LANGUAGES

export const browserLanguage = (): Language =>
  navigator.languages.map((tag) => tag.split('-')[0]).find(isLanguage) ?? 'en'

const withKeys = (texts: Text[]): Catalogue => Object.fromEntries(Object.keys(en).map((key, at) => [key, texts[at]]))

export async function speak(language: Language): Promise<void> {
  const texts = language === 'en' ? (en as Catalogue) : withKeys((await LOADERS[language]()).default as Text[])
  const locale = localeOf(language)
  rules = new Intl.PluralRules(locale)
  document.documentElement.lang = language
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr'
  speech.set({ language, texts, locale })
}

// The text of a key, with {name} filled in; `n` chooses between a text's plural forms.
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const { texts, locale } = speech.get()
  let text = texts[key] ?? (en as Catalogue)[key]
  if (typeof text === 'object') text = text[rules.select(Number(values.n))] ?? text.other ?? ''
  const fill = (_: string, name: string) => {
    const value = values[name]
    return typeof value === 'number' ? value.toLocaleString(locale) : value ?? ''
  }
  return text.replace(/\{(\w+)\}/g, fill)
}
