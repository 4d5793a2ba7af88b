// Who there is, by id. A person is shown by the name they chose, or by the part of the address before the @; where
// another would be shown by the same, by the address.
import { call } from './api'
import { t } from './i18n'
import { Store } from './store'
import type { List, Related, User } from './types'

export const MOST = 500 // are known at first; more are met in messages, or looked for

export interface People {
  byId: ReadonlyMap<number, User>
  total: number
  namesakes: ReadonlySet<string> // what more than one person would be shown by
}

const NOBODY: People = { byId: new Map(), total: 0, namesakes: new Set() }

export const people = new Store<People>(NOBODY)

const shownBy = ({ email, name }: User) => name || email.slice(0, Math.max(1, email.lastIndexOf('@')))

function set(byId: Map<number, User>, total: number): void {
  const seen = new Set<string>()
  const namesakes = new Set<string>()
  for (const user of byId.values()) {
    const name = shownBy(user)
    if (seen.has(name)) namesakes.add(name)
    seen.add(name)
  }
  people.set({ byId, total: Math.max(total, byId.size), namesakes })
  askNames([...byId.values()].filter(({ name }) => name === undefined))
}

const asked = new Set<number>()

// Messages do not say what people are called. One who is new has not said either, unless not all are known.
function askNames(nameless: User[]): void {
  const ids = nameless.map(({ id }) => id).filter((id) => !asked.has(id)).slice(0, MOST)
  if (ids.length === 0 || people.get().total <= MOST) return
  for (const id of ids) asked.add(id)
  void ask(`limit=${MOST}&ids=${ids}`).catch(() => {})
}

// By the stream since all was asked for last: it is newer than the answers, which it may overtake.
const told = new Map<number, User>()

const isNews = (user: User, known?: User) => known?.email !== user.email || (user.name !== undefined && known.name !== user.name)

export function meet(users: Related[]): void {
  const { byId, total } = people.get()
  const news = users.filter((user): user is User =>
    typeof user === 'object' && user !== null && !!user.email && !told.has(user.id) && isNews(user, byId.get(user.id)))
  if (news.length === 0) return
  const all = new Map(byId)
  for (const { id, email, name = byId.get(id)?.name } of news) all.set(id, { id, email, name })
  set(all, total)
}

// What the stream says of somebody, with their name.
export function hear(user: User): void {
  told.delete(user.id)
  meet([user])
  told.set(user.id, user)
}

export function forgetPeople(ids: number[]): void {
  const all = new Map(people.get().byId)
  for (const id of ids) all.delete(id)
  set(all, all.size)
}

export async function readPeople(): Promise<void> {
  told.clear()
  const { docs, totalDocs } = await call<List<User>>('GET', `parley/people?limit=${MOST}`)
  const all = new Map(docs.map((user) => [user.id, user]))
  if (totalDocs > docs.length) for (const [id, user] of people.get().byId) if (!all.has(id)) all.set(id, user)
  for (const [id, user] of told) all.set(id, user)
  set(all, totalDocs)
}

async function ask(query: string): Promise<User[]> {
  const { docs } = await call<List<User>>('GET', `parley/people?${query}`)
  meet(docs)
  return docs
}

// Where there are more people than are read at once, those who are gone would stay for good: only `known` are kept.
export function peopleToKeep(known: ReadonlyMap<number, unknown>): User[] {
  const { byId, total } = people.get()
  return [...byId.values()].filter(({ id }) => total <= MOST || known.has(id))
}

export const findPeople = (text: string): Promise<User[]> => ask(`limit=20&search=${encodeURIComponent(text)}`)

export function nobody(): void {
  asked.clear()
  people.set(NOBODY)
}

export function nameOf({ byId, namesakes }: People, id: number): string {
  const user = byId.get(id)
  if (!user) return t('person.unknown', { id: String(id) })
  const name = shownBy(user)
  return namesakes.has(name) ? user.email : name
}

export const emailOf = ({ byId }: People, id: number): string => byId.get(id)?.email ?? ''
