// A value that changes, and who wants to know.
import { useSyncExternalStore } from 'react'

export class Store<T> {
  #value: T
  #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get = (): T => this.#value

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener()
  }

  update(change: Partial<T>): void {
    this.set({ ...this.#value, ...change })
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

// The part of a store's value that a component shows. `select` gives the same for the same value.
export function useStore<T>(store: Store<T>): T
export function useStore<T, U>(store: Store<T>, select: (value: T) => U): U
export function useStore<T, U>(store: Store<T>, select?: (value: T) => U): T | U {
  const read = () => (select ? select(store.get()) : store.get())
  return useSyncExternalStore<T | U>(store.subscribe, read, read)
}
