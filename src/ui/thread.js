// The list of messages on the page: draws a feed and an outbox, and touches only what differs.
import { idOf } from './api.js'

const TOGETHER_MS = 5 * 60_000 // messages of the same people closer than this share a heading
const END_PX = 80 // a reader nearer to the end than this follows it

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

const at = (id) => document.getElementById(id)

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function make(tag, className, text = '') {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}

export class Thread {
  #rows = new Map() // id -> { element, doc, follows }
  #days = new Map() // its text -> element
  #frame = 0
  #following = true
  #unseen = 0
  #closed = false
  #resized = new ResizeObserver(() => this.#following && this.toEnd())

  constructor(me, people, feed, outbox) {
    Object.assign(this, { me, people, feed, outbox })
    this.scroller = at('scroller')
    this.scroller.onscroll = () => this.#scrolled()
    at('news').onclick = () => this.toEnd()
    at('older').onclick = () => feed.readHistory()
    document.onvisibilitychange = () => this.#see()
    this.#resized.observe(this.scroller)
  }

  close() {
    this.#closed = true
    cancelAnimationFrame(this.#frame)
    this.#resized.disconnect()
    document.onvisibilitychange = null
    document.title = 'Parley'
    at('messages').replaceChildren()
    at('announcer').textContent = ''
  }

  // Any number of changes are drawn at once, with the browser's next frame; a hidden tab draws when it is looked at.
  draw() {
    if (this.#closed) return
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0
      this.#draw()
    })
  }

  toEnd() {
    this.#following = true
    this.scroller.scrollTop = this.scroller.scrollHeight
  }

  announce(docs) {
    const { sender, content } = docs[0]
    const one = `${this.#nameOf(sender)}: ${content}`
    at('announcer').textContent = docs.length > 1 ? `${docs.length} new messages` : one
    this.#unseen += docs.length
    this.#see()
  }

  #draw() {
    const keepPlace = this.#holdPlace()
    const elements = [...this.#documentRows(), ...this.outbox.items.map((item) => this.#unsentRow(item))]
    arrange(at('messages'), elements)
    this.#drawHistory(elements.length === 0)
    keepPlace()
    this.#see()
  }

  #documentRows() {
    const elements = []
    const rows = new Map()
    let last = null, day = ''
    for (const doc of this.feed.documents()) {
      const itsDay = calendar.format(new Date(doc.createdAt))
      if (itsDay !== day) elements.push(this.#dayRow(itsDay))
      const row = this.#messageRow(doc, itsDay === day && areTogether(last, doc))
      rows.set(doc.id, row)
      elements.push(row.element)
      day = itsDay
      last = doc
    }
    this.#rows = rows
    return elements
  }

  #dayRow(text) {
    if (!this.#days.has(text)) this.#days.set(text, make('li', 'day', text))
    return this.#days.get(text)
  }

  #messageRow(doc, follows) {
    const row = this.#rows.get(doc.id) ?? { element: make('li', '') }
    if (row.doc === doc && row.follows === follows) return row
    const time = new Date(doc.createdAt)
    const stamp = make('time', 'stamp', (doc.updatedAt > doc.createdAt ? 'edited · ' : '') + clock.format(time))
    stamp.dateTime = doc.createdAt
    stamp.title = moment.format(time)
    this.#fill(row.element, doc, stamp, follows ? 'follows' : '')
    return Object.assign(row, { doc, follows })
  }

  #unsentRow(item) {
    if (item.drawn === item.state) return item.element
    const failed = item.state === 'failed'
    item.element ??= make('li', '')
    item.drawn = item.state
    this.#fill(item.element, item.message, make('span', 'stamp', failed ? 'not sent' : 'sending …'), item.state)
    if (failed) item.element.append(this.#failure(item))
    return item.element
  }

  #failure(item) {
    const line = make('p', 'failure', item.reason)
    const button = (text, onclick) => Object.assign(make('button', 'quiet', text), { type: 'button', onclick })
    line.append(
      button('Send again', () => this.outbox.send(item)),
      button('Discard', () => this.outbox.drop(item)),
    )
    return line
  }

  #fill(element, { sender, receiver, content }, stamp, className) {
    const avatar = make('span', 'avatar', this.#nameOf(sender).charAt(0).toUpperCase())
    const bubble = make('div', 'bubble')
    avatar.setAttribute('aria-hidden', 'true')
    avatar.style.setProperty('--hue', (idOf(sender) * 137) % 360)
    bubble.append(make('div', 'text', content), stamp)
    element.className = `message ${this.#isMe(sender) ? 'mine ' : ''}${className}`
    element.replaceChildren(avatar, make('span', 'heading', this.#heading(sender, receiver)), bubble)
  }

  #heading(sender, receiver) {
    if (this.#isMe(receiver)) return this.#isMe(sender) ? 'Note to yourself' : `${this.#nameOf(sender)} to you`
    return `${this.#isMe(sender) ? 'You' : this.#nameOf(sender)} to ${this.#nameOf(receiver)}`
  }

  #isMe(user) {
    return idOf(user) === this.me.id
  }

  #nameOf(user) {
    return this.people.get(idOf(user)) ?? `user ${idOf(user)}`
  }

  #drawHistory(empty) {
    const { oldest, state, reason } = this.feed.history
    const failed = state === 'failed'
    const whole = state === 'read' && oldest === 0
    let text = ''
    if (whole && empty) text = `No messages yet. ${this.people.size > 1 ? 'Write the first one.' : 'Add a person.'}`
    if (failed) text = `The messages could not be read. ${reason}`
    if (state === 'new' || state === 'reading') text = 'Reading messages …'
    at('history').classList.toggle('alone', empty)
    setText(at('history-text'), text)
    setText(at('older'), failed ? 'Try again' : 'Show older messages')
    at('older').hidden = whole || state === 'new' || state === 'reading'
  }

  // To be called before the list changes; what it returns, after: who reads at the end stays at the end, elsewhere the
  // first row in sight stays where it is.
  #holdPlace() {
    if (this.#following) return () => this.toEnd()
    const top = this.scroller.getBoundingClientRect().top
    const row = [...at('messages').children].find((child) => child.getBoundingClientRect().bottom > top)
    const before = row?.getBoundingClientRect().top
    return () => {
      if (row?.isConnected) this.scroller.scrollTop += row.getBoundingClientRect().top - before
    }
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller
    this.#following = scrollHeight - scrollTop - clientHeight < END_PX
    this.#see()
  }

  #see() {
    if (this.#following && !document.hidden) this.#unseen = 0
    at('news').hidden = this.#following || this.#unseen === 0
    setText(at('news'), `${this.#unseen} new ↓`)
    document.title = this.#unseen ? `(${this.#unseen}) Parley` : 'Parley'
  }
}

function areTogether(a, b) {
  return idOf(a.sender) === idOf(b.sender) && idOf(a.receiver) === idOf(b.receiver) &&
    new Date(b.createdAt) - new Date(a.createdAt) < TOGETHER_MS
}

// Makes these the list's children. What is in its place already is not touched: it keeps its focus and selection.
function arrange(list, wanted) {
  const stays = new Set(wanted)
  for (const child of [...list.children]) if (!stays.has(child)) child.remove()
  let next = list.firstElementChild
  for (const element of wanted) {
    if (element === next) next = next.nextElementSibling
    else list.insertBefore(element, next)
  }
}
