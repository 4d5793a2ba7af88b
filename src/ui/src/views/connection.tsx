// What one should know of the page itself: that the connection is away, once it has been for a while, when it is tried
// again, and from when what is shown is then; that there is a new version.
import { useEffect, useState } from 'react'
import { t } from '../i18n'
import { connection } from '../live'
import { session } from '../session'
import { useStore } from '../store'
import { minute } from '../time'
import { outdated } from '../update'
import { useChat } from './context'

const PATIENCE_MS = 5_000

function Lost({ retryAt }: { retryAt: number }) {
  const { live } = useChat()
  const [left, setLeft] = useState(0)
  useEffect(() => {
    const count = () => setLeft(Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)))
    count()
    const timer = setInterval(count, 1000)
    return () => clearInterval(timer)
  }, [retryAt])
  return (
    <>
      <span>{left > 1 ? t('connection.retryIn', { n: left }) : t('connection.retrying')}</span>{' '}
      <button type="button" className="link" onClick={live.reconnect}>{t('connection.retryNow')}</button>
    </>
  )
}

export function ConnectionBar({ asOf }: { asOf: string }) {
  const { state, retryAt } = useStore(connection)
  const [shown, setShown] = useState(false)
  const live = state === 'live'
  const update = useStore(outdated)
  const away = useStore(session, (now) => now.state === 'away')
  useEffect(() => {
    if (live) return setShown(false)
    const timer = setTimeout(() => setShown(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [live])
  if (live || !(shown || away)) return update && (
    <p className="bar good" role="status">
      {t('update.text')} <button type="button" className="link" onClick={() => location.reload()}>{t('update.button')}</button>
    </p>
  )
  return (
    <p className="bar" role="status">
      {asOf && `${t('connection.asOf', { time: minute(asOf) })} `}
      {navigator.onLine ? <Lost retryAt={retryAt} /> : t('connection.offline')}
    </p>
  )
}
