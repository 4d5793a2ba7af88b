// How much room there is, and how much something takes.
import { useLayoutEffect, type RefObject } from 'react'
import { Store } from '../store'

const narrow = matchMedia('(max-width: 43.69em)')

// No room for the list and a thread beside each other. Where letters are large they take more; app.css asks the same.
export const isNarrow = new Store(narrow.matches)

narrow.addEventListener('change', () => isNarrow.set(narrow.matches))

// A field is as tall as its text.
export function useAsTall(field: RefObject<HTMLElement | null>, changes: unknown[]): void {
  useLayoutEffect(() => {
    const { current: box } = field
    if (!box) return
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight}px`
  }, changes)
}
