// The page's texts. English is built in, as far as a first look needs it; others come when they are chosen.
import { Store } from './store'
import en from './i18n/en.json'

type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
export type Key = keyof typeof en
type Catalogue = Record<Key, Text> // in what is built the keys are places (build.mjs)

export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français', ar: 'العربية', zh: '中文' }
export type Language = keyof typeof LANGUAGES

const LOADERS: Record<Exclude<Language, 'en'>, () => Promise<{ default: Catalogue }>> = {
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

export async function speak(language: Language): Promise<void> {
  const texts = language === 'en' ? en : (await LOADERS[language]()).default
  const locale = localeOf(language)
  rules = new Intl.PluralRules(locale)
  document.documentElement.lang = language
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr'
  speech.set({ language, texts, locale })
}

// English that comes later.
export const learn = (texts: object): void => void Object.assign(en, texts)

// The text of a key, with {name} filled in; `n` chooses between a text's plural forms.
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const { texts, locale } = speech.get()
  let text = texts[key]
  if (typeof text === 'object') text = text[rules.select(Number(values.n))] ?? text.other ?? ''
  const fill = (_: string, name: string) => {
    const value = values[name]
    return typeof value === 'number' ? value.toLocaleString(locale) : value ?? ''
  }
  return text.replace(/\{(\w+)\}/g, fill)
}

// A number of something that is measured, in words.
export const amount = (n: number, unit: string, style: Intl.NumberFormatOptions = {}): string =>
  new Intl.NumberFormat(speech.get().locale, { style: 'unit', unit, unitDisplay: 'long', ...style }).format(n)
