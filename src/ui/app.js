// Parley's page: the first account, signing in, and one list of messages, live.
//
// What is known is kept in `people`, `messages` and `unsent`; drawing makes the page from them and touches only what
// differs. Three sources fill `messages` and may overtake each other: pages of the history, the stream, and the answers
// to what is sent here. The stream tells changes in their order, so its word stands; the others count only where they
// are newer. The history is read once the stream is open: what the page shows has no hole between the two.
//
// A message's timestamp is made here and sent along. With its sender it names the message: one that is stored although
// its answer was lost is recognised, by its coming through the stream or by a look before it is sent again.

const PAGE = 30 // messages of the history read at a time
const MAX_CONTENT = 40000 // UTF-16 units, the server's limit
const ANSWER_MS = 30_000 // the longest wait for an answer
const SILENCE_MS = 75_000 // the server says something every 30 s: a stream that is silent for longer is dead
const REOPEN_MS = 3_000 // and up to twice as long, so that not all come back at once
const REFRESH_MS = 30 * 60_000 // a session lasts two hours
const TOGETHER_MS = 5 * 60_000 // messages of the same people closer than this share a heading
const END_PX = 80 // nearer to the end than this follows it

const at = (id) => document.getElementById(id)
const idOf = (user) => (user !== null && typeof user === 'object' ? user.id : user)

function make(tag, className, text = '') {
  const element = document.createElement(tag)
  element.className = className
  element.textContent = text
  return element
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

// ---- The API ----

class Refusal extends Error {
  constructor(message, status) {
    super(message)
    this.status = status // 0: no answer came
  }
}

function reasonOf(answer) {
  const error = answer?.errors?.[0]
  const flaws = error?.data?.errors ?? []
  return flaws.map((flaw) => flaw.message).join(' ') || error?.message || 'Something went wrong.'
}

async function call(method, path, body) {
  const request = { method, signal: AbortSignal.timeout?.(ANSWER_MS) }
  if (body) Object.assign(request, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  let response, answer
  try {
    response = await fetch(`api/${path}`, request)
    answer = await response.json()
  } catch {
    throw new Refusal(response ? 'The answer could not be read.' : 'The server cannot be reached.', 0)
  }
  if (!response.ok) throw new Refusal(reasonOf(answer), response.status)
  return answer
}

// Runs what a form asks for, with its button off meanwhile; a refusal is written under the form.
async function submit(form, action) {
  const button = form.querySelector('[type=submit]')
  const error = form.querySelector('.error')
  button.disabled = true
  error.textContent = ''
  try {
    await action()
  } catch (refusal) {
    error.textContent = refusal.message
  } finally {
    button.disabled = false
  }
}

// ---- What is known ----

let me = null
const people = new Map() // id -> e-mail
const messages = new Map() // id -> document
const gone = new Set() // ids that the stream told deleted: a page of the history that is under way may still hold them
let history = null
let unsent = [] // { message, state: 'sending' | 'failed', reason, tried }, oldest first
let unseen = 0

// The history is known from `oldest` on. Older messages that the stream tells, because someone edited them, are kept
// but not shown before their neighbours are there.
const newHistory = () => ({ oldest: Infinity, newest: 0, state: 'new', reason: '' })

function meet(user) {
  if (user === null || typeof user !== 'object' || people.get(user.id) === user.email) return
  people.set(user.id, user.email)
  drawPeople()
}

const nameOf = (user) => people.get(idOf(user)) ?? `user ${idOf(user)}`

function learn(docs, { live = false } = {}) {
  const ready = history.oldest !== Infinity
  let news = []
  for (const doc of docs) {
    const known = messages.get(doc.id)
    if (!live && (gone.has(doc.id) || known?.updatedAt >= doc.updatedAt)) continue
    gone.delete(doc.id)
    meet(doc.sender)
    meet(doc.receiver)
    messages.set(doc.id, doc)
    settle(doc)
    if (live && ready && doc.id > history.newest && idOf(doc.sender) !== me.id) news.push(doc)
  }
  for (const doc of docs) history.newest = Math.max(history.newest, doc.id)
  if (news.length) announce(news)
  draw()
}

function forget(docs) {
  for (const { id } of docs) {
    messages.delete(id)
    rows.delete(id)
    gone.add(id)
  }
  draw()
}

// Ends the waiting of the message that this document is.
function settle({ sender, receiver, content, timestamp }) {
  const rest = unsent.filter(({ message: m }) => !(m.timestamp === timestamp && m.sender === idOf(sender) &&
    m.receiver === idOf(receiver) && m.content === content))
  if (rest.length === unsent.length) return
  unsent = rest
  saveUnsent()
}

function startOver() {
  messages.clear()
  rows.clear()
  gone.clear()
  history = newHistory()
  readHistory()
}

async function readHistory() {
  const asked = history
  if (asked.state === 'reading') return
  asked.state = 'reading'
  draw()
  try {
    const before = asked.oldest === Infinity ? '' : `&where[id][less_than]=${asked.oldest}`
    const page = await call('GET', `messages?depth=1&sort=-id&limit=${PAGE}${before}`)
    if (asked !== history) return
    learn(page.docs)
    asked.oldest = page.hasNextPage ? page.docs[page.docs.length - 1].id : 0
    asked.state = 'read'
  } catch (refusal) {
    asked.state = 'failed'
    asked.reason = refusal.message
  }
  draw()
}

// ---- The stream ----

let stream = null
let cursor = '' // the id of the last event
let alarm = 0

function setConnection(state, text) {
  at('connection').dataset.state = state
  setText(at('connection'), text)
}

function openStream() {
  closeStream()
  const opened = new EventSource(`api/messages/sse${cursor && `?since=${encodeURIComponent(cursor)}`}`)
  const on = (name, act) => opened.addEventListener(name, (event) => {
    expectMore()
    if (event.lastEventId) cursor = event.lastEventId
    act(event)
  })
  stream = opened
  setConnection('connecting', 'connecting …')
  expectMore()
  on('message', (event) => learn(JSON.parse(event.data), { live: true }))
  on('delete', (event) => forget(JSON.parse(event.data)))
  on('reset', startOver) // the server cannot go on where we were
  on('ping', () => {})
  opened.onopen = () => {
    setConnection('live', 'live')
    if (!cursor) startOver()
  }
  opened.onerror = () => {
    setConnection('lost', navigator.onLine ? 'reconnecting …' : 'offline')
    if (history.state === 'new') readHistory()
    // The browser tries again by itself, but not when it was refused.
    if (opened.readyState === EventSource.CLOSED) reopenAfter(REOPEN_MS * (1 + Math.random()))
  }
}

function reopenAfter(delay) {
  clearTimeout(alarm)
  alarm = setTimeout(openStream, delay)
}

const expectMore = () => reopenAfter(SILENCE_MS)

function closeStream() {
  clearTimeout(alarm)
  stream?.close()
  stream = null
}

// ---- Drawing the messages ----

const rows = new Map() // id -> { element, doc, follows }
const dayRows = new Map() // its text -> element
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
let frame = 0
let following = true

function draw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0
    if (me) drawThread()
  })
}

function shown() {
  const byTime = (a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id - b.id)
  return [...messages.values()].filter((doc) => doc.id >= history.oldest).sort(byTime)
}

function drawThread() {
  const list = []
  let last = null, day = ''
  for (const doc of shown()) {
    const itsDay = calendar.format(new Date(doc.createdAt))
    if (itsDay !== day) list.push(dayRow(itsDay))
    list.push(messageRow(doc, itsDay === day && together(last, doc)))
    day = itsDay
    last = doc
  }
  const keepPlace = holdPlace()
  arrange(at('messages'), [...list, ...unsent.map(unsentRow)])
  drawHistory(list.length + unsent.length === 0)
  keepPlace()
  drawNews()
}

function together(a, b) {
  return idOf(a.sender) === idOf(b.sender) && idOf(a.receiver) === idOf(b.receiver) &&
    new Date(b.createdAt) - new Date(a.createdAt) < TOGETHER_MS
}

// Makes these the list's children; what is in its place already is not touched, so it keeps its focus and selection.
function arrange(list, wanted) {
  const stays = new Set(wanted)
  for (const child of [...list.children]) if (!stays.has(child)) child.remove()
  let next = list.firstElementChild
  for (const element of wanted) {
    if (element === next) next = next.nextElementSibling
    else list.insertBefore(element, next)
  }
}

function dayRow(text) {
  if (!dayRows.has(text)) dayRows.set(text, make('li', 'day', text))
  return dayRows.get(text)
}

function headingOf(sender, receiver) {
  const mine = idOf(sender) === me.id
  if (mine) return idOf(receiver) === me.id ? 'Note to yourself' : `You to ${nameOf(receiver)}`
  return `${nameOf(sender)} to ${idOf(receiver) === me.id ? 'you' : nameOf(receiver)}`
}

function fillRow(element, { sender, receiver, content }, stamp, className) {
  const avatar = make('span', 'avatar', nameOf(sender).charAt(0).toUpperCase())
  const bubble = make('div', 'bubble')
  avatar.ariaHidden = 'true'
  avatar.style.setProperty('--hue', (idOf(sender) * 137) % 360)
  bubble.append(make('div', 'text', content), stamp)
  element.className = `message ${idOf(sender) === me.id ? 'mine ' : ''}${className}`
  element.replaceChildren(avatar, make('span', 'heading', headingOf(sender, receiver)), bubble)
}

function messageRow(doc, follows) {
  const row = rows.get(doc.id) ?? { element: make('li') }
  if (row.doc === doc && row.follows === follows) return row.element
  const time = new Date(doc.createdAt)
  const stamp = make('time', 'stamp', (doc.updatedAt > doc.createdAt ? 'edited · ' : '') + clock.format(time))
  stamp.dateTime = doc.createdAt
  stamp.title = moment.format(time)
  fillRow(row.element, doc, stamp, follows ? 'follows' : '')
  rows.set(doc.id, Object.assign(row, { doc, follows }))
  return row.element
}

function unsentRow(item) {
  if (item.element && item.drawn === item.state) return item.element
  item.element ??= make('li')
  item.drawn = item.state
  fillRow(item.element, item.message, make('span', 'stamp', item.state === 'failed' ? 'not sent' : 'sending …'), item.state)
  if (item.state === 'failed') item.element.append(failureOf(item))
  return item.element
}

function failureOf(item) {
  const line = make('div', 'failure', item.reason)
  const again = make('button', 'quiet', 'Send again')
  const drop = make('button', 'quiet', 'Discard')
  for (const button of [again, drop]) button.type = 'button'
  again.addEventListener('click', () => deliver(item))
  drop.addEventListener('click', () => discard(item))
  line.append(again, drop)
  return line
}

function drawHistory(empty) {
  const { oldest, state, reason } = history
  const failed = state === 'failed'
  const reading = state === 'new' || state === 'reading'
  const alone = people.size < 2 ? 'Add a person to write to.' : 'Write the first one.'
  at('history').hidden = state === 'read' && oldest === 0 && !empty
  at('history').classList.toggle('alone', empty)
  setText(at('history-text'), failed ? `The messages could not be read. ${reason}` : reading ? 'Reading messages …'
    : empty ? `No messages yet. ${alone}` : '')
  at('older').hidden = reading || (!failed && oldest === 0)
  setText(at('older'), failed ? 'Try again' : 'Show older messages')
}

// ---- Where the reader is ----

function toEnd() {
  at('scroller').scrollTop = at('scroller').scrollHeight
}

// To be called before the list changes; what it returns, after: one who reads at the end stays at the end, elsewhere
// the first row in sight stays where it is.
function holdPlace() {
  if (following) return toEnd
  const top = at('scroller').getBoundingClientRect().top
  const row = [...at('messages').children].find((child) => child.getBoundingClientRect().bottom > top)
  const before = row?.getBoundingClientRect().top
  return () => {
    if (row?.isConnected) at('scroller').scrollTop += row.getBoundingClientRect().top - before
  }
}

function scrolled() {
  const { scrollHeight, scrollTop, clientHeight } = at('scroller')
  following = scrollHeight - scrollTop - clientHeight < END_PX
  seen()
}

function seen() {
  if (following && !document.hidden) unseen = 0
  drawNews()
}

function drawNews() {
  at('news').hidden = following || unseen === 0
  setText(at('news'), `${unseen} new ↓`)
  document.title = unseen ? `(${unseen}) Parley` : 'Parley'
}

function announce(docs) {
  const [doc] = docs
  at('announcer').textContent = docs.length > 1 ? `${docs.length} new messages` : `${nameOf(doc.sender)}: ${doc.content}`
  unseen += docs.length
  seen()
}

// ---- Writing ----

// What is not sent yet survives a reload of this tab. Storage may be forbidden; then it does not.
function saveUnsent() {
  const kept = { draft: at('content').value, messages: unsent.map((item) => item.message) }
  try {
    sessionStorage.setItem(`parley.unsent.${me.id}`, JSON.stringify(kept))
  } catch {}
}

function restoreUnsent() {
  let kept = null
  try {
    kept = JSON.parse(sessionStorage.getItem(`parley.unsent.${me.id}`))
  } catch {}
  const reason = 'The page was left before an answer came.'
  unsent = (kept?.messages ?? []).map((message) => ({ message, state: 'failed', reason, tried: true }))
  at('content').value = kept?.draft ?? ''
  fitContent()
}

let sending = Promise.resolve() // one after the other, so that they are stored in the order they were written

function write(event) {
  event.preventDefault()
  const content = at('content').value
  const tooLong = content.length > MAX_CONTENT
  at('compose-error').textContent = tooLong ? `This is ${content.length} characters long; ${MAX_CONTENT} can be sent.` : ''
  if (tooLong || !content.trim()) return
  const message = { sender: me.id, receiver: Number(at('receiver').value), content, timestamp: new Date().toISOString() }
  const item = { message, state: 'sending', reason: '', tried: false }
  unsent.push(item)
  at('content').value = ''
  fitContent()
  saveUnsent()
  following = true
  deliver(item)
}

function deliver(item) {
  item.state = 'sending'
  draw()
  sending = sending.then(async () => {
    try {
      const doc = (item.tried && (await findStored(item.message))) || (await call('POST', 'messages', item.message)).doc
      if (me) learn([doc])
      discard(item)
    } catch (refusal) {
      Object.assign(item, { state: 'failed', reason: refusal.message, tried: true })
      draw()
    }
  })
}

async function findStored({ sender, receiver, content, timestamp }) {
  const query = new URLSearchParams({ depth: 1, 'where[timestamp][equals]': timestamp,
    'where[sender][equals]': sender, 'where[receiver][equals]': receiver })
  const { docs } = await call('GET', `messages?${query}`)
  return docs.find((doc) => doc.content === content)
}

function discard(item) {
  unsent = unsent.filter((other) => other !== item)
  if (me) saveUnsent()
  draw()
}

function fitContent() {
  const box = at('content')
  box.style.height = 'auto'
  box.style.height = `${box.scrollHeight + 2}px`
}

function keyDown(event) {
  const composing = event.isComposing || event.keyCode === 229 // Safari ends the composition before the key comes
  if (event.key !== 'Enter' || event.shiftKey || composing) return
  event.preventDefault()
  at('compose').requestSubmit()
}

// ---- People ----

async function readPeople() {
  const { docs } = await call('GET', 'users?limit=0&depth=0')
  for (const user of docs) people.set(user.id, user.email)
  drawPeople()
}

function drawPeople() {
  const box = at('receiver')
  const others = [...people].filter(([id]) => id !== me.id).sort((a, b) => a[1].localeCompare(b[1]))
  const choice = ([id, name]) => new Option(name, id)
  const chosen = box.value
  box.replaceChildren(...[...others, [me.id, 'yourself']].map(choice))
  if (chosen) box.value = chosen
}

function openPersonForm() {
  at('person-form').reset()
  at('person-error').textContent = ''
  at('person').showModal()
}

async function addPerson() {
  const { doc } = await call('POST', 'users', { email: at('person-email').value, password: at('person-password').value })
  const first = people.size < 2
  meet(doc)
  at('receiver').value = doc.id
  at('person').close()
  at('content').focus()
  if (first) draw()
}

// ---- Coming and going ----

const ENTRIES = {
  first: {
    title: 'Create the first account',
    hint: 'This server is new. Whoever has an account can add others.',
    button: 'Create account',
    path: 'users/first-register',
    autocomplete: 'new-password',
  },
  login: { title: 'Sign in', hint: '', button: 'Sign in', path: 'users/login', autocomplete: 'current-password' },
}
let entry = ENTRIES.login
let refreshing = 0

function showOnly(view) {
  for (const id of ['waiting', 'entry', 'chat']) at(id).hidden = id !== view
}

function wait(text, failed = false) {
  at('waiting-text').textContent = text
  at('waiting-retry').hidden = !failed
  showOnly('waiting')
}

function showEntry(which, hint = which.hint) {
  entry = which
  at('entry-form').reset()
  at('entry-title').textContent = entry.title
  at('entry-hint').textContent = hint
  at('entry-error').textContent = ''
  at('entry-button').textContent = entry.button
  at('entry-password').autocomplete = entry.autocomplete
  showOnly('entry')
  at('entry-email').focus()
}

async function enter() {
  try {
    await call('POST', entry.path, { email: at('entry-email').value, password: at('entry-password').value })
  } catch (refusal) {
    if (entry !== ENTRIES.first || refusal.status !== 403) throw refusal
    showEntry(ENTRIES.login, 'Someone has created the first account already.')
    return
  }
  at('entry-form').reset()
  await start()
}

async function showChat(user) {
  me = user
  people.clear()
  people.set(me.id, me.email)
  await readPeople()
  at('me').textContent = me.email
  at('compose-error').textContent = ''
  showOnly('chat')
  restoreUnsent()
  history = newHistory()
  following = true
  refreshing = setInterval(refresh, REFRESH_MS)
  draw()
  openStream()
  at('content').focus()
}

function leave(hint) {
  closeStream()
  clearInterval(refreshing)
  me = null
  cursor = ''
  unseen = 0
  unsent = []
  for (const known of [people, messages, gone, rows]) known.clear()
  for (const id of ['messages', 'receiver']) at(id).replaceChildren()
  for (const id of ['announcer', 'me']) at(id).textContent = ''
  at('content').value = ''
  document.title = 'Parley'
  if (at('person').open) at('person').close()
  showEntry(ENTRIES.login, hint)
}

async function signOut() {
  const lost = unsent.length > 0 || at('content').value.trim() !== ''
  if (lost && !confirm('Something you wrote has not been sent. Sign out and discard it?')) return
  try {
    await call('POST', 'users/logout')
  } catch (refusal) {
    // The session's cookie is not the page's to remove: without an answer one is still signed in. 400: it had ended.
    if (refusal.status !== 400) {
      at('compose-error').textContent = `You are still signed in. ${refusal.message}`
      return
    }
  }
  try {
    sessionStorage.removeItem(`parley.unsent.${me.id}`)
  } catch {}
  leave()
}

async function refresh() {
  try {
    await call('POST', 'users/refresh-token')
  } catch (refusal) {
    if (refusal.status === 403) leave('Your session has ended.')
  }
}

async function start() {
  wait('Loading …')
  try {
    const { user } = await call('GET', 'users/me')
    if (user) await showChat(user)
    else showEntry((await call('GET', 'users/init')).initialized ? ENTRIES.login : ENTRIES.first)
  } catch (refusal) {
    wait(refusal.message, true)
  }
}

function listen() {
  const onSubmit = (id, action) => at(id).addEventListener('submit', (event) => {
    event.preventDefault()
    submit(event.target, action)
  })
  onSubmit('entry-form', enter)
  onSubmit('person-form', addPerson)
  at('compose').addEventListener('submit', write)
  at('content').addEventListener('keydown', keyDown)
  at('content').addEventListener('input', () => { fitContent(); saveUnsent() })
  at('waiting-retry').addEventListener('click', start)
  at('older').addEventListener('click', readHistory)
  at('news').addEventListener('click', toEnd)
  at('scroller').addEventListener('scroll', scrolled)
  at('add-person').addEventListener('click', openPersonForm)
  at('person-cancel').addEventListener('click', () => at('person').close())
  at('sign-out').addEventListener('click', signOut)
  document.addEventListener('visibilitychange', () => { if (me) seen() })
  window.addEventListener('focus', () => { if (me) readPeople().catch(() => {}) })
  window.addEventListener('online', () => { if (stream) openStream() })
  new ResizeObserver(() => { if (following) toEnd() }).observe(at('scroller'))
}

listen()
start()
