// Where one is in the page: the part of the address behind #, so that the server needs no rule for it.
import { Store } from './store'
import type { Peer } from './types'

export type Place =
  | { view: 'list' }
  | { view: 'thread'; peer: Peer; message: number } // message: the one to show; 0: where one left off

export type Route = Place | { view: 'settings'; over: Place } // they lie over where one was

const placeOf = (at: Route): Place => (at.view === 'settings' ? at.over : at)

const parseRoute = (hash: string, before: Route): Route => {
  const [path, query] = hash.replace(/^#\/?/, '').split('?')
  const [first, second] = path.split('/')
  if (first === 'settings') return { view: 'settings', over: placeOf(before) }
  if (first === 'c' && (second === 'all' || Number(second) > 0)) {
    const message = Number(new URLSearchParams(query).get('m')) || 0
    return { view: 'thread', peer: second === 'all' ? 'all' : Number(second), message }
  }
  return { view: 'list' }
}

export const hashOf = (place: Place): string =>
  place.view === 'list' ? '#/' : `#/c/${place.peer}${place.message ? `?m=${place.message}` : ''}`

export const route = new Store<Route>(parseRoute(location.hash, { view: 'list' }))

export const goTo = (place: Place): void => {
  location.hash = hashOf(place)
}

let came = false // to the settings from within the page: the way back is not another step forward

export const openSettings = (): void => {
  came = true
  location.hash = '#/settings'
}

export const closeSettings = (): void => {
  const at = route.get()
  if (at.view !== 'settings') return
  route.set(at.over)
  if (came) history.back()
  else location.replace(hashOf(at.over))
}

export const openThread = (peer: Peer, message = 0): void => goTo({ view: 'thread', peer, message })

addEventListener('hashchange', () => route.set(parseRoute(location.hash, route.get())))
