// Says that the connection is away, once it has been for a while, and when it is tried again.
import { useEffect, useState } from 'react'
import { t } from '../i18n'
import { connection } from '../live'
import { say } from '../notices'
import { useStore } from '../store'
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

export function ConnectionBar() {
  const { state, retryAt } = useStore(connection)
  const [shown, setShown] = useState(false)
  const live = state === 'live'
  useEffect(() => {
    if (live) return setShown(false)
    const timer = setTimeout(() => setShown(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [live])
  useEffect(() => {
    if (!shown) return
    say(t('connection.lost'))
    return () => say(t('connection.live'))
  }, [shown])
  if (live || !shown) return null
  // Not read out: its seconds would be, one by one.
  return (
    <p className="bar">
      {navigator.onLine ? <Lost retryAt={retryAt} /> : t('connection.offline')}
    </p>
  )
}
