// Keeps a reader's place while rows come and go around it.
//
// The scroller is a column upside down (column-reverse) with one child: its scrollTop is 0 at the end and negative above,
// so that whoever is at the end stays there by himself. For a reader farther up, the first rows in sight and how far
// they are from the top are remembered at each scroll; when the rows have changed, the first that is still there is put
// back, before the browser draws. Rows are told by data-id.
import { useLayoutEffect, useRef, useState, type RefObject } from 'react'

const END_PX = 100 // a reader nearer to the end than this follows it
const REMEMBERED = 30

interface Place {
  id: string
  top: number
}

export interface Anchor {
  atEnd: boolean
  toEnd: () => void
  show: (id: number, block: 'start' | 'center') => void // the row, if it is there
  onScroll: () => void
}

const topOf = (scroller: HTMLElement) => scroller.getBoundingClientRect().top

// The rows in sight, the first one found by halving.
function placesOf(scroller: HTMLElement): Place[] {
  const top = topOf(scroller)
  const rows = scroller.querySelectorAll<HTMLElement>('[data-id]')
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1
    else high = middle
  }
  const places: Place[] = []
  for (let at = low; at < rows.length && places.length < REMEMBERED; at++)
    places.push({ id: rows[at].dataset.id ?? '', top: rows[at].getBoundingClientRect().top - top })
  return places
}

export function useAnchor(scroller: RefObject<HTMLElement | null>, scrolled: () => void): Anchor {
  const places = useRef<Place[] | null>(null) // null: at the end
  const putBack = useRef(NaN) // the scrollTop that was set last; remembered as it came out, fractions of pixels would add up
  const [atEnd, setAtEnd] = useState(true)
  const remember = () => {
    const box = scroller.current
    if (!box) return
    places.current = box.scrollTop > -END_PX ? null : placesOf(box)
    setAtEnd(places.current === null)
  }
  const restore = () => {
    const box = scroller.current
    if (!box) return
    if (!places.current) {
      if (box.scrollTop !== 0) box.scrollTop = 0
      return
    }
    for (const { id, top } of places.current) {
      const row = box.querySelector(`[data-id="${id}"]`)
      if (!row) continue
      const moved = row.getBoundingClientRect().top - topOf(box) - top
      if (Math.abs(moved) >= 0.5) {
        box.scrollTop += moved
        putBack.current = box.scrollTop
      }
      return
    }
  }
  useLayoutEffect(restore)
  useLayoutEffect(() => {
    const box = scroller.current
    if (!box) return
    // A picture that came, a keyboard that opened, a window that was made smaller.
    const observer = new ResizeObserver(restore)
    observer.observe(box)
    if (box.firstElementChild) observer.observe(box.firstElementChild)
    return () => observer.disconnect()
  }, [])
  const onScroll = () => {
    if (scroller.current?.scrollTop !== putBack.current) {
      putBack.current = NaN
      remember()
    }
    scrolled()
  }
  const toEnd = () => {
    places.current = null
    setAtEnd(true)
    if (scroller.current) scroller.current.scrollTop = 0
  }
  const show = (id: number, block: 'start' | 'center') => {
    const box = scroller.current
    const row = box?.querySelector(`[data-id="${id}"]`)
    if (!box || !row) return
    const room = block === 'center' ? (box.clientHeight - row.clientHeight) / 2 : 72
    box.scrollTop += row.getBoundingClientRect().top - topOf(box) - Math.max(0, room)
    remember()
  }
  return { atEnd, toEnd, show, onScroll }
}
