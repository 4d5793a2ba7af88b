// What was seen last, kept in the browser (IndexedDB, which is there on plain http too): shown at once where the server
// takes its time, and instead of an empty page where it is away. The server's word replaces it, whole, when it comes.
//
// It is of one person, who was signed in last: what is known of them is their id and address, and no key to anything.
// Both go when they sign out, when their session has ended, and when somebody else comes. Where the browser keeps
// nothing, or no longer, or for another version of the page, it is as if nothing had been seen.
import { now } from './api'
import { keep, kept } from './storage'
import type { User } from './types'

const OWNER = 'parley.me'
const SHELF = 'seen'
const BATCH_MS = 1_000 // what changes in that time is written together, once the page has nothing else to do, or as late again

export interface Seen<T> {
  at: string // when, by the server's clock
  what: T
}

let opening: Promise<IDBDatabase> | null = null

const open = (): Promise<IDBDatabase> => (opening ??= new Promise((resolve, reject) => {
  const request = indexedDB.open('parley', 1)
  request.onupgradeneeded = () => request.result.createObjectStore(SHELF)
  request.onerror = reject
  request.onsuccess = () => {
    const database = request.result
    // Another version of the page wants it otherwise, or the browser has removed it.
    database.onversionchange = database.onclose = () => {
      database.close()
      opening = null
    }
    resolve(database)
  }
}))

const shelf = async (mode: IDBTransactionMode): Promise<IDBObjectStore> =>
  (await open()).transaction(SHELF, mode).objectStore(SHELF)

export const lastIn = (): User | null => kept<User>(OWNER)

// From now on it is theirs; what it held of another goes.
export function ownedBy(user: User | null): void {
  if (!user || lastIn()?.id !== user.id) shelf('readwrite').then((all) => all.clear(), () => {})
  keep(OWNER, user)
}

export class Snapshot {
  #me: number
  #waiting = new Map<string, () => unknown>()
  #due = false

  constructor(me: number) {
    this.#me = me
  }

  async read<T>(name: string): Promise<Seen<T> | undefined> {
    try {
      const request: IDBRequest<Seen<T> | undefined> = (await shelf('readonly')).get(this.#key(name))
      return await new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = reject
      })
    } catch {
      return undefined
    }
  }

  // Soon; what `look` gives then, and nothing if that is null.
  write(name: string, look: () => unknown): void {
    this.#waiting.set(name, look)
    if (!this.#due) setTimeout(this.#whenIdle, BATCH_MS)
    this.#due = true
  }

  flush = async (): Promise<void> => {
    this.#due = false
    try {
      const all = await shelf('readwrite')
      for (const [name, look] of this.#waiting) {
        // One may have signed out meanwhile, in this tab or another.
        const what = lastIn()?.id === this.#me && look()
        if (what) all.put({ at: new Date(now()).toISOString(), what }, this.#key(name))
      }
    } catch {
      // There is no room, or no place at all.
    }
    this.#waiting.clear()
  }

  #whenIdle = (): void => {
    if ('requestIdleCallback' in window) requestIdleCallback(this.flush, { timeout: BATCH_MS })
    else void this.flush()
  }

  #key(name: string): string {
    return `${this.#me}.${name}`
  }
}
