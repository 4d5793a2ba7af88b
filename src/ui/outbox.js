// What was written and is not known to be stored yet. It is kept until it is: here, and in the tab's storage, so that
// it survives a reload.
//
// A message's timestamp is made here and sent along; with its sender it names the message. One that was stored although
// its answer was lost is recognised by it, when it comes through the stream or when it is looked for before it is sent
// a second time.
import { call, idOf } from './api.js'

const LEFT = 'The page was left before an answer came.'

export class Outbox {
  items = [] // { message, state: 'sending' | 'failed', reason, tried }, oldest first
  #sending = Promise.resolve() // one after the other: they are stored in the order in which they were written
  #draft = ''
  #key

  // stored(doc): a message has become this document · changed(): there is something to draw
  constructor(sender, listener) {
    this.sender = sender
    this.listener = listener
    this.#key = `parley.unsent.${sender}`
    this.#restore()
  }

  get draft() {
    return this.#draft
  }

  set draft(text) {
    this.#draft = text
    this.#save()
  }

  add(receiver, content) {
    const message = { sender: this.sender, receiver, content, timestamp: new Date().toISOString() }
    const item = { message, state: 'sending', reason: '', tried: false }
    this.items.push(item)
    this.#save()
    this.send(item)
  }

  send(item) {
    item.state = 'sending'
    this.listener.changed()
    this.#sending = this.#sending.then(() => this.#deliver(item))
  }

  drop(item) {
    this.#keep((other) => other !== item)
  }

  // Ends the waiting of the messages that these documents are.
  settle(docs) {
    this.#keep(({ message }) => !docs.some((doc) => isSame(message, doc)))
  }

  // Nothing of it stays behind, also not in the tab.
  clear() {
    this.items = []
    this.#draft = ''
    this.#save()
  }

  async #deliver(item) {
    try {
      const found = item.tried ? await findStored(item.message) : null
      this.listener.stored(found ?? (await call('POST', 'messages', item.message)).doc)
      this.drop(item)
    } catch (refusal) {
      Object.assign(item, { state: 'failed', reason: refusal.message, tried: true })
      this.listener.changed()
    }
  }

  #keep(wanted) {
    const kept = this.items.filter(wanted)
    if (kept.length === this.items.length) return
    this.items = kept
    this.#save()
    this.listener.changed()
  }

  // Storage may be forbidden or full; then a reload loses what was not sent, and nothing else changes.
  #save() {
    const messages = this.items.map((item) => item.message)
    try {
      if (!this.#draft && messages.length === 0) sessionStorage.removeItem(this.#key)
      else sessionStorage.setItem(this.#key, JSON.stringify({ draft: this.#draft, messages }))
    } catch {}
  }

  #restore() {
    let kept = null
    try {
      kept = JSON.parse(sessionStorage.getItem(this.#key))
    } catch {}
    this.#draft = kept?.draft ?? ''
    this.items = (kept?.messages ?? []).map((message) => ({ message, state: 'failed', reason: LEFT, tried: true }))
  }
}

function isSame(message, doc) {
  return message.timestamp === doc.timestamp && message.sender === idOf(doc.sender) &&
    message.receiver === idOf(doc.receiver) && message.content === doc.content
}

async function findStored(message) {
  const { sender, timestamp } = message
  const where = new URLSearchParams({ 'where[sender][equals]': sender, 'where[timestamp][equals]': timestamp })
  const { docs } = await call('GET', `messages?depth=1&limit=0&${where}`)
  return docs.find((doc) => isSame(message, doc))
}
