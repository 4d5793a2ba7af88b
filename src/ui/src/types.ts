// What the server's documents look like, as far as the page reads them.

export interface User {
  id: number
  email: string
  name?: string | null // that they chose; undefined: not said here, as in messages
}

export type Related = number | User

export interface MessageDoc {
  id: number
  sender: Related
  receiver: Related
  content: string
  timestamp: string
  createdAt: string
  updatedAt: string
}

// A message as the page keeps it: people by their ids.
export interface Message extends MessageDoc {
  sender: number
  receiver: number
  deleted?: boolean // while one had it in the page: where it stood is still shown
}

export interface List<T> {
  docs: T[]
  totalDocs: number
  hasNextPage: boolean
}

export interface Config {
  version: string
  messages: 'open' | 'private'
  maxContent: number // UTF-16 units
  uploadBytes: number
  setupToken?: boolean // the first account needs one
}

export interface Media {
  id: number
  alt: string
  url: string
  filename: string
  mimeType: string
  filesize: number
  width: number | null
  height: number | null
}

// Whom one writes with: a person's id, or all messages of all.
export type Peer = number | 'all'

export const idOf = (user: Related): number => (typeof user === 'object' ? user.id : user)

export const messageOf = (doc: MessageDoc): Message => ({ ...doc, sender: idOf(doc.sender), receiver: idOf(doc.receiver) })

// The one of two people who is not `me`; of a note to oneself, oneself.
export const peerOf = (message: Message, me: number): number | null => {
  if (message.sender === me) return message.receiver
  return message.receiver === me ? message.sender : null
}
