// The page: who is not signed in comes in here.
import { lazy, Suspense } from 'react'
import { speech, t } from './i18n'
import { session, start } from './session'
import { useStore } from './store'
import { Entry } from './views/auth'

export const loadSigned = () => import('./signed')

const Signed = lazy(loadSigned)

function Waiting() {
  const { state, reason } = useStore(session)
  return (
    <main className="entry">
      {state === 'failed' ? (
        <div className="card">
          <h1>{t('error.title')}</h1>
          <p role="alert">{reason}</p>
          <button type="button" className="primary" onClick={() => void start()}>{t('retry')}</button>
        </div>
      ) : <p className="spin" role="status"><span className="unseen">{t('loading')}</span></p>}
    </main>
  )
}

export function App() {
  const { state, me } = useStore(session)
  const { language } = useStore(speech)
  if (me && (state === 'in' || state === 'ended')) {
    return <Suspense fallback={<Waiting />}><Signed key={me.id} me={me.id} /></Suspense>
  }
  if (state === 'first' || state === 'out') return <Entry key={language} first={state === 'first'} />
  return <Waiting />
}
