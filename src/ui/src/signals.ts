// What passes: who is there, and who is writing. Nothing of it is kept.
import { call } from './api'
import { useEffect, useState } from 'react'
import { Store, useStore } from './store'
import type { Peer } from './types'

const SHOWN_MS = 5_000 // a writer who says nothing more has stopped
const SAY_MS = 3_000 // how often one who writes says so
const LEAST_MS = 1_100 // between two times: the server passes on one a second

export const online = new Store<ReadonlySet<number>>(new Set())
export const typing = new Store<ReadonlySet<number>>(new Set()) // those who write to this person

const timers = new Map<number, ReturnType<typeof setTimeout>>()
let heard = new Map<number, boolean>() // since it was asked for last: what overtakes the answer is newer

export async function readPresence(): Promise<void> {
  const meanwhile = heard = new Map<number, boolean>()
  try {
    const { online: there } = await call<{ online: number[] }>('GET', 'parley/presence')
    if (heard !== meanwhile) return
    online.set(new Set(there))
    for (const [user, isThere] of meanwhile) heardPresence(user, isThere)
  } catch {
    // A server without it: nobody is shown as present.
  }
}

export function heardPresence(user: number, isThere: boolean): void {
  heard.set(user, isThere)
  const all = new Set(online.get())
  if (isThere) all.add(user)
  else all.delete(user)
  online.set(all)
}

// When somebody was last here, asked for once they are not; '' where it is not known, or not told.
export function useLastSeen(user: Peer): string {
  const there = useStore(online, (ids) => user === 'all' || ids.has(user))
  const [seen, setSeen] = useState('')
  useEffect(() => {
    let wanted = !there
    setSeen('')
    if (wanted) {
      call<{ lastSeen: string | null }>('GET', `parley/presence/${user}`)
        .then(({ lastSeen }) => wanted && setSeen(lastSeen ?? ''), () => {})
    }
    return () => { wanted = false }
  }, [user, there])
  return seen
}

export function heardTyping(user: number, isTyping: boolean): void {
  clearTimeout(timers.get(user))
  const all = new Set(typing.get())
  if (isTyping) {
    all.add(user)
    timers.set(user, setTimeout(() => heardTyping(user, false), SHOWN_MS))
  } else all.delete(user)
  typing.set(all)
}

let saidTo = 0
let saidAt = -Infinity
let stopped = true

// One is writing to that person.
export function sayTyping(peer: number): void {
  const pause = stopped ? LEAST_MS : SAY_MS
  if (saidTo === peer && performance.now() - saidAt < pause) return
  saidTo = peer
  saidAt = performance.now()
  stopped = false
  void call('POST', `parley/conversations/${peer}/typing`).catch(() => {})
}

// One has stopped without sending; a message ends it by itself.
export function sayStopped(peer: number): void {
  if (stopped || saidTo !== peer || performance.now() - saidAt > SHOWN_MS) return
  stopped = true
  void call('POST', `parley/conversations/${peer}/typing`, { typing: false }).catch(() => {})
}

// The message that was being written is sent.
export function saySent(): void {
  stopped = true
}

export function forgetSignals(): void {
  for (const timer of timers.values()) clearTimeout(timer)
  online.set(new Set())
  typing.set(new Set())
}
