// The keyboard, wherever one is in the page.
import { useEffect } from 'react'
import type { Chat } from './chat'
import { goTo, openThread, route } from './route'
import { settings } from './settings'

const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

// Escape empties it first.
const isFilled = (target: EventTarget | null) => target instanceof HTMLInputElement && target.value !== ''

// The next conversation of the list, as it is drawn; round at its ends. `unread`: of those with something unread.
function step(chat: Chat, by: number, unread: boolean): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.talk')].map(({ dataset }) => dataset.peer ?? '')
  const at = route.get()
  const current = at.view === 'thread' ? rows.indexOf(String(at.peer)) : by > 0 ? -1 : 0
  for (let n = 1; n <= rows.length; n++) {
    const peer = rows[(current + by * n + rows.length * n) % rows.length]
    if (unread && (peer === 'all' || !chat.talks.of(Number(peer)).unread)) continue
    return openThread(peer === 'all' ? 'all' : Number(peer))
  }
}

export function useKeys(chat: Chat, open: (what: 'search' | 'help') => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return
      const letter = settings.get().letters && !isField(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey
      const { key } = event
      if ((event.ctrlKey || event.metaKey) && key === 'k') open('search')
      else if (event.altKey && key === 'ArrowDown') step(chat, 1, event.shiftKey)
      else if (event.altKey && key === 'ArrowUp') step(chat, -1, event.shiftKey)
      else if (key === 'Escape' && route.get().view === 'thread' && !isFilled(event.target)) goTo({ view: 'list' })
      else if (letter && key === '/') open('search')
      else if (letter && key === '?') open('help')
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [chat])
}
