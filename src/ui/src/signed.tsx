// The page of somebody who is signed in: the list and a thread, or one of them.
import { useLayoutEffect, useMemo, useRef, useState } from 'react'
import { Chat } from './chat'
import { t } from './i18n'
import { useKeys } from './keys'
import { Later, loadParts } from './later'
import { spoken, toast } from './notices'
import { closeSettings, openSettings, placeOf, route } from './route'
import { session } from './session'
import { useStore } from './store'
import { ChatContext } from './views/context'
import { isNarrow } from './views/layout'
import { TalkList } from './views/list'
import { Nothing, Thread } from './views/thread'

// What is read out must come into something that was there.
function Said() {
  const shown = useStore(toast)
  const words = useStore(spoken)
  const use = () => {
    toast.set(null)
    shown?.act?.()
  }
  return (
    <>
      <div className="toast" role="status">
        {shown && (shown.act ? <button type="button" onClick={use}><bdi>{shown.text}</bdi></button> : <p>{shown.text}</p>)}
      </div>
      <p className="unseen" role="status">{words}</p>
    </>
  )
}

const SOON_MS = 3_000 // after which what a first look did not need is fetched

type Opened = 'Search' | 'AddPerson' | 'Help'

export default function Signed({ me }: { me: number }) {
  const chat = useMemo(() => new Chat(me), [me])
  const now = useStore(route)
  const at = placeOf(now)
  const narrow = useStore(isNarrow)
  const [opened, setOpened] = useState<Opened | null>(null)
  const ended = useStore(session, ({ state }) => state === 'ended')
  // Before it is painted: meanwhile the stream begins.
  useLayoutEffect(() => {
    chat.start()
    const timer = setTimeout(() => loadParts().catch(() => {}), SOON_MS)
    return () => {
      clearTimeout(timer)
      chat.close()
    }
  }, [chat])
  useKeys(chat, setOpened)
  const peer = at.view === 'thread' ? at.peer : null
  // Whoever leaves a conversation is where it is in the list.
  const left = useRef(peer)
  useLayoutEffect(() => {
    if (peer === null) document.querySelector<HTMLElement>(`.talk[data-peer="${left.current}"]`)?.focus()
    left.current = peer
  }, [peer])
  // A dialog tells that it was closed a moment later; another may be open by then.
  const close = () => setOpened((shown) => (shown === opened ? null : shown))
  return (
    <ChatContext.Provider value={chat}>
      {peer !== null && <a className="skip" href="#composer" onClick={(event) => { event.preventDefault(); document.getElementById('composer')?.focus() }}>{t('skip')}</a>}
      <div className="shell">
        {(!narrow || peer === null) && (
          <TalkList current={peer} search={() => setOpened('Search')} add={() => setOpened('AddPerson')} settings={openSettings} />
        )}
        {peer !== null && <Thread key={String(peer)} peer={peer} message={at.view === 'thread' ? at.message : 0} />}
        {peer === null && !narrow && <Nothing />}
      </div>
      <Said />
      {opened && <Later key={opened} part={opened} close={close} />}
      {now.view === 'settings' && <Later part="Settings" close={closeSettings} />}
      {ended && <Later part="SignInAgain" />}
    </ChatContext.Provider>
  )
}
