// A person as a coloured disc with a letter: the same colour everywhere.
import { Icon } from '../icons'

export function Avatar({ id, name, online = false }: { id: number; name: string; online?: boolean }) {
  const [letter] = name
  return (
    <span className="avatar" aria-hidden="true" style={{ '--hue': (id * 137) % 360 } as React.CSSProperties}>
      {letter?.toUpperCase()}
      {online && <span className="online" />}
    </span>
  )
}

export function SignAvatar({ sign }: { sign: 'everyone' | 'note' }) {
  return <span className="avatar sign" aria-hidden="true"><Icon name={sign} size={20} /></span>
}
