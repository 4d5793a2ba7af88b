// The keyboard, wherever one is in the page.
import { useEffect } from 'react'
import type { Chat } from './chat'
import { order } from './conversations'
import { people } from './people'
import { leave, openThread, route } from './route'
import { session } from './session'
import { settings } from './settings'
import type { Peer } from './types'

const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

// Escape empties it first.
const isFilled = (target: EventTarget | null) => target instanceof HTMLInputElement && target.value !== ''

// The list as it is drawn, or where there is no room for it beside a thread, as it would be.
function listed(chat: Chat): Peer[] {
  const drawn = [...document.querySelectorAll<HTMLElement>('.talk')].map(({ dataset }) => dataset.peer)
  if (drawn.length) return drawn.map((peer) => (peer === 'all' ? peer : Number(peer)))
  const ids = order(people.get(), chat.talks.store.get().byPeer, chat.me)
  return session.get().config.messages === 'open' ? ['all', ...ids] : ids
}

// Its next conversation; round at its ends. `unread`: of those with something unread.
function step(chat: Chat, by: number, unread: boolean): void {
  const peers = listed(chat)
  const at = route.get()
  const current = at.view === 'thread' ? peers.indexOf(at.peer) : by > 0 ? -1 : 0
  for (let n = 1; n <= peers.length; n++) {
    const peer = peers[(current + by * n + peers.length * n) % peers.length]
    if (!unread || chat.talks.of(Number(peer)).unread) return openThread(peer) // of everyone’s none are counted
  }
}

export function useKeys(chat: Chat, open: (what: 'Search' | 'Help') => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return
      const letter = settings.get().letters && !isField(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey
      const { key } = event
      if ((event.ctrlKey || event.metaKey) && key === 'k') open('Search')
      else if (event.altKey && key === 'ArrowDown') step(chat, 1, event.shiftKey)
      else if (event.altKey && key === 'ArrowUp') step(chat, -1, event.shiftKey)
      else if (key === 'Escape' && route.get().view === 'thread' && !isFilled(event.target)) leave()
      else if (letter && key === '/') open('Search')
      else if (letter && key === '?') open('Help')
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [chat])
}
