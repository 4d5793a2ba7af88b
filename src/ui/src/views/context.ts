// The chat of the page that a view stands in.
import { createContext, useContext } from 'react'
import type { Chat } from '../chat'

export const ChatContext = createContext<Chat | null>(null)

// Within the page of somebody who is signed in.
export function useChat(): Chat {
  const chat = useContext(ChatContext)
  if (!chat) throw new Error('nobody is signed in')
  return chat
}
