// A block of code, with a button that copies it.
import { useState } from 'react'
import { copy } from '../copy'
import { t } from '../i18n'

export function CodeBlock({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  const onClick = async () => setCopied(await copy(text))
  return (
    <div className="code" dir="ltr">
      <pre tabIndex={0}><code>{text}</code></pre>
      <button type="button" className="quiet" onClick={onClick}>{copied ? t('copied') : t('copy')}</button>
    </div>
  )
}
