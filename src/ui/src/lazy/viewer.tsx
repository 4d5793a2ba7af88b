// Pictures, as large as the window.
import { useState, type KeyboardEvent } from 'react'
import type { Attachment } from '../attachment'
import { Icon } from '../icons'
import { t } from '../i18n'
import { useModal } from '../views/dialog'

interface ViewerProps {
  pictures: Attachment[]
  start: number
  close: () => void
}

export default function Viewer({ pictures, start, close }: ViewerProps) {
  const dialog = useModal()
  const [at, setAt] = useState(start)
  const { name, path } = pictures[at]
  const step = (by: number) => setAt((at + by + pictures.length) % pictures.length)
  const onKeyDown = (event: KeyboardEvent) => {
    const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    if (/^Arrow(Left|Right)$/.test(event.key)) step(event.key === forward ? 1 : -1)
  }
  return (
    <dialog ref={dialog} className="viewer" aria-label={name} onClose={close} onKeyDown={onKeyDown}
      onClick={(event) => { if (event.target === dialog.current) close() }}>
      <header>
        <p><bdi>{name}</bdi></p>
        {pictures.length > 1 && (
          <>
            <button type="button" className="sign flips" aria-label={t('picture.previous')} onClick={() => step(-1)}><Icon name="back" /></button>
            <button type="button" className="sign flips turned" aria-label={t('picture.next')} onClick={() => step(1)}><Icon name="back" /></button>
          </>
        )}
        <a className="sign" href={path} download aria-label={t('picture.download')} title={t('picture.download')}><Icon name="down" /></a>
        <button type="button" className="sign" aria-label={t('close')} title={t('close')} onClick={close}><Icon name="close" /></button>
      </header>
      <img src={path} alt={name} />
    </dialog>
  )
}
