// What a form does when it is sent: its button is off meanwhile, and what it was refused with is written in it.
import { useRef, useState, type FormEvent } from 'react'
import { Refusal } from '../api'

export interface FormState {
  busy: boolean
  reason: string // of all of it; '' where only fields are to blame
  flaws: Readonly<Record<string, string>> // by the fields' names
}

const READY: FormState = { busy: false, reason: '', flaws: {} }

// Thrown by `act` for what the page itself finds wrong.
export class Wrong extends Error {
  constructor(readonly field: string, message: string) {
    super(message)
  }
}

function failed(error: unknown, form: HTMLFormElement): FormState {
  if (error instanceof Wrong) return { ...READY, flaws: { [error.field]: error.message } }
  if (!(error instanceof Refusal)) throw error
  const own = error.flaws.filter(({ path }) => form.elements.namedItem(path))
  const flaws = Object.fromEntries(own.map(({ path, message }) => [path, message]))
  return { busy: false, flaws, reason: own.length && own.length === error.flaws.length ? '' : error.message }
}

type Act = (values: Record<string, string>) => Promise<void>

export function useForm(act: Act): FormState & { onSubmit: (event: FormEvent<HTMLFormElement>) => Promise<void> } {
  const [state, setState] = useState(READY)
  const busy = useRef(false)
  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy.current) return
    const form = event.currentTarget
    const values: Record<string, string> = {}
    for (const [name, value] of new FormData(form)) values[name] = String(value)
    busy.current = true
    setState({ ...READY, busy: true })
    try {
      await act(values)
      setState(READY)
    } catch (error) {
      const next = failed(error, form)
      setState(next)
      const [first] = Object.keys(next.flaws)
      const field = first ? form.elements.namedItem(first) : form.elements[0]
      if (field instanceof HTMLElement) field.focus()
    } finally {
      busy.current = false
    }
  }
  return { ...state, onSubmit }
}
