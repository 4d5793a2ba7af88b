// Says that the connection is away, once it has been for a while, and when it is tried again.
import { useEffect, useState } from 'react'
import { t } from '../i18n'
import { connection } from '../live'
import { say } from '../notices'
import { Store, useStore } from '../store'
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

// It has been away for a while; whichever view tells of it.
const away = new Store(false)
let timer: ReturnType<typeof setTimeout> | undefined

connection.subscribe(() => {
  if (connection.get().state !== 'live') {
    timer ??= setTimeout(() => {
      away.set(true)
      say(t('connection.lost'))
    }, PATIENCE_MS)
    return
  }
  clearTimeout(timer)
  timer = undefined
  if (away.get()) say(t('connection.live'))
  away.set(false)
})

// Not read out itself: its seconds would be, one by one.
export function ConnectionBar() {
  const { retryAt } = useStore(connection)
  const shown = useStore(away)
  if (!shown) return null
  return <p className="bar">{navigator.onLine ? <Lost retryAt={retryAt} /> : t('connection.offline')}</p>
}
