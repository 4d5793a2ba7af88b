// Times as people read them. The makers of texts are kept: making one is slow.
import { now } from './api'
import { amount, speech, t } from './i18n'

const STYLES: Record<string, Intl.DateTimeFormatOptions> = {
  clock: { hour: '2-digit', minute: '2-digit' },
  weekday: { weekday: 'short' },
  date: { day: 'numeric', month: 'short' },
  fullDate: { weekday: 'long', day: 'numeric', month: 'long' },
  fullDateOfYear: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  dateOfYear: { day: '2-digit', month: '2-digit', year: 'numeric' },
  minute: { dateStyle: 'medium', timeStyle: 'short' },
  moment: { dateStyle: 'full', timeStyle: 'long' },
}

const makers = new Map<string, Intl.DateTimeFormat>()

function format(style: string, date: Date): string {
  const key = `${speech.get().locale} ${style}`
  let maker = makers.get(key)
  if (!maker) makers.set(key, (maker = new Intl.DateTimeFormat(speech.get().locale, STYLES[style])))
  return maker.format(date)
}

const startOfDay = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()

// Whole days from that day to today; by the calendar, whatever the clocks did in between.
const daysAgo = (date: Date) => Math.round((startOfDay(new Date(now())) - startOfDay(date)) / 86_400_000)

export const clockTime = (iso: string): string => format('clock', new Date(iso))
export const minute = (iso: string): string => format('minute', new Date(iso))
export const moment = (iso: string): string => format('moment', new Date(iso))
export const dayKey = (iso: string): number => startOfDay(new Date(iso))

// As short as a list has room for.
export function briefTime(iso: string): string {
  const date = new Date(iso)
  const days = daysAgo(date)
  if (days === 0) return format('clock', date)
  if (days > 0 && days < 7) return format('weekday', date)
  return format(date.getFullYear() === new Date(now()).getFullYear() ? 'date' : 'dateOfYear', date)
}

// Today, yesterday.
const relativeDay = (daysAgo: number) => new Intl.RelativeTimeFormat(speech.get().locale, { numeric: 'auto' }).format(-daysAgo, 'day')

export function dayName(iso: string): string {
  const date = new Date(iso)
  const days = daysAgo(date)
  if (days === 0 || days === 1) {
    const day = relativeDay(days)
    return day[0].toLocaleUpperCase(speech.get().locale) + day.slice(1)
  }
  return format(date.getFullYear() === new Date(now()).getFullYear() ? 'fullDate' : 'fullDateOfYear', date)
}

// When somebody was last here.
export function lastSeen(iso: string): string {
  const days = daysAgo(new Date(iso))
  if (days > 1) return t('seen.on', { date: dayName(iso) })
  return t('seen.at', { day: relativeDay(Math.max(0, days)), time: clockTime(iso) })
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte']

export function fileSize(bytes: number): string {
  let at = 0
  while (bytes >= 1000 && at < UNITS.length - 1) [bytes, at] = [bytes / 1000, at + 1]
  return amount(bytes, UNITS[at], { unitDisplay: 'narrow', maximumFractionDigits: bytes < 10 && at ? 1 : 0 })
}
