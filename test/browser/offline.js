// The page without its server: what was seen last is there, says so, and is made good when the server is back.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { keeps, keepsNoMore, keepsNothing, keepsOnlyOf } from './kept.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const WAYS = {
  'by the service worker': (server) => server.url,
  // No worker there: the page comes, and nothing else does.
  'on plain http': (server) => `http://parley.lan:${server.port}`,
}

async function visit(t, way = 'on plain http', options = {}) {
  const { server, ...people } = await Server.withPeople(t)
  const first = await server.post(people.bob, people.alice, 'one')
  const second = await server.post(people.bob, people.alice, 'two')
  const alice = await Visitor.with(t, WAYS[way](server), ALICE, 'bob', { serviceWorkers: 'allow', ...options })
  alice.expectErrors(/net::ERR_|Failed to load resource/)
  await alice.shows(['one', 'two'])
  await keeps(alice, 'one', 'two', BOB)
  if (way === 'by the service worker') await alice.page.evaluate(() => navigator.serviceWorker.ready)
  return { server, alice, people, first, second }
}

// The longer a server was away, the longer the page waits before it tries again.
const tryNow = (visitor) => visitor.page.evaluate(() => dispatchEvent(new Event('online')))

async function startAgain(server, visitor) {
  await server.startAgain()
  await tryNow(visitor)
}

async function refuse(visitor) {
  await visitor.page.route('**/api/**', (route) => route.abort('connectionrefused'))
  return async () => {
    await visitor.page.unroute('**/api/**')
    await tryNow(visitor)
  }
}

// The server goes; back() makes it come again.
async function goAway(way, server, alice) {
  if (way !== 'by the service worker') return refuse(alice)
  await server.kill()
  return () => startAgain(server, alice)
}

for (const way of Object.keys(WAYS)) {
  test(`without its server the page shows what was seen last, and catches up: ${way}`, async (t) => {
    const { server, alice, people, first, second } = await visit(t, way)
    const back = await goAway(way, server, alice)
    await alice.page.reload()
    await alice.shows(['one', 'two'])
    await alice.talk('bob').getByText('two').waitFor()
    await alice.page.getByText(/As of .*\d:\d\d.*Connection lost/).waitFor()
    await alice.write('written meanwhile')
    await alice.row('written meanwhile').getByText('Waiting for the connection').waitFor()
    await alice.box.fill('half a sen')

    await back()
    await server.call('PATCH', `messages/${first.id}`, { content: 'one, corrected' })
    await server.call('DELETE', `messages/${second.id}`)
    await server.post(people.bob, people.alice, 'three')
    await alice.row('three').waitFor()
    await alice.row('written meanwhile').and(alice.rows).waitFor()
    await alice.page.locator('.unsent').waitFor({ state: 'detached' })
    const stored = await server.contents()
    assert.deepEqual([...stored].sort(), ['one, corrected', 'three', 'written meanwhile'])
    await alice.shows(stored)
    await alice.page.getByText('As of').waitFor({ state: 'detached' })
    assert.equal(await alice.box.inputValue(), 'half a sen')
    await alice.talk('bob').getByText('two').waitFor({ state: 'detached' })
    await keeps(alice, 'one, corrected', 'three', 'written meanwhile')
    await keepsNoMore(alice, '"two"')
  })
}

test('where nobody was signed in the page opens without its server all the same, and says that it is away', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url, { serviceWorkers: 'allow' })
  visitor.expectErrors(/net::ERR_/)
  await visitor.page.evaluate(() => navigator.serviceWorker.ready)
  await server.stop()
  await visitor.page.reload()
  await visitor.heading('The server cannot be reached.').waitFor()
  await server.startAgain()
  await visitor.button('Try again').click()
  await visitor.heading('Sign in').waitFor()
})

test('nothing of what was seen outlives an older copy of the data', async (t) => {
  const { server, alice, people, first } = await visit(t, 'by the service worker')
  await server.stop()
  const putBack = server.backUp()
  await startAgain(server, alice)
  await server.call('PATCH', `messages/${first.id}`, { content: 'one, to be forgotten' })
  await server.post(people.bob, people.alice, 'three, to be forgotten')
  await alice.shows(['one, to be forgotten', 'two', 'three, to be forgotten'])
  await keeps(alice, 'one, to be forgotten', 'three, to be forgotten')
  await server.stop()
  await alice.page.reload()
  await alice.shows(['one, to be forgotten', 'two', 'three, to be forgotten'])
  putBack()
  await startAgain(server, alice)
  await alice.shows(['one', 'two'])
  await alice.talk('bob').getByText('two').waitFor()
})

test('a page that stays open has no edit that an older copy of the data has not', async (t) => {
  const { server, alice, first } = await visit(t)
  await server.stop()
  const putBack = server.backUp()
  await startAgain(server, alice)
  await server.call('PATCH', `messages/${first.id}`, { content: 'one, to be forgotten' })
  await alice.shows(['one, to be forgotten', 'two'])
  await server.stop()
  putBack()
  await startAgain(server, alice)
  await alice.shows(['one', 'two'])
})

test('on a phone the list says from when it is', async (t) => {
  const { server, alice } = await visit(t, 'by the service worker', PHONE)
  await alice.page.evaluate(() => { location.hash = '#/' })
  await server.kill()
  await alice.page.reload()
  await alice.talk('bob').getByText('two').waitFor()
  await alice.page.getByText(/As of /).waitFor()
  await alice.fits()
})

test('a server that takes its time is not waited for', async (t) => {
  const { alice } = await visit(t)
  let answer
  const held = new Promise((resolve) => { answer = resolve })
  await alice.page.route('**/api/**', async (route) => {
    await held
    await route.continue().catch(() => {})
  })
  await alice.page.reload()
  await alice.shows(['one', 'two'])
  await alice.page.getByText(/As of /).waitFor()
  answer()
  await alice.page.getByText(/As of /).waitFor({ state: 'detached' })
  await alice.shows(['one', 'two'])
})

test('what was seen is shown before it has been read again', async (t) => {
  const { alice } = await visit(t)
  await alice.page.route(/api\/(messages|parley\/conversations)\?/, () => {})
  await alice.page.reload()
  await alice.shows(['one', 'two'])
  await alice.talk('bob').getByText('two').waitFor()
})

test('signing out leaves nothing of what was seen, in no tab', async (t) => {
  const { server, alice, people } = await visit(t)
  const second = await Visitor.open(t, alice.page.url(), { beside: alice })
  await second.shows(['one', 'two'])
  await second.button('Settings').click()
  await second.button('Sign out').last().click()
  for (const tab of [second, alice]) await tab.heading('Sign in').waitFor()
  await server.post(people.bob, people.alice, 'three')
  await keepsNothing(second)
  assert.equal(await alice.page.evaluate(() => localStorage.getItem('parley.me')), null)
  await alice.page.route('**/api/**', (route) => route.abort('connectionrefused'))
  await alice.page.reload()
  await alice.heading('The server cannot be reached.').waitFor()
})

test('a session that is over when the server is back leads to signing in, and nothing of it is left', async (t) => {
  const { server, alice } = await visit(t)
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  const back = await refuse(alice)
  await alice.page.reload()
  await alice.shows(['one', 'two'])
  await alice.write('unsent')
  await alice.box.fill('half a sen')
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  await back()
  await alice.heading('Sign in').waitFor()
  await keepsNothing(alice)
  await alice.signIn(ALICE)
  await alice.shows(['one', 'two', 'unsent'])
  assert.equal(await alice.box.inputValue(), 'half a sen')
})

test('what one has seen goes when the browser turns out to be another’s', async (t) => {
  const { alice } = await visit(t)
  await alice.page.evaluate(({ email, password }) => fetch('api/users/login', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email, password }),
  }), { email: BOB, password: PASSWORD })
  await alice.page.reload()
  await alice.page.getByText(`You are ${BOB}`).or(alice.heading('Notes to yourself')).first().waitFor()
  const kept = JSON.parse(await alice.page.evaluate(() => localStorage.getItem('parley.me')))
  assert.deepEqual(kept, { id: kept.id, email: BOB })
  await keepsOnlyOf(alice, kept.id)
  await keeps(alice, ALICE)
})

const BROKEN = {
  'is not there': () => { Object.defineProperty(window, 'indexedDB', { value: undefined }) },
  'is forbidden': () => { IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') } },
  'never answers': () => { IDBFactory.prototype.open = () => ({}) },
  'is another version’s': () => {
    const { open } = IDBFactory.prototype
    IDBFactory.prototype.open = function (name) { open.call(this, name, 7); return open.call(this, name, 1) }
  },
  'is full': () => { IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError') } },
  'has no place in it': () => { IDBDatabase.prototype.createObjectStore = () => {} },
}

for (const [why, brokenBy] of Object.entries(BROKEN)) {
  test(`where the browser’s database ${why} all works but that`, async (t) => {
    const { server, alice, bob } = await Server.withPeople(t)
    await server.post(bob, alice, 'one')
    const visitor = await Visitor.open(t, server.url)
    visitor.expectErrors(/net::ERR_|status of 401/)
    await visitor.page.addInitScript(brokenBy)
    await visitor.page.reload()
    await visitor.signIn(ALICE)
    await visitor.talkTo('bob')
    await visitor.write('two')
    await visitor.shows(['one', 'two'])
    await visitor.page.reload()
    await visitor.shows(['one', 'two'])
    const back = await refuse(visitor)
    await visitor.page.reload()
    await visitor.page.getByText('The messages could not be read.').waitFor()
    await back()
    await visitor.shows(['one', 'two'])
    await visitor.button('Settings').click()
    await visitor.button('Sign out').last().click()
    await visitor.heading('Sign in').waitFor()
  })
}

test('a newer version of the page can have the database while an older one is open', async (t) => {
  const { server, alice, people } = await visit(t)
  const second = await Visitor.open(t, `${alice.url}/icon.svg`, { beside: alice })
  second.expectErrors(/favicon/)
  await second.page.evaluate(() => new Promise((resolve, reject) => {
    const request = indexedDB.open('parley', 2)
    request.onsuccess = resolve
    request.onerror = request.onblocked = () => reject(new Error('blocked'))
  }))
  await server.post(people.bob, people.alice, 'three')
  await alice.shows(['one', 'two', 'three'])
  await alice.page.reload()
  await alice.shows(['one', 'two', 'three'])
})
