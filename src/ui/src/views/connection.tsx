// How the connection is: a sign of it, and a bar that says that it is away, once it has been for a while, when it is tried
// again, and from when what is shown is then; or that there is a new version of the page.
import { useEffect, useState } from 'react'
import { amount, t } from '../i18n'
import { connection, type Connection } from '../live'
import { say } from '../notices'
import { session } from '../session'
import { Store, useStore } from '../store'
import { minute } from '../time'
import { outdated } from '../update'
import { useChat } from './context'

const PATIENCE_MS = 5_000

// It has been away for a while; whichever view tells of it.
const isAway = new Store(false)
let timer: ReturnType<typeof setTimeout> | undefined

connection.subscribe(() => {
  if (connection.get().state !== 'live') {
    timer ??= setTimeout(() => {
      isAway.set(true)
      say(t(connection.get().state === 'full' ? 'connection.full' : 'connection.lost'))
    }, PATIENCE_MS)
    return
  }
  clearTimeout(timer)
  timer = undefined
  if (isAway.get()) say(t('connection.live'))
  isAway.set(false)
})

const NAMES = { connecting: 'connection.connecting', live: 'connection.live', lost: 'connection.lost', full: 'connection.full' } as const

// A dot; a square where something is wrong.
export function ConnectionSign() {
  const { state } = useStore(connection)
  return <span className="connection" data-state={state} title={t(NAMES[state])}><span className="unseen">{t(NAMES[state])}</span></span>
}

function textOf({ state, retryAt }: Connection): string {
  const left = Math.ceil((retryAt - Date.now()) / 1000)
  if (!navigator.onLine) return t('connection.offline')
  if (state === 'full') return t('connection.full')
  return state === 'connecting' || left < 1 ? t('connection.connecting') : t('connection.retryIn', { time: amount(left, 'second') })
}

// Not read out itself: its seconds would be, one by one.
function Away({ asOf }: { asOf: string }) {
  const { live } = useChat()
  const now = useStore(connection)
  const [, count] = useState(0)
  useEffect(() => {
    const ticking = setInterval(() => count((n) => n + 1), 1000)
    return () => clearInterval(ticking)
  }, [])
  return (
    <p className="bar">
      {asOf && `${t('connection.asOf', { time: minute(asOf) })} `}{textOf(now)} {navigator.onLine && <button type="button" className="link" onClick={live.reconnect}>{t('retry')}</button>}
    </p>
  )
}

export function ConnectionBar({ asOf }: { asOf: string }) {
  const late = useStore(isAway)
  const live = useStore(connection, ({ state }) => state === 'live')
  const away = useStore(session, ({ state }) => state === 'away')
  const update = useStore(outdated)
  if (!live && (late || away)) return <Away asOf={asOf} />
  return update && (
    <p className="bar good" role="status">
      {t('update.text')} <button type="button" className="link" onClick={() => location.reload()}>{t('update.button')}</button>
    </p>
  )
}
