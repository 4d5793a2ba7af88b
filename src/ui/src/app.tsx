// The page: that of somebody who is signed in, or where one comes in.
import { useEffect, useState, type ComponentType } from 'react'
import { speech, t } from './i18n'
import { failed, session, start } from './session'
import Signed from './signed'
import { useStore } from './store'

type EntryPage = ComponentType<{ first: boolean }>

let entry: EntryPage | null = null

export const loadEntry = async (): Promise<EntryPage> => (entry ??= (await import('./views/auth')).Entry)

// What those who are not signed in see, once it is there.
function Entry({ first }: { first: boolean }) {
  const [Loaded, setLoaded] = useState(() => entry)
  useEffect(() => {
    if (!Loaded) loadEntry().then((page) => setLoaded(() => page), () => failed(t('error.unreachable')))
  }, [])
  return Loaded ? <Loaded first={first} /> : <Waiting />
}

function Waiting() {
  const { state, reason } = useStore(session)
  return (
    <main className="entry">
      {state === 'failed' ? (
        <div className="card" role="alert">
          <h1>{reason}</h1>
          <button type="button" className="primary" onClick={() => void start()}>{t('retry')}</button>
        </div>
      ) : <p className="spin" role="status"><span className="unseen">{t('loading')}</span></p>}
    </main>
  )
}

export function App() {
  const { state, me } = useStore(session)
  useStore(speech) // another language: all below is drawn again, and nothing is mounted anew
  if (me && (state === 'in' || state === 'away' || state === 'ended')) {
    return <Signed key={me.id} me={me.id} />
  }
  if (state === 'first' || state === 'out') return <Entry first={state === 'first'} />
  return <Waiting />
}
