// Coming in: the first account, signing in, and signing in again over a page whose session has ended.
import '../main' // is there already: what both use stays in its file
import '../i18n-later'
import { useEffect, useRef, useState } from 'react'
import { t } from '../i18n'
import { register, session, signIn } from '../session'
import { useStore } from '../store'
import { Field } from './field'
import { useForm, Wrong } from './form'

const LEAST_PASSWORD = 8

function Credentials({ first, email = '' }: { first: boolean; email?: string }) {
  const needsToken = useStore(session, ({ config }) => first && config.setupToken)
  const { busy, reason, flaws, onSubmit } = useForm(async (values) => {
    if (first && values.password.length < LEAST_PASSWORD) throw new Wrong('password', t('password.short', { n: LEAST_PASSWORD }))
    if (first && values.again !== values.password) throw new Wrong('again', t('password.differ'))
    const credentials = { email: values.email, password: values.password }
    if (first) await register(credentials, values.token)
    else await signIn(credentials)
  })
  return (
    <form onSubmit={onSubmit}>
      <Field label={t('email')} name="email" type="email" autoComplete="username" required autoFocus={!email}
        defaultValue={email} flaw={flaws.email} />
      <Field label={t('password')} name="password" type="password" required autoFocus={!!email}
        autoComplete={first ? 'new-password' : 'current-password'} flaw={flaws.password} />
      {first && (
        <Field label={t('password.again')} name="again" type="password" required autoComplete="new-password" flaw={flaws.again} />
      )}
      {needsToken && <Field label={t('first.token')} hint={t('first.tokenHint')} name="token" autoComplete="off" required />}
      <p className="flaw" role="alert">{reason}</p>
      <button type="submit" className="primary" disabled={busy}>{first ? t('first.title') : t('signIn')}</button>
    </form>
  )
}

export function Entry({ first }: { first: boolean }) {
  // One who was offered the first account and was too late learns why it is gone.
  const [wasFirst] = useState(first)
  return (
    <main className="entry">
      <div className="card">
        <img src="icon.svg" alt="" width="44" height="44" />
        <h1>{first ? t('first.title') : t('signIn')}</h1>
        {first && <p className="hint">{t('first.hint')}</p>}
        {wasFirst && !first && <p className="hint" role="status">{t('first.late')}</p>}
        <Credentials key={String(first)} first={first} />
      </div>
    </main>
  )
}

export function SignInAgain() {
  const dialog = useRef<HTMLDialogElement>(null)
  const { me } = useStore(session)
  // There is no way round it; browsers let nobody forbid the second Escape.
  const show = () => {
    dialog.current?.showModal()
    dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus()
  }
  useEffect(show, [])
  return (
    <dialog ref={dialog} aria-labelledby="again-title" onCancel={(event) => event.preventDefault()} onClose={show}>
      <div className="card">
        <h2 id="again-title">{t('ended.title')}</h2>
        <p className="hint">{t('ended.hint')}</p>
        <Credentials first={false} email={me?.email} />
      </div>
    </dialog>
  )
}
