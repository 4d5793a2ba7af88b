// What signed in, as people call it.
import { t } from '../i18n'

const MOST = 60 // characters of what is not known

// By words of what a browser calls itself; many name others behind their own.
const BROWSERS = {
  Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet', Firefox: 'Firefox', FxiOS: 'Firefox', Chrome: 'Chrome', CriOS: 'Chrome', Safari: 'Safari',
}
const SYSTEMS = { Android: 'Android', iPhone: 'iPhone', iPad: 'iPad', Windows: 'Windows', CrOS: 'ChromeOS', 'Mac OS': 'macOS', Linux: 'Linux' }

const find = (names: Record<string, string>, agent: string) => Object.entries(names).find(([word]) => agent.includes(word))?.[1]

export function deviceOf(agent: string | null): string {
  const browser = find(BROWSERS, agent ?? ''), system = find(SYSTEMS, agent ?? '')
  if (browser && system) return t('sessions.device', { browser, system })
  return agent?.slice(0, MOST) || t('sessions.unknown')
}
