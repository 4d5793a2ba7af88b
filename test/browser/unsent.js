// What was written is neither lost nor stored twice.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from './harness.js'
import { ALICE, PASSWORD, Server } from './server.js'
import { Visitor, until } from './visitor.js'

async function visit(t) {
  const { server, ...people } = await Server.withPeople(t)
  const alice = await Visitor.with(t, server.url, ALICE, 'bob')
  alice.expectErrors(/net::ERR_/)
  return { server, alice, people }
}

test.everywhere('what cannot be sent is kept, over a reload too, and goes out when the connection is back', async (t) => {
  const { server, alice } = await visit(t)
  await alice.onSend((route) => route.abort('internetdisconnected'))
  await alice.write('important')
  await alice.row('important').getByText('Waiting for the connection').waitFor()
  await alice.write('and this')
  await alice.box.fill('half a sen')
  await alice.page.reload()
  await alice.row('important').getByText('Waiting for the connection').waitFor()
  assert.equal(await alice.box.inputValue(), 'half a sen')
  assert.deepEqual(await server.contents(), [])

  await alice.onSend((route) => route.continue())
  await alice.page.evaluate(() => dispatchEvent(new Event('online')))
  await alice.shows(['important', 'and this'])
  assert.equal(await alice.page.locator('.row').count(), 2)
  assert.deepEqual(await server.contents(), ['important', 'and this'])
})

test('what the server refuses says why, and is sent again or dropped; what comes behind it is sent', async (t) => {
  const { server, alice } = await visit(t)
  alice.expectErrors(/status of 400/)
  const refusal = { status: 400, json: { errors: [{ message: 'No such words here.' }] } }
  let refused = 0
  await alice.onSend((route) => (refused++ < 2 ? route.fulfill(refusal) : route.continue()))
  await alice.write('one')
  await alice.row('one').getByText('Not sent. No such words here.').waitFor()
  await alice.write('two')
  await alice.row('two').getByText('Not sent.').waitFor()
  await alice.write('three')
  await alice.shows(['three'])
  await alice.row('one').getByRole('button', { name: 'Try again' }).click()
  await alice.shows(['three', 'one'])
  await alice.row('two').getByRole('button', { name: 'Delete' }).click()
  await alice.row('two').waitFor({ state: 'detached' })
  assert.deepEqual(await server.contents(), ['three', 'one'])
})

// The request gets through and the answer does not; the stream is held back, so that only sending again can tell.
test('a message whose answer is lost is stored once', async (t) => {
  const { server, alice } = await visit(t)
  await alice.page.route('**/api/parley/stream*', (route) => route.abort())
  await alice.page.reload()
  await alice.page.getByText('Say hello to bob.').waitFor() // all is read: it will not show what was stored
  const keys = new Set()
  let tries = 0
  await alice.onSend(async (route) => {
    keys.add(route.request().headers()['idempotency-key'])
    tries++
    if (tries > 2) return route.continue()
    await route.fetch()
    await route.abort('connectionreset')
  })
  await alice.write('once')
  await alice.shows(['once'])
  assert.deepEqual([tries, keys.size], [3, 1])
  assert.deepEqual(await server.contents(), ['once'])
})

test('a message whose answer is lost is recognised in the stream', async (t) => {
  const { server, alice } = await visit(t)
  await alice.onSend(async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  })
  await alice.write('once')
  await alice.shows(['once'])
  await alice.page.locator('.unsent').waitFor({ state: 'detached' })
  assert.equal(await alice.page.locator('.row').count(), 1)
  assert.deepEqual(await server.contents(), ['once'])
})

test('a message whose answer is lost is there once, also where it is read before it is sent again', async (t) => {
  const { server, alice } = await visit(t)
  await alice.page.route('**/api/parley/stream*', (route) => route.abort())
  await alice.onSend(async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  })
  await alice.page.reload()
  await alice.page.getByText('Say hello to bob.').waitFor()
  await alice.write('once')
  await alice.row('once').getByText('Waiting for the connection').waitFor()
  let answer
  const held = new Promise((resolve) => { answer = resolve })
  await alice.onSend(async (route) => {
    await held
    await route.continue()
  })
  await alice.page.reload()
  await alice.shows(['once'])
  await alice.page.locator('.unsent').waitFor({ state: 'detached' })
  assert.equal(await alice.page.locator('.row').count(), 1)
  answer()
  await alice.page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith('parley.unsent.')))
  await alice.shows(['once'])
  assert.deepEqual(await server.contents(), ['once'])
})

test('what waits behind a message whose answer is lost is sent when the stream has told of that one', async (t) => {
  const { server, alice } = await visit(t)
  let lose
  const held = new Promise((resolve) => { lose = resolve })
  await alice.onSend(async (route) => {
    if (!route.request().postDataJSON().content.includes('first')) return route.continue()
    await route.fetch()
    await held
    await route.abort('connectionreset')
  })
  await alice.write('first')
  await alice.shows(['first'])
  await alice.write('second')
  await alice.row('second').waitFor()
  lose()
  await alice.shows(['first', 'second'])
  assert.deepEqual(await server.contents(), ['first', 'second'])
})

test('what waits for another try is sent as soon as the stream has told that one of them is stored', async (t) => {
  const { server, alice, people } = await visit(t)
  const { page } = alice
  await page.clock.install()
  await page.reload()
  await alice.live()
  await alice.onSend((route) => route.abort('connectionreset'))
  for (const text of ['first', 'second', 'third', 'fourth']) await Promise.all([page.waitForEvent('requestfailed'), alice.write(text)])
  await alice.stopTime()
  const unsent = () => page.evaluate(() =>
    Object.keys(localStorage).filter((key) => key.startsWith('parley.unsent.')).map((key) => JSON.parse(localStorage.getItem(key))))
  await until(async () => (await unsent()).every(({ state }) => state === 'waiting'), () => 'one is still being sent')
  await alice.onSend((route) => route.continue())
  const began = await page.evaluate(() => Date.now())
  const { timestamp } = (await unsent()).find(({ content }) => content === 'first')
  await server.post(people.alice, people.bob, 'first', { timestamp })
  // Slower than time goes: the stream's word may take its own.
  await until(async () => {
    await page.clock.runFor(5)
    return (await server.contents()).length === 4
  }, () => 'the others wait')
  const took = await page.evaluate(() => Date.now()) - began
  assert.ok(took < 4_000, `they waited for the next try, ${took} ms of the page's time`)
})

test('a server that is killed in the middle of a burst has every message once, in order', async (t) => {
  const { server, alice } = await visit(t)
  const texts = Array.from({ length: 30 }, (_, i) => `${i + 1}`)
  for (const text of texts.slice(0, 15)) await alice.write(text)
  await server.kill()
  for (const text of texts.slice(15)) await alice.write(text)
  await server.startAgain()
  await alice.shows(texts)
  await alice.page.locator('.unsent').waitFor({ state: 'detached' })
  assert.deepEqual(await server.contents(), texts)
})

test('a message that two tabs have is stored once', async (t) => {
  const { server, alice } = await visit(t)
  await alice.onSend((route) => route.abort('connectionreset'))
  await alice.write('once')
  await alice.row('once').getByText('Waiting for the connection').waitFor()
  const second = await Visitor.open(t, alice.page.url(), { beside: alice })
  await second.shows(['once'])
  await alice.onSend((route) => route.continue())
  await alice.page.evaluate(() => dispatchEvent(new Event('online')))
  await alice.shows(['once'])
  await alice.page.locator('.unsent').waitFor({ state: 'detached' })
  await second.shows(['once'])
  assert.deepEqual(await server.contents(), ['once'])
})

test('what a session that has ended could not send is sent when one is signed in again', async (t) => {
  const { server } = await Server.withPeople(t, '127.0.0.1:0', ['--messages', 'private'])
  const alice = await Visitor.with(t, server.url, ALICE, 'bob')
  alice.expectErrors(/net::ERR_|status of 40[13]/)
  // Neither the stream nor that one is writing tells of the end before the message does.
  await alice.page.route(/api\/parley\/(stream|.*typing)/, (route) => route.abort())
  await alice.page.reload()
  await alice.page.getByText('Say hello to bob.').waitFor()
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  await alice.write('kept')
  const dialog = alice.page.getByRole('dialog', { name: 'You have been signed out' })
  await dialog.getByLabel('Password').fill(PASSWORD)
  await alice.page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  await alice.shows(['kept'])
})

test('messages are stored in the order in which they were written', async (t) => {
  const { server, alice } = await visit(t)
  const texts = Array.from({ length: 20 }, (_, i) => `${i + 1}`)
  for (const text of texts) await alice.write(text)
  await alice.shows(texts)
  assert.deepEqual(await server.contents(), texts)
})

test('where nothing can be kept in the browser, one writes and sends all the same', async (t) => {
  const { server } = await Server.withPeople(t)
  const alice = await Visitor.open(t, server.url)
  await alice.page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
      Object.defineProperty(window, name, { get: () => { throw new DOMException('no', 'SecurityError') } })
    delete window.BroadcastChannel
  })
  await alice.page.reload()
  await alice.signIn(ALICE)
  await alice.talkTo('bob')
  await alice.write('written')
  await alice.shows(['written'])

  const full = await Visitor.open(t, server.url)
  await full.page.addInitScript(() => {
    Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }
  })
  await full.page.reload()
  await full.signIn(ALICE)
  await full.talkTo('bob')
  await full.write('this too')
  await full.shows(['written', 'this too'])
})

test('a browser that has no room left asks before what is not sent is lost', async (t) => {
  const { server, alice } = await visit(t)
  await alice.page.evaluate(() => {
    let size = 1 << 20
    for (let n = 0; size >= 1;) {
      try {
        localStorage.setItem(`filler ${n++}`, 'x'.repeat(size))
      } catch {
        size /= 2
      }
    }
  })
  await alice.onSend((route) => route.abort('internetdisconnected'))
  await alice.write('not kept '.repeat(100))
  await alice.row('not kept').getByText('Waiting for the connection').waitFor()
  const asked = alice.page.waitForEvent('dialog')
  const closed = alice.page.close({ runBeforeUnload: true })
  const dialog = await asked
  assert.equal(dialog.type(), 'beforeunload')
  await dialog.dismiss()
  await closed
  await alice.onSend((route) => route.continue())
  await alice.page.evaluate(() => dispatchEvent(new Event('online')))
  await alice.rows.first().waitFor()
  assert.equal((await server.contents()).length, 1)
})

test('what another program left in the browser’s storage does no harm', async (t) => {
  const { alice } = await visit(t)
  await alice.page.evaluate(() => {
    for (const [key, value] of Object.entries({
      settings: '{"theme":7,"language":[],"enter":{},"sound":"x"}', in: '{', 'draft.1.2': '{"a":1}', 'draft.1.x': '"y"', 'unsent.1.a': '{"key":"a"}',
      'unsent.1.b': '{"key":5,"to":"x","content":{},"timestamp":4}', 'unsent.1.c': '7', 'unsent.1.d': 'null',
    })) localStorage.setItem(`parley.${key}`, value)
  })
  await alice.page.reload()
  await alice.isIn()
  await alice.write('still works')
  await alice.shows(['still works'])
  assert.equal(await alice.page.locator('.row').count(), 1)
})

test('a clock that is wrong by years changes nothing but what one does not see', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.post(bob, alice, 'from the present')
  const visitor = await Visitor.open(t, server.url)
  visitor.expectErrors(/status of 403/)
  await visitor.page.clock.install({ time: new Date('2003-05-01T10:00:00Z') })
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  await visitor.talkTo('bob')
  await visitor.page.getByText('Today').waitFor()
  await visitor.write('from the past')
  await visitor.page.clock.runFor(500)
  await visitor.shows(['from the present', 'from the past'])
  assert.equal(await visitor.page.locator('.day').count(), 1)
  const { docs } = await server.call('GET', 'messages?sort=-id&limit=1')
  assert.ok(Math.abs(Date.parse(docs[0].timestamp) - Date.parse(docs[0].createdAt)) < 60_000)
})

// A small device without a battery for its clock, beside a phone that knows better. (libfaketime moves the server's clock.)
test('a server whose clock is wrong by years is one to sign in to and to write to', async (t) => {
  const library = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find(existsSync)
  if (!library) t.skip('there is no libfaketime')
  for (const FAKETIME of ['-20y', '+20y']) {
    const env = { LD_PRELOAD: library, FAKETIME, DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0' }
    const server = await Server.start(t, '127.0.0.1:0', [], env)
    const { alice, bob } = await server.addPeople()
    await server.post(bob, alice, 'one')
    const visitor = await Visitor.signingIn(t, server.url, ALICE)
    await visitor.talkTo('bob')
    await visitor.write('two')
    await visitor.shows(['one', 'two'])
    await visitor.page.reload()
    await visitor.isIn()
    await visitor.shows(['one', 'two'])
    assert.deepEqual(await visitor.page.locator('.day').allTextContents(), ['Today'])
  }
})
