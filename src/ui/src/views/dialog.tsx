// A dialog of the page: modal, closed with Escape, by its button or beside it.
import { useId, useLayoutEffect, useRef, type ReactNode } from 'react'
import { Icon } from '../icons'
import { t } from '../i18n'

interface DialogProps {
  title: string
  close: () => void
  children: ReactNode
  className?: string
}

// Opened at once: behind a moment the focus may be elsewhere already. It goes back to where it was.
export function useModal() {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null
    dialog.current?.showModal()
    dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus()
    return () => before?.focus()
  }, [])
  return dialog
}

export function Dialog({ title, close, children, className = '' }: DialogProps) {
  const dialog = useModal()
  const id = useId()
  const onClick = (event: React.MouseEvent) => { if (event.target === dialog.current) close() }
  return (
    <dialog ref={dialog} className={className} aria-labelledby={id} onClose={close} onClick={onClick}>
      <div className="card">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="sign" aria-label={t('close')} title={t('close')} onClick={close}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

interface QuestionProps {
  title: string
  text: string | false
  button: string
  act: () => void // the answer is yes
  close: () => void
}

export function Question({ title, text, button, act, close }: QuestionProps) {
  return (
    <Dialog title={title} close={close}>
      {text && <p>{text}</p>}
      <p className="buttons">
        <button type="button" className="quiet" onClick={close}>{t('cancel')}</button>
        <button type="button" className="primary danger" onClick={() => { close(); act() }}>{button}</button>
      </p>
    </Dialog>
  )
}
