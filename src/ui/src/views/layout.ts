// How much room there is, and how much something takes.
import { useLayoutEffect, type RefObject } from 'react'
import { Store } from '../store'

const narrow = matchMedia('(max-width: 43.69em)')

// No room for the list and a thread beside each other: where letters are large they take more. What there is of the two
// app.css sees for itself.
export const isNarrow = new Store(narrow.matches)

// Browsers tell of another width, but not of other letters, which are chosen elsewhere.
const look = () => isNarrow.set(narrow.matches)
narrow.addEventListener('change', look)
addEventListener('focus', look)

// A field is as tall as its text.
export function useAsTall(field: RefObject<HTMLElement | null>, changes: unknown[]): void {
  useLayoutEffect(() => {
    const { current: box } = field
    if (!box) return
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight}px`
  }, changes)
}
