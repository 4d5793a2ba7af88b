// Parley's page: the first account, signing in and out, people, and writing. The messages are in feed.js (what is
// known), outbox.js (what is not sent yet) and thread.js (what is drawn).
import { call, idOf } from './api.js'
import { Feed } from './feed.js'
import { Outbox } from './outbox.js'
import { Thread } from './thread.js'

const MAX_CONTENT = 40000 // UTF-16 units, the server's limit
const REFRESH_MS = 30 * 60_000 // a session lasts two hours
const CONNECTIONS = { connecting: 'connecting …', live: 'live', lost: 'reconnecting …', offline: 'offline' }
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
let chat = null // all that one session knows; null: nobody is signed in

const at = (id) => document.getElementById(id)

function showOnly(view) {
  for (const id of ['waiting', 'entry', 'chat']) at(id).hidden = id !== view
}

// Runs what a form asks for, with its button off meanwhile; a refusal is written in the form.
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

// ---- Coming and going ----

async function start() {
  wait('Loading …')
  try {
    const { user } = await call('GET', 'users/me')
    if (user) await openChat(user)
    else showEntry((await call('GET', 'users/init')).initialized ? ENTRIES.login : ENTRIES.first)
  } catch (refusal) {
    wait(refusal.message, true)
  }
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

async function openChat(me) {
  const { docs } = await call('GET', 'users?limit=0&depth=0')
  const people = new Map(docs.map((user) => [user.id, user.email]))
  const changed = () => thread.draw()
  const feed = new Feed({ learned, arrived, changed, connection: showConnection, ended: lookForSession })
  const outbox = new Outbox(me.id, { stored: (doc) => feed.learn([doc]), changed })
  const thread = new Thread(me, people, feed, outbox)
  chat = { me, people, feed, outbox, thread, refreshing: setInterval(refresh, REFRESH_MS) }
  at('me').textContent = me.email
  at('compose-error').textContent = ''
  at('content').value = outbox.draft
  drawPeople()
  showOnly('chat')
  fitContent()
  thread.draw()
  feed.open()
  at('content').focus()
}

function closeChat(hint) {
  chat.feed.close()
  chat.thread.close()
  clearInterval(chat.refreshing)
  chat = null
  at('receiver').replaceChildren()
  at('content').value = ''
  if (at('person').open) at('person').close()
  showEntry(ENTRIES.login, hint)
}

async function signOut() {
  const unsent = chat.outbox.items.length > 0 || at('content').value.trim() !== ''
  if (unsent && !confirm('Something you wrote has not been sent. Sign out and discard it?')) return
  chat.leaving = true
  try {
    await call('POST', 'users/logout')
  } catch (refusal) {
    // The session's cookie is not the page's to remove: without an answer one is still signed in. 400: it had ended.
    if (refusal.status !== 400) {
      chat.leaving = false
      at('compose-error').textContent = `You are still signed in. ${refusal.message}`
      return
    }
  }
  chat.outbox.clear()
  closeChat()
}

const ENDED = 'Your session has ended. What you have not sent is kept.'

async function refresh() {
  try {
    await call('POST', 'users/refresh-token')
  } catch (refusal) {
    if (chat && refusal.status === 403) closeChat(ENDED)
  }
}

// The stream says that it is over; not to one who is signing out here.
async function lookForSession() {
  const asked = chat
  const { user } = await call('GET', 'users/me').catch(() => ({}))
  if (chat === asked && user === null && !chat.leaving) closeChat(ENDED)
}

// ---- The feed's news ----

function showConnection(state) {
  at('connection').dataset.state = state
  at('connection').textContent = CONNECTIONS[state]
}

function learned(docs) {
  chat.outbox.settle(docs)
  meet(docs.flatMap((doc) => [doc.sender, doc.receiver]))
}

function arrived(docs) {
  const theirs = docs.filter((doc) => idOf(doc.sender) !== chat.me.id)
  if (theirs.length) chat.thread.announce(theirs)
}

// ---- People ----

function meet(users) {
  const { people } = chat
  const strangers = users.filter((user) => user?.email && people.get(user.id) !== user.email)
  if (strangers.length === 0) return
  for (const user of strangers) people.set(user.id, user.email)
  drawPeople()
  chat.thread.draw()
}

function drawPeople() {
  const { me, people } = chat
  const box = at('receiver')
  const chosen = box.value
  const others = [...people].filter(([id]) => id !== me.id).sort((a, b) => a[1].localeCompare(b[1]))
  box.replaceChildren(...[...others, [me.id, 'yourself']].map(([id, name]) => new Option(name, id)))
  if (chosen) box.value = chosen
}

// Others add people too.
async function readPeople() {
  try {
    const { docs } = await call('GET', 'users?limit=0&depth=0')
    if (chat) meet(docs)
  } catch {
    // Those who were known still are.
  }
}

function openPersonForm() {
  at('person-form').reset()
  at('person-error').textContent = ''
  at('person').showModal()
}

async function addPerson() {
  const person = { email: at('person-email').value, password: at('person-password').value }
  const { doc } = await call('POST', 'users', person)
  meet([doc])
  at('receiver').value = doc.id
  at('person').close()
  at('content').focus()
}

// ---- Writing ----

function write(event) {
  event.preventDefault()
  const content = at('content').value
  const tooLong = content.length > MAX_CONTENT
  const flaw = `These are ${content.length} characters; at most ${MAX_CONTENT} can be sent at once.`
  at('compose-error').textContent = tooLong ? flaw : ''
  if (tooLong || !content.trim()) return
  chat.thread.toEnd()
  chat.outbox.add(Number(at('receiver').value), content)
  chat.outbox.draft = ''
  at('content').value = ''
  fitContent()
}

function edited() {
  chat.outbox.draft = at('content').value
  fitContent()
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

// ---- Listening ----

function onSubmit(id, action) {
  at(id).addEventListener('submit', (event) => {
    event.preventDefault()
    submit(event.target, action)
  })
}

onSubmit('entry-form', enter)
onSubmit('person-form', addPerson)
at('compose').addEventListener('submit', write)
at('content').addEventListener('input', edited)
at('content').addEventListener('keydown', keyDown)
at('waiting-retry').addEventListener('click', start)
at('add-person').addEventListener('click', openPersonForm)
at('person-cancel').addEventListener('click', () => at('person').close())
at('sign-out').addEventListener('click', signOut)
window.addEventListener('focus', () => chat && readPeople())
window.addEventListener('online', () => chat?.feed.open())
start()
