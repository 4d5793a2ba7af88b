// A file in a message. Messages hold text alone, so that it is a link of its own line, to where the server has the file:
//
//     [The garden in May](/api/media/file/garden.jpg#1600x900)
//     [plan.pdf](/api/media/file/plan.pdf#183024)
//
// which any other client shows as what it is. The text is what stands for a picture, or the file's name. Behind the #,
// where no server sees it, stands how large it is: a picture's width and height, for which the page keeps the room before
// it is there; of others the bytes.
import type { Media } from './types'

export interface Attachment {
  name: string
  path: string // relative to the page
  picture: { width: number; height: number } | null
  bytes: number // 0: not said
}

const LINE = /^\[((?:\\.|[^\]\\\n]){1,300})\]\(\/api\/media\/file\/([^\s()#?/]{1,400})(?:#(\d{1,5})x(\d{1,5})|#(\d{1,15}))?\)$/
const PICTURE = /\.(png|jpe?g|gif|webp|avif)$/i
const MOST = 10 // in one message

export function linkOf({ filename, filesize, width, height }: Media, text: string): string {
  const name = text.replace(/\s+/g, ' ').slice(0, 250).replace(/[[\]\\]/g, '\\$&')
  const size = PICTURE.test(filename) && width && height ? `${width}x${height}` : filesize
  // Parentheses would end the link.
  const path = encodeURIComponent(filename).replace(/[()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  return `[${name}](/api/media/file/${path}#${size})`
}

// The files of a message, and the text without them.
export function attachmentsOf(content: string): { files: Attachment[]; text: string } {
  if (!content.includes('](/api/media/file/')) return { files: [], text: content }
  const files: Attachment[] = []
  const rest: string[] = []
  for (const line of content.split('\n')) {
    const found = files.length < MOST ? LINE.exec(line) : null
    if (!found) {
      rest.push(line)
      continue
    }
    const [, name, file, width, height, bytes] = found
    const picture = width && height && PICTURE.test(file) ? { width: Number(width), height: Number(height) } : null
    files.push({ name: name.replace(/\\(.)/g, '$1'), path: `api/media/file/${file}`, picture, bytes: Number(bytes) || 0 })
  }
  return { files, text: rest.join('\n').trim() }
}
