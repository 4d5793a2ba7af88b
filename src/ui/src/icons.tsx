// The page's signs, drawn as lines on a square of 24.
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M5 12h13M12 5l7 7-7 7',
  attach: 'M20 11.5l-8.3 8.3a5 5 0 0 1-7-7L13 4.4a3.3 3.3 0 0 1 4.7 4.7l-8.3 8.3a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  down: 'M12 5v14M5 12l7 7 7-7',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM20 20l-4.8-4.8',
  add: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  everyone: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 2.9-6 6.5-6s6.5 2.5 6.5 6M16 4.5a3.3 3.3 0 0 1 0 6M17.5 14.3c2.4.7 4 2.8 4 5.7',
  note: 'M6 3h12v18l-6-4-6 4z',
  warn: 'M12 3.5L22 20.5H2zM12 10v4.5M12 17.5h.01',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
} as const

export type IconName = keyof typeof PATHS

// Beside a text, or in a button with a label of its own: never read aloud.
export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
