// A field of a form with its label and what is wrong with it.
import { useId, useLayoutEffect, useRef, useState, type InputHTMLAttributes } from 'react'
import { t } from '../i18n'

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string
  flaw?: string
  hint?: string
}

export function Field({ label, flaw, hint, type, autoFocus, ...input }: FieldProps) {
  const box = useRef<HTMLInputElement>(null)
  const id = useId()
  const [shown, setShown] = useState(false)
  // Before it is seen: what somebody types behind a moment may be meant for another field.
  useLayoutEffect(() => { if (autoFocus) box.current?.focus() }, [])
  const secret = type === 'password'
  const about = [flaw && `${id}-flaw`, hint && `${id}-hint`].filter(Boolean).join(' ') || undefined
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input">
        <input {...input} ref={box} data-first={autoFocus || undefined} id={id} type={secret && shown ? 'text' : type} aria-invalid={flaw ? true : undefined}
          aria-describedby={about} />
        {secret && (
          <button type="button" className="link" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? t('password.hide') : t('password.show')}
          </button>
        )}
      </div>
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
      {flaw && <p className="flaw" id={`${id}-flaw`}>{flaw}</p>}
    </div>
  )
}
