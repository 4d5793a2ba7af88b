// A message's text: as it was typed, or with its markup when that is loaded.
import { Fragment, useMemo, useState, type ReactNode } from 'react'
import { speech, t } from '../i18n'
import { Store, useStore } from '../store'

type Draw = (text: string, plain: (text: string) => ReactNode) => ReactNode

const MARKED = /[*_~`[\\]|^\s*(?:>|[-+]\s|\d{1,9}[.)]\s)|https?:\/\/|www\.|\S@\S/m
const EMOJI = /^(?:(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)(?:\p{EMod}|\u200d\p{Emoji}\ufe0f?)*\s*){1,3}$/u
const LONG = /([^\0-\x7f]{200})/u
const MOST_MARKED = 4_000 // characters; longer ones are shown as they were typed
const FOLDED = 1_600 // characters of a long message that are shown before one asks for all
const FOLDED_LINES = 30

const markdown = new Store<Draw | null>(null)
let loading = false

function load(): void {
  if (loading) return
  loading = true
  import('../markdown').then(({ drawMarkdown }) => markdown.set(drawMarkdown), () => { loading = false })
}

// The start of a long text, or null: it is not long.
function folded(text: string): string | null {
  const lines = text.split('\n', FOLDED_LINES + 20)
  if (text.length <= 2 * FOLDED && lines.length < FOLDED_LINES + 20) return null
  const start = lines.slice(0, FOLDED_LINES).join('\n').slice(0, FOLDED)
  // Half of a character is none.
  return start.replace(/\p{Surrogate}$/u, '')
}

// Where letters join or carry marks, a word that fills lines is drawn in a time that grows with its square: one of 40,000
// Arabic letters takes half a minute. Places where a line may end make several of it.
function breakable(text: string): ReactNode {
  const parts = text.split(LONG)
  return parts.length > 1 ? parts.map((part, at) => part && <Fragment key={at}>{part}<wbr /></Fragment>) : text
}

function Marked({ text }: { text: string }) {
  const draw = useStore(markdown)
  if (!draw) load()
  const drawn = useMemo(() => draw?.(text, breakable) ?? null, [draw, text, speech.get()])
  return <div className={`text${drawn ? '' : ' typed'}`} dir="auto">{drawn ?? breakable(text)}</div>
}

export function MessageText({ text }: { text: string }) {
  const start = folded(text)
  const [whole, setWhole] = useState(false)
  if (start !== null && !whole) {
    return (
      <div className="text typed" dir="auto">
        {breakable(start)}…{' '}
        <button type="button" className="link" onClick={() => setWhole(true)}>{t('message.showAll')}</button>
      </div>
    )
  }
  if (text.length <= MOST_MARKED && MARKED.test(text)) return <Marked text={text} />
  return <div className={`text typed${EMOJI.test(text) ? ' emoji' : ''}`} dir="auto">{breakable(text)}</div>
}
