// What one can choose, and one's account.
import { useEffect, useState, type ReactNode } from 'react'
import { call, type Refusal } from '../api'
import { LANGUAGES, t, type Key, type Language } from '../i18n'
import { showToast } from '../notices'
import { session } from '../session'
import { choose, settings, type Settings as Chosen } from '../settings'
import { useStore } from '../store'
import { minute } from '../time'
import { useChat } from '../views/context'
import { Dialog, Question } from '../views/dialog'
import { Field } from '../views/field'
import { useForm, Wrong } from '../views/form'
import { beep, canNotify } from './call'
import { deviceOf } from './device'

type Options = Record<string, string>

interface ChoiceProps {
  label: string
  value: string
  options: Options
  set: (value: string) => void
}

function Choice({ label, value, options, set }: ChoiceProps) {
  return (
    <label className="choice">
      {label}
      <select value={value} onChange={(event) => set(event.target.value)}>
        {Object.entries(options).map(([key, text]) => <option key={key} value={key}>{text}</option>)}
      </select>
    </label>
  )
}

interface SwitchProps {
  label: string
  on: boolean
  set: (on: boolean) => void
  off?: string // why it cannot be chosen
}

function Switch({ label, on, set, off }: SwitchProps) {
  return (
    <label className="choice">
      <span>{label}{off && <small className="hint">{off}</small>}</span>
      <input type="checkbox" role="switch" checked={on && !off} disabled={!!off} onChange={(event) => set(event.target.checked)} />
    </label>
  )
}

function Part({ title, children }: { title: Key; children: ReactNode }) {
  return <section><h3>{t(title)}</h3>{children}</section>
}

interface Profile {
  name: string | null
  showLastSeen: boolean
}

// What others are told of oneself.
function Self() {
  const [profile, setProfile] = useState<Profile | null>(null)
  const [said, setSaid] = useState('')
  const refused = ({ message }: Refusal) => setSaid(message)
  const save = async (change: Partial<Profile>) => setProfile(await call<Profile>('PATCH', 'parley/profile', change))
  useEffect(() => void call<Profile>('GET', 'parley/profile').then(setProfile, refused), [])
  const { busy, reason, flaws, onSubmit } = useForm(async ({ name }) => {
    setSaid('')
    await save({ name })
    setSaid(t('settings.saved'))
  })
  return (
    <>
      {profile && (
        <form onSubmit={onSubmit}>
          <Field label={t('settings.name')} name="name" autoComplete="nickname" defaultValue={profile.name ?? ''} flaw={flaws.name} />
          <p className="flaw" role="alert">{reason}</p>
          <p className="buttons"><button type="submit" className="primary" disabled={busy}>{t('save')}</button></p>
        </form>
      )}
      {profile && <Switch label={t('settings.seen')} on={profile.showLastSeen} set={(showLastSeen) => void save({ showLastSeen }).catch(refused)} />}
      <p className="hint" role="status">{said}</p>
    </>
  )
}

interface SessionDoc {
  id: string
  createdAt: string | null
  expiresAt: string
  userAgent: string | null
  current: boolean
}

function Sessions() {
  const [docs, setDocs] = useState<SessionDoc[]>([])
  const [reason, setReason] = useState('')
  const refused = ({ message }: Refusal) => setReason(message)
  const read = () => call<{ docs: SessionDoc[] }>('GET', 'parley/sessions').then((found) => setDocs(found.docs), refused)
  const end = async (id: string, button: HTMLElement) => {
    setReason('')
    // One that is gone is no longer in the list either.
    await call('DELETE', `parley/sessions/${id}`).catch((refusal) => refusal.status === 404 || refused(refusal))
    button.closest('details')?.querySelector('summary')?.focus()
    await read()
  }
  return (
    <details onToggle={(event) => { if (event.currentTarget.open) void read() }}>
      <summary>{t('sessions.title')}</summary>
      <ul>
        {docs.map(({ id, createdAt, expiresAt, userAgent, current }) => (
          <li key={id} className="choice">
            <span>
              <bdi>{deviceOf(userAgent)}</bdi>
              <small className="hint">{t('sessions.times', { from: createdAt ? minute(createdAt) : '…', until: minute(expiresAt) })}</small>
            </span>
            {current ? <small className="hint">{t('sessions.this')}</small>
              : <button type="button" className="quiet" aria-label={`${t('signOut')}: ${deviceOf(userAgent)}`} onClick={(event) => void end(id, event.currentTarget)}>{t('signOut')}</button>}
          </li>
        ))}
      </ul>
      <p className="flaw" role="alert">{reason}</p>
    </details>
  )
}

// The server changes it for whoever is signed in; that the old one is known is looked at first, by signing in with it.
function Password() {
  const me = useStore(session, (all) => all.me)
  const [said, setSaid] = useState('')
  const { busy, reason, flaws, onSubmit } = useForm(async ({ current, password, again }) => {
    setSaid('')
    if (password !== again) throw new Wrong('again', t('password.differ'))
    await call('POST', 'users/login', { email: me?.email, password: current })
    await call('PATCH', `users/${me?.id}`, { password })
    await call('POST', 'users/login', { email: me?.email, password })
    setSaid(t('settings.saved'))
  })
  return (
    <details>
      <summary>{t('password.change')}</summary>
      <form onSubmit={onSubmit}>
        <Field label={t('password.current')} name="current" type="password" autoComplete="current-password" required flaw={flaws.current} />
        <Field label={t('password.new')} name="password" type="password" autoComplete="new-password" required flaw={flaws.password} />
        <Field label={t('password.again')} name="again" type="password" autoComplete="new-password" required flaw={flaws.again} />
        <p className="flaw" role="alert">{reason}</p>
        <button type="submit" className="primary" disabled={busy}>{t('password.change')}</button>
        <p className="hint" role="status">{said}</p>
      </form>
    </details>
  )
}

const THEMES = { auto: 'choice.auto', light: 'theme.light', dark: 'theme.dark' } as const
const ENTERS = { auto: 'choice.auto', sends: 'enter.sends', breaks: 'enter.breaks' } as const
const texts = (keys: Record<string, Key>): Options =>
  Object.fromEntries(Object.entries(keys).map(([value, key]) => [value, t(key)]))

export default function Settings({ close }: { close: () => void }) {
  const chat = useChat()
  const chosen = useStore(settings)
  const { me, config } = useStore(session)
  const unsent = useStore(chat.outbox.store, (items) => items.length > 0)
  const [asking, setAsking] = useState<'' | 'here' | 'everywhere'>('')
  const leave = (everywhere: boolean) => chat.signOut(everywhere).catch((refusal) => showToast(t('signOut.failed', { reason: refusal.message })))
  const notify = async (on: boolean) => choose({ notices: on && (await Notification.requestPermission()) === 'granted' })
  const sound = (on: boolean) => {
    choose({ sound: on })
    if (on) beep()
  }
  return (
    <Dialog title={t('settings.title')} close={close} className="settings">
      <p className="hint">{t('settings.me')} <b><bdi>{me?.email}</bdi></b></p>
      <Part title="settings.look">
        <Choice label={t('theme')} value={chosen.theme} options={texts(THEMES)} set={(theme) => choose({ theme: theme as Chosen['theme'] })} />
        <Choice label={t('language')} value={chosen.language} options={{ auto: t('choice.auto'), ...LANGUAGES }}
          set={(language) => choose({ language: language as Language | 'auto' })} />
      </Part>
      <Part title="settings.writing">
        <Choice label={t('enter')} value={chosen.enter} options={texts(ENTERS)} set={(enter) => choose({ enter: enter as Chosen['enter'] })} />
        <Switch label={t('settings.letters')} on={chosen.letters} set={(letters) => choose({ letters })} />
      </Part>
      <Part title="thread.new">
        <Switch label={t('settings.sound')} on={chosen.sound} set={sound} />
        <Switch label={t('settings.notices')} on={chosen.notices} set={(on) => void notify(on)}
          off={canNotify() ? Notification.permission === 'denied' ? t('settings.denied') : undefined : t('settings.insecure')} />
      </Part>
      <Part title="settings.account">
        <Self />
        <Password />
        <Sessions />
        <p className="buttons">
          <button type="button" className="quiet" onClick={() => setAsking('everywhere')}>{t('signOut.everywhere')}</button>
          <button type="button" className="primary" onClick={() => (unsent ? setAsking('here') : void leave(false))}>{t('signOut')}</button>
        </p>
      </Part>
      {config.version && <p className="hint">Parley {config.version}</p>}
      {asking && (
        <Question title={asking === 'here' ? t('signOut') : t('signOut.everywhere')} button={t('signOut')}
          text={unsent && t('signOut.unsent')}
          act={() => void leave(asking === 'everywhere')} close={() => setAsking('')} />
      )}
    </Dialog>
  )
}
