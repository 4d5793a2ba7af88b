// The first page: create the first account, sign in, write, see messages live.
'use strict'

const PAGE = 30
const by = (id) => document.getElementById(id)

// ---- the API ------------------------------------------------------------------------------------------------------

class ApiError extends Error {}

async function api(method, path, body) {
  let response
  try {
    response = await fetch(`api/${path}`, {
      method,
      credentials: 'same-origin',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw new ApiError('The server cannot be reached.')
  }
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  const error = (answer.errors && answer.errors[0]) || {}
  const flaws = error.data && error.data.errors
  throw new ApiError(flaws && flaws.length ? flaws.map((f) => f.message).join(' ') : error.message || 'Something went wrong.')
}

// ---- entry: the first account, or signing in ----------------------------------------------------------------------

const entries = {
  first: { title: 'Create the first account', hint: 'This server is new. Whoever comes first sets it up.', button: 'Create account', path: 'users/first-register', autocomplete: 'new-password' },
  login: { title: 'Sign in', hint: '', button: 'Sign in', path: 'users/login', autocomplete: 'current-password' },
}
let entry = entries.login

function showEntry(which) {
  entry = entries[which]
  by('chat').hidden = true
  by('entry').hidden = false
  by('entry-title').textContent = entry.title
  by('entry-hint').textContent = entry.hint
  by('entry-button').textContent = entry.button
  by('entry-password').autocomplete = entry.autocomplete
  by('entry-password').value = ''
  by('entry-error').textContent = ''
  by('entry-email').focus()
}

async function submitEntry(event) {
  event.preventDefault()
  by('entry-button').disabled = true
  by('entry-error').textContent = ''
  try {
    const { user } = await api('POST', entry.path, { email: by('entry-email').value, password: by('entry-password').value })
    await showChat(user)
  } catch (error) {
    by('entry-error').textContent = error.message
  } finally {
    by('entry-button').disabled = false
  }
}

// ---- messages -----------------------------------------------------------------------------------------------------

let me = null
let people = new Map() // id -> e-mail
let messages = new Map() // id -> { doc, element }

const idOf = (user) => (user && typeof user === 'object' ? user.id : user)

function nameOf(user) {
  if (user && typeof user === 'object') people.set(user.id, user.email)
  return people.get(idOf(user)) || `user ${idOf(user)}`
}

function fill(element, doc, note) {
  const who = document.createElement('div')
  const text = document.createElement('div')
  const mine = idOf(doc.sender) === me.id
  element.className = mine ? 'message mine' : 'message'
  who.className = 'who'
  const time = new Date(doc.timestamp).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })
  who.textContent = `${mine ? 'You' : nameOf(doc.sender)} → ${idOf(doc.receiver) === me.id ? 'you' : nameOf(doc.receiver)} · ${note || time}`
  text.className = 'text'
  text.textContent = doc.content
  element.replaceChildren(who, text)
}

const atEnd = () => by('scroll').scrollHeight - by('scroll').scrollTop - by('scroll').clientHeight < 80
const toEnd = () => { by('scroll').scrollTop = by('scroll').scrollHeight }

function place(doc, element) {
  let after = null // the first message that comes behind this one
  for (const item of by('messages').children) {
    const id = Number(item.dataset.id)
    if (!id || id > doc.id) { after = item; break }
  }
  by('messages').insertBefore(element, after)
}

function show(doc) {
  const known = messages.get(doc.id)
  const element = known ? known.element : document.createElement('li')
  messages.set(doc.id, { doc, element })
  element.dataset.id = doc.id
  fill(element, doc)
  if (!known) place(doc, element)
}

function showAll(docs) {
  const follow = atEnd()
  docs.forEach(show)
  afterChange()
  if (follow) toEnd()
}

function remove(docs) {
  for (const { id } of docs) {
    const known = messages.get(id)
    if (known) known.element.remove()
    messages.delete(id)
  }
  afterChange()
}

function afterChange() {
  by('empty').hidden = by('messages').children.length > 0
}

async function showOlder() {
  const scroll = by('scroll')
  const oldest = Math.min(...messages.keys())
  by('older').disabled = true
  try {
    const page = await api('GET', `messages?depth=1&sort=-id&limit=${PAGE}${messages.size ? `&where[id][less_than]=${oldest}` : ''}`)
    const fromEnd = scroll.scrollHeight - scroll.scrollTop
    page.docs.forEach(show)
    by('older').hidden = !page.hasNextPage
    scroll.scrollTop = scroll.scrollHeight - fromEnd
    afterChange()
  } finally {
    by('older').disabled = false
  }
}

// ---- the stream ---------------------------------------------------------------------------------------------------

let stream = null

function setStatus(state, text) {
  by('status').dataset.state = state
  by('status').textContent = text
}

function openStream() {
  stream = new EventSource('api/messages/sse')
  setStatus('waiting', 'connecting …')
  stream.addEventListener('open', () => setStatus('live', 'live'))
  stream.addEventListener('message', (event) => showAll(JSON.parse(event.data)))
  stream.addEventListener('delete', (event) => remove(JSON.parse(event.data)))
  // The server cannot go on where we were: what is on the page may be old.
  stream.addEventListener('reset', () => { by('messages').replaceChildren(); messages = new Map(); by('older').hidden = false })
  stream.addEventListener('error', () => setStatus('waiting', stream.readyState === EventSource.CLOSED ? 'cut off; reload the page' : 'reconnecting …'))
}

function closeStream() {
  if (stream) stream.close()
  stream = null
}

// ---- writing ------------------------------------------------------------------------------------------------------

async function loadPeople() {
  const { docs } = await api('GET', 'users?limit=0&depth=0&sort=email')
  const chosen = by('receiver').value
  people = new Map(docs.map((user) => [user.id, user.email]))
  by('receiver').replaceChildren(...docs.map((user) => {
    const option = document.createElement('option')
    option.value = user.id
    option.textContent = user.id === me.id ? `${user.email} (you)` : user.email
    return option
  }))
  const other = docs.find((user) => user.id !== me.id)
  by('receiver').value = chosen || (other || me).id
}

// The text stays on the page, in the box or as a failed message that can be sent again, until the server has it.
async function post(doc, element) {
  element.className = 'message mine sending'
  try {
    const answer = await api('POST', 'messages', doc)
    element.remove()
    showAll([answer.doc])
    toEnd()
  } catch (error) {
    const again = document.createElement('button')
    again.type = 'button'
    again.className = 'quiet'
    again.textContent = `Not sent: ${error.message} Send again`
    again.addEventListener('click', () => { again.remove(); post(doc, element) })
    element.className = 'message mine failed'
    element.append(again)
  }
}

function submitMessage(event) {
  event.preventDefault()
  const content = by('content').value
  if (!content.trim()) return
  const doc = { sender: me.id, receiver: Number(by('receiver').value), content }
  const element = document.createElement('li')
  fill(element, { ...doc, timestamp: new Date() }, 'sending …')
  by('messages').append(element)
  by('content').value = ''
  grow()
  afterChange()
  toEnd()
  post(doc, element)
}

function grow() {
  const box = by('content')
  box.style.height = 'auto'
  box.style.height = `${box.scrollHeight + 2}px`
}

function keyDown(event) {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  by('compose').requestSubmit()
}

async function addPerson(event) {
  event.preventDefault()
  by('person-error').textContent = ''
  try {
    const { doc } = await api('POST', 'users', { email: by('person-email').value, password: by('person-password').value })
    await loadPeople()
    by('receiver').value = doc.id
    by('person').close()
    by('content').focus()
  } catch (error) {
    by('person-error').textContent = error.message
  }
}

// ---- coming and going ---------------------------------------------------------------------------------------------

async function showChat(user) {
  me = user
  messages = new Map()
  by('messages').replaceChildren()
  by('entry').hidden = true
  by('chat').hidden = false
  by('me').textContent = me.email
  afterChange()
  await loadPeople()
  await showOlder()
  toEnd()
  openStream()
  by('content').focus()
}

async function signOut() {
  closeStream()
  await api('POST', 'users/logout').catch(() => {})
  me = null
  by('content').value = ''
  showEntry('login')
}

async function start() {
  by('entry-form').addEventListener('submit', submitEntry)
  by('compose').addEventListener('submit', submitMessage)
  by('content').addEventListener('keydown', keyDown)
  by('content').addEventListener('input', grow)
  by('older').addEventListener('click', showOlder)
  by('sign-out').addEventListener('click', signOut)
  by('add-person').addEventListener('click', () => { by('person-form').reset(); by('person-error').textContent = ''; by('person').showModal() })
  by('person-cancel').addEventListener('click', () => by('person').close())
  by('person-form').addEventListener('submit', addPerson)
  try {
    const [{ user }, { initialized }] = await Promise.all([api('GET', 'users/me'), api('GET', 'users/init')])
    if (user) await showChat(user)
    else showEntry(initialized ? 'login' : 'first')
  } catch (error) {
    showEntry('login')
    by('entry-error').textContent = error.message
  }
}

start()
