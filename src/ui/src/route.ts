// Where one is in the page: the part of the address behind #, so that the server needs no rule for it.
import { Store } from './store'
import type { Peer } from './types'

export type Place =
  | { view: 'list' }
  | { view: 'thread'; peer: Peer; message: number } // message: the one to show; 0: where one left off

export type Route = Place | { view: 'settings'; over: Place } // they lie over where one was

const SETTINGS = '#/settings'
const FAR = 30 // steps; browsers forget what lies fifty back

export const placeOf = (at: Route): Place => (at.view === 'settings' ? at.over : at)

const parseRoute = (before: Route): Route => {
  const [, peer, message] = /^#\/c\/(all|[1-9]\d*)\b(?:\?m=(\d+))?/.exec(location.hash) ?? []
  if (peer) return { view: 'thread', peer: peer === 'all' ? peer : Number(peer), message: Number(message ?? 0) }
  if (location.hash === SETTINGS) return { view: 'settings', over: placeOf(before) }
  return { view: 'list' }
}

export const hashOf = (peer: Peer, message = 0): string => `#/c/${peer}${message ? `?m=${message}` : ''}`

export const route = new Store<Route>(parseRoute({ view: 'list' }))

let { hash } = location

// Behind whatever is open lies the list. Each entry of the browser's history keeps how many steps back that is.
if (history.state === null && route.get().view !== 'list') {
  history.replaceState(0, '', '#/')
  history.pushState(1, '', hash)
}

let steps: number = history.state ?? 0

// It comes with the step itself; hashchange may come behind the next one. Of an entry that is made anew in its own place,
// as of a link to where one is, it comes too.
addEventListener('popstate', () => {
  const at = parseRoute(route.get())
  steps = history.state ?? (at.view === 'list' ? 0 : steps + Number(location.hash !== hash))
  history.replaceState(steps, '')
  hash = location.hash
  route.set(at)
})

export const openThread = (peer: Peer, message = 0): void => {
  location.hash = hashOf(peer, message)
}

// To the list: the way back is not another step forward. It takes a moment, and twice would be beyond the list.
export function leave(): void {
  if (steps > FAR) location.replace('#/')
  else if (steps) history.go(-steps)
  steps = 0
}

export const openSettings = (): void => {
  location.hash = SETTINGS
}

export const closeSettings = (): void => {
  const at = route.get()
  if (at.view !== 'settings') return
  route.set(at.over)
  history.back()
}
