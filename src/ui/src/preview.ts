// A message in one line, without its markup.
import { attachmentsOf } from './attachment'
import { t } from './i18n'
import type { Message } from './types'

const MOST = 200

export function preview({ content }: Pick<Message, 'content'>): string {
  const { files, text } = attachmentsOf(content)
  const words = text.slice(0, 4 * MOST)
    .replace(/```[\w-]*\n?/g, '')
    .replace(/\[([^\]\n]*)\]\([^)\s]*\)/g, '$1')
    .replace(/\*\*|~~|`|\*(?=\S[^*\n]*\*)/g, '')
    .replace(/(\S)\*/g, '$1')
    .replace(/^\s*(>|[-*]\s)\s*/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MOST)
  if (words || files.length === 0) return words
  const [file] = files
  return file.picture ? t('preview.picture') : t('preview.file', { name: file.name })
}
