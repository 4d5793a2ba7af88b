// Where one is in the page: the part of the address behind #, so that the server needs no rule for it.
import { Store } from './store'
import type { Peer } from './types'

export type Route =
  | { view: 'list' }
  | { view: 'thread'; peer: Peer; message: number } // message: the one to show; 0: where one left off
  | { view: 'settings' }

export const parseRoute = (hash: string): Route => {
  const [path, query] = hash.replace(/^#\/?/, '').split('?')
  const [first, second] = path.split('/')
  if (first === 'settings') return { view: 'settings' }
  if (first === 'c' && (second === 'all' || Number(second) > 0)) {
    const message = Number(new URLSearchParams(query).get('m')) || 0
    return { view: 'thread', peer: second === 'all' ? 'all' : Number(second), message }
  }
  return { view: 'list' }
}

export const hashOf = (route: Route): string => {
  if (route.view === 'settings') return '#/settings'
  if (route.view === 'list') return '#/'
  return `#/c/${route.peer}${route.message ? `?m=${route.message}` : ''}`
}

export const route = new Store<Route>(parseRoute(location.hash))

export const goTo = (next: Route): void => {
  location.hash = hashOf(next)
}

export const openThread = (peer: Peer, message = 0): void => goTo({ view: 'thread', peer, message })

addEventListener('hashchange', () => route.set(parseRoute(location.hash)))
