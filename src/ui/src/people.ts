// Who there is, by id. A person is shown by the part of the address before the @, where no other has the same.
import { call } from './api'
import { t } from './i18n'
import { Store } from './store'
import type { List, Related, User } from './types'

export const MOST = 500 // are known at first; more are met in messages, or looked for

export interface People {
  byId: ReadonlyMap<number, User>
  total: number
  namesakes: ReadonlySet<string> // local parts that more than one person has
}

const NOBODY: People = { byId: new Map(), total: 0, namesakes: new Set() }

export const people = new Store<People>(NOBODY)

const localPart = (email: string) => email.slice(0, Math.max(1, email.lastIndexOf('@')))

function withAll(byId: Map<number, User>, total: number): People {
  const seen = new Set<string>()
  const namesakes = new Set<string>()
  for (const { email } of byId.values()) {
    const name = localPart(email)
    if (seen.has(name)) namesakes.add(name)
    seen.add(name)
  }
  return { byId, total: Math.max(total, byId.size), namesakes }
}

export function meet(users: Related[]): void {
  const { byId, total } = people.get()
  const strangers = users.filter((user): user is User =>
    typeof user === 'object' && user !== null && !!user.email && byId.get(user.id)?.email !== user.email)
  if (strangers.length === 0) return
  const all = new Map(byId)
  for (const { id, email } of strangers) all.set(id, { id, email })
  people.set(withAll(all, total))
}

export function forgetPeople(ids: number[]): void {
  const all = new Map(people.get().byId)
  for (const id of ids) all.delete(id)
  people.set(withAll(all, all.size))
}

export async function readPeople(): Promise<void> {
  const { docs, totalDocs } = await call<List<User>>('GET', `users?limit=${MOST}&depth=0&sort=email&select[email]=true`)
  const all = new Map(docs.map((user) => [user.id, user]))
  if (totalDocs > docs.length) for (const [id, user] of people.get().byId) if (!all.has(id)) all.set(id, user)
  people.set(withAll(all, totalDocs))
}

export async function findPeople(text: string): Promise<User[]> {
  const query = `users?limit=20&depth=0&sort=email&select[email]=true&where[email][contains]=${encodeURIComponent(text)}`
  const { docs } = await call<List<User>>('GET', query)
  meet(docs)
  return docs
}

// Where there are more people than are read at once, those who are gone would stay for good: only `known` are kept.
export function peopleToKeep(known: ReadonlyMap<number, unknown>): User[] {
  const { byId, total } = people.get()
  return [...byId.values()].filter(({ id }) => total <= MOST || known.has(id))
}

export function nobody(): void {
  people.set(NOBODY)
}

export function nameOf({ byId, namesakes }: People, id: number): string {
  const user = byId.get(id)
  if (!user) return t('person.unknown', { id: String(id) })
  const name = localPart(user.email)
  return namesakes.has(name) ? user.email : name
}

export const emailOf = ({ byId }: People, id: number): string => byId.get(id)?.email ?? ''
