// The page: who is not signed in comes in here.
import { useEffect, useState, type ComponentType } from 'react'
import { speech, t } from './i18n'
import { failed, session, start } from './session'
import { useStore } from './store'
import { Entry } from './views/auth'

type SignedPage = ComponentType<{ me: number }>

let signed: SignedPage | null = null

export const loadSigned = async (): Promise<SignedPage> => (signed ??= (await import('./signed')).default)

// What those who are signed in see, once it is there.
function Signed({ me }: { me: number }) {
  const [Loaded, setLoaded] = useState(() => signed)
  useEffect(() => {
    if (!Loaded) loadSigned().then((page) => setLoaded(() => page), () => failed(t('error.unreachable')))
  }, [])
  return Loaded ? <Loaded me={me} /> : <Waiting />
}

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
  if (me && (state === 'in' || state === 'away' || state === 'ended')) {
    return <Signed key={me.id} me={me.id} />
  }
  if (state === 'first' || state === 'out') return <Entry key={language} first={state === 'first'} />
  return <Waiting />
}
