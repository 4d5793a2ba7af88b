// A button that opens a short list of things to do.
import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { Icon, type IconName } from '../icons'

export interface Choice {
  label: string
  danger?: boolean
  act: () => void
}

interface MenuProps {
  label: string
  icon: IconName
  choices: () => Choice[] // asked when it opens
  tabbable?: boolean
  className?: string
}

function Choices({ choices, close, label }: { choices: Choice[]; close: (focus: boolean) => void; label: string }) {
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const items = list.current
    // Down where there is room, else up; never beyond the sides.
    const room = items?.closest('.scroller')?.getBoundingClientRect()
    if (items && room) {
      const { left, right, bottom } = items.getBoundingClientRect()
      if (bottom > room.bottom) items.classList.add('up')
      items.style.translate = `${Math.max(room.left - left, Math.min(0, room.right - right))}px`
    }
    // Where it is now: it comes into sight with the focus.
    items?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    const outside = (event: Event) => { if (!items?.parentElement?.contains(event.target as Node)) close(false) }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  }, [])
  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(list.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
    const at = items.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (event.key === 'Escape' || event.key === 'Tab') close(event.key === 'Escape')
    else if (to !== undefined) items.at(to % items.length)?.focus()
    else return
    event.stopPropagation()
    if (event.key !== 'Tab') event.preventDefault()
  }
  const items: ReactNode[] = choices.map((choice) => (
    <button key={choice.label} type="button" role="menuitem" tabIndex={-1} className={choice.danger ? 'danger' : ''}
      onClick={() => { close(true); choice.act() }}>
      {choice.label}
    </button>
  ))
  return <div className="choices" role="menu" aria-label={label} ref={list} onKeyDown={onKeyDown}>{items}</div>
}

export function Menu({ label, icon, choices, tabbable = true, className = '' }: MenuProps) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const close = (focus: boolean) => {
    setOpen(false)
    if (focus) button.current?.focus()
  }
  return (
    <div className={`menu ${className}`} data-open={open || undefined}>
      <button ref={button} type="button" className="sign" aria-label={label} title={label} aria-haspopup="menu"
        aria-expanded={open} tabIndex={tabbable ? 0 : -1} onClick={() => setOpen(!open)}>
        <Icon name={icon} />
      </button>
      {open && <Choices choices={choices()} close={close} label={label} />}
    </div>
  )
}
