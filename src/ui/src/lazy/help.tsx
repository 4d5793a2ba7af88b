// The keys, and what can be written.
import { t, type Key } from '../i18n'
import { Dialog } from '../views/dialog'

const MOD = /mac|iphone|ipad/i.test(navigator.userAgent) ? '⌘' : 'Ctrl'

const KEYS: [string[], Key][] = [
  [['Enter'], 'composer.send'],
  [['Shift', 'Enter'], 'enter.breaks'],
  [['↑'], 'keys.edit'],
  [[MOD, 'K'], 'search.title'],
  [['/'], 'search.title'],
  [['Alt', '↑ ↓'], 'keys.next'],
  [['Alt', 'Shift', '↑ ↓'], 'keys.nextUnread'],
  [['End'], 'thread.toNewest'],
  [['Esc'], 'keys.close'],
  [['?'], 'keys.help'],
]

const MARKS: [string, Key][] = [
  ['**…**', 'marks.bold'], ['*…*', 'marks.italic'], ['~~…~~', 'marks.struck'], ['`…`', 'marks.code'],
  ['```', 'marks.code'], ['> …', 'marks.quote'], ['- …', 'marks.list'], ['[…](https://…)', 'marks.link'],
]

export default function Help({ close }: { close: () => void }) {
  return (
    <Dialog title={t('keys.help')} close={close}>
      <dl className="keys">
        {KEYS.map(([keys, text]) => (
          <div key={keys.join()}><dt dir="ltr">{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{t(text)}</dd></div>
        ))}
      </dl>
      <h3>{t('marks.title')}</h3>
      <dl className="keys">
        {MARKS.map(([mark, text]) => <div key={mark}><dt dir="ltr"><code>{mark}</code></dt><dd>{t(text)}</dd></div>)}
      </dl>
    </Dialog>
  )
}
