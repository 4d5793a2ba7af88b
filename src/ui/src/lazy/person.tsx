// Another account.
import { call } from '../api'
import { t } from '../i18n'
import { meet } from '../people'
import { openThread } from '../route'
import type { User } from '../types'
import { Dialog } from '../views/dialog'
import { Field } from '../views/field'
import { useForm } from '../views/form'

export default function AddPerson({ close }: { close: () => void }) {
  const { busy, reason, flaws, onSubmit } = useForm(async ({ email, password }) => {
    const { doc } = await call<{ doc: User }>('POST', 'users', { email, password })
    meet([doc])
    close()
    openThread(doc.id)
  })
  return (
    <Dialog title={t('person.add')} close={close}>
      <p className="hint">{t('person.hint')}</p>
      <form onSubmit={onSubmit}>
        <Field label={t('email')} name="email" type="email" autoComplete="off" required autoFocus flaw={flaws.email} />
        <Field label={t('password')} name="password" type="password" autoComplete="new-password" required flaw={flaws.password} />
        <p className="flaw" role="alert">{reason}</p>
        <p className="buttons">
          <button type="button" className="quiet" onClick={close}>{t('cancel')}</button>
          <button type="submit" className="primary" disabled={busy}>{t('person.add')}</button>
        </p>
      </form>
    </Dialog>
  )
}
