// What two people see of each other: what is unread, what was seen, who is there and who is writing.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { Visitor, until } from './visitor.js'

const count = (visitor, name) => visitor.talk(name).locator('.count')

test('what is unread is counted by the server: over a reload, on two devices, until it was before one’s eyes', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.postAll(bob, alice, ['one', 'two'])
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  const phone = await Visitor.signedIn(t, server.url, ALICE)
  for (const device of [visitor, phone]) await count(device, 'bob').getByText('2').waitFor()
  assert.equal(await visitor.page.title(), '(2) Parley')
  await server.post(bob, alice, 'three')
  for (const device of [visitor, phone]) await count(device, 'bob').getByText('3').waitFor()
  await visitor.page.reload()
  await count(visitor, 'bob').getByText('3').waitFor()

  await visitor.talkTo('bob')
  await visitor.page.locator('.new + .row', { hasText: 'one' }).waitFor()
  for (const device of [visitor, phone]) await count(device, 'bob').waitFor({ state: 'detached' })
  // What was seen last may be of before; the server's word replaces it.
  const read = visitor.page.waitForResponse(/parley\/conversations\?/)
  await visitor.page.reload()
  await read
  await visitor.row('three').waitFor()
  await visitor.isIn()
  await count(visitor, 'bob').waitFor({ state: 'detached' })
  assert.equal(await visitor.page.locator('.new').count(), 0)
})

test('the writer learns that the message was seen', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.write('Hello Bob')
  await visitor.shows(['Hello Bob'])
  const other = await Visitor.signedIn(t, server.url, BOB)
  assert.equal(await visitor.page.getByText('Seen').count(), 0)
  await other.talkTo('alice')
  await visitor.row('Hello Bob').getByText('Seen').waitFor()
  await visitor.write('Are you there?')
  await visitor.row('Are you there?').getByText('Seen').waitFor()
  assert.equal(await visitor.page.getByText('Seen').count(), 1)
})

test('a thread of which nothing has been read opens at its beginning', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.postAll(bob, alice, Array.from({ length: 90 }, (_, i) => `message ${i + 1}.`))
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.page.locator('.new + .row', { hasText: 'message 1.' }).waitFor()
  await visitor.row('message 1.').click({ trial: true })
  await visitor.page.getByTitle('To the newest message').getByText(/^\d+ new$/).waitFor()
})

// The first `own` of `n` messages are Alice's, the others in turn hers and Bob's, or Bob's.
async function written(t, n, own, inTurn) {
  const { server, alice, bob } = await Server.withPeople(t)
  for (let i = 1; i <= n; i++) await server.post(...(i <= own || (inTurn && i % 2) ? [alice, bob] : [bob, alice]), `message ${i}.`)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.page.route('**/read', () => {}) // nothing is ever read
  return visitor
}

for (const [what, n, own, inTurn, first] of [
  ['of both in turn', 50, 0, true, 'message 2.'],
  ['of the other at its end alone', 63, 60, false, 'message 61.'],
]) {
  test(`a long thread with little unread opens at the first of it though nothing was ever read: ${what}`, async (t) => {
    const visitor = await written(t, n, own, inTurn)
    const isAtFirst = async () => {
      await visitor.page.locator('.new + .row', { hasText: first }).waitFor()
      await visitor.row(first).click({ trial: true })
    }
    await visitor.talkTo('bob')
    await isAtFirst()
    // The conversations come to be known behind the newest page.
    let release
    const held = new Promise((resolve) => { release = resolve })
    await visitor.page.route('**/api/parley/conversations?*', async (route) => { await held; await route.continue() })
    await visitor.page.evaluate(() => localStorage.removeItem('parley.me')) // and with it what was seen last
    await visitor.page.reload()
    await visitor.row(`message ${n}.`).waitFor()
    release()
    await isAtFirst()
  })
}

for (const unread of [5, 35]) {
  test(`a thread that is there before the conversations goes to the first that is unread, and is read once: ${unread}`, async (t) => {
    const { server, alice, bob, token } = await Server.withPeople(t)
    await server.postAll(bob, alice, Array.from({ length: 60 }, (_, i) => `message ${i + 1}.`))
    await server.markRead(token, bob, 60 - unread)
    const visitor = await Visitor.signedIn(t, server.url, ALICE)
    const { page } = visitor
    await page.route('**/read', () => {}) // nothing more is
    await visitor.talkTo('bob')
    await page.locator('.new').waitFor()
    let release
    const held = new Promise((resolve) => { release = resolve })
    await page.route('**/api/parley/conversations?*', async (route) => { await held; await route.continue() })
    await page.evaluate(() => localStorage.removeItem('parley.me')) // and with it what was seen last
    const pages = [] // but for the older ones, which are read when the first of them are near
    page.on('request', (request) => { if (/api\/messages\?(?!.*less_than\])/.test(request.url())) pages.push(request.url()) })
    await page.reload()
    await visitor.row('message 60.').waitFor()
    const went = page.evaluate(() => new Promise((resolve) => {
      const look = () => { if (!document.querySelector('.row')) resolve(true) }
      new MutationObserver(look).observe(document.querySelector('.sheet'), { childList: true })
      addEventListener('told', () => resolve(false))
    }))
    release()
    await page.locator('.new + .row', { hasText: `message ${61 - unread}.` }).waitFor()
    await visitor.row(`message ${61 - unread}.`).click({ trial: true })
    await page.evaluate(() => dispatchEvent(new Event('told')))
    assert.equal(await went, false)
    assert.equal(pages.length, 1, pages)
  })
}

test('a thread opens at its end where the first that is unread lies far from where one left off, and not all between is read', async (t) => {
  const visitor = await written(t, 241, 200, false)
  let pages = 0
  visitor.page.on('request', (request) => { if (/greater_than/.test(request.url())) pages++ })
  await visitor.talkTo('bob')
  await visitor.row('message 241.').click({ trial: true })
  assert.equal(await visitor.page.evaluate(() => document.querySelector('.scroller').scrollTop), 0)
  assert.equal(pages, 1)
})

test('a thread with much unread opens at the first of it', async (t) => {
  const { server, alice, bob, token } = await Server.withPeople(t)
  const texts = Array.from({ length: 150 }, (_, i) => `message ${i + 1}.`)
  await server.postAll(bob, alice, texts.slice(0, 60))
  await server.markRead(token, bob, 60)
  await server.postAll(bob, alice, texts.slice(60))
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.page.locator('.new + .row', { hasText: 'message 61.' }).waitFor()
  const inSight = await visitor.row('message 61.').evaluate((row) => {
    const { top, bottom } = row.getBoundingClientRect()
    const box = document.querySelector('.scroller').getBoundingClientRect()
    return top >= box.top && bottom <= box.bottom
  })
  assert.ok(inSight)
  assert.notEqual(await count(visitor, 'bob').textContent(), '0')
  // What lies beyond what is known here is counted too.
  const jump = visitor.page.getByTitle('To the newest message')
  await jump.getByText(/^\d+ new$/).waitFor()
  await server.post(bob, alice, 'message 151.')
  await jump.click()
  await visitor.row('message 151.').waitFor()
  await count(visitor, 'bob').waitFor({ state: 'detached' })
  await jump.waitFor({ state: 'detached' })
})

test('who writes says so every few seconds, and who says nothing more has stopped', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url)
  await visitor.page.clock.install()
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  await visitor.talkTo('bob')
  await visitor.stopTime()
  const { token } = await server.call('POST', 'users/login', { email: BOB, password: PASSWORD })
  await server.call('POST', `parley/conversations/${alice}/typing`, {}, token)
  const writing = visitor.page.locator('.top').getByText('bob is writing')
  await visitor.pass(() => writing.isVisible(), () => 'nobody is seen to write')
  await visitor.page.clock.runFor(3_000)
  assert.ok(await writing.isVisible())
  await visitor.page.clock.runFor(2_100)
  await writing.waitFor({ state: 'detached' })

  let said = 0
  visitor.page.on('request', (request) => { if (request.url().endsWith(`${bob}/typing`)) said++ })
  for (let second = 0; second < 10; second++) {
    await visitor.box.press('x')
    await visitor.page.clock.runFor(1_000)
  }
  assert.equal(said, 4, 'in ten seconds')
})

test('one sees who is there and who is writing, and no longer than that', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  assert.equal(await visitor.page.locator('.top').getByText('Online').count(), 0)
  const other = await Visitor.with(t, server.url, BOB, 'alice')
  await visitor.page.locator('.top').getByText('Online').waitFor()
  await other.page.locator('.top').getByText('Online').waitFor()
  // It is told while one writes, and a few seconds longer.
  const told = () => visitor.page.locator('.top').getByText('bob is writing').waitFor()
  await Promise.all([told(), other.box.pressSequentially('hel')])
  await other.box.fill('')
  await visitor.page.locator('.top').getByText('Online').waitFor()
  await Promise.all([told(), other.box.pressSequentially('hello', { delay: 400 })])
  await other.button('Send').click()
  await visitor.shows(['hello'])
  await visitor.page.locator('.top').getByText('Online').waitFor()
  await other.page.goto('about:blank')
  await visitor.page.locator('.top').getByText(/^Last seen today at \d\d:\d\d$/).waitFor()
})

test('who comes while the page asks who is there is seen, though the answer is of before', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  let release
  const held = new Promise((resolve) => { release = resolve })
  const answers = []
  await visitor.page.route(/parley\/presence$/, async (route) => {
    const response = await route.fetch()
    answers.push(visitor.page.waitForEvent('requestfinished', (request) => request === route.request()))
    await held
    await route.fulfill({ response })
  })
  await visitor.bePatient()
  await visitor.page.reload()
  await visitor.isIn()
  await until(() => answers.length, () => 'it does not ask') // once the stream is there
  await Visitor.signedIn(t, server.url, BOB)
  const present = visitor.page.locator('.top').getByText('Online')
  await present.waitFor()
  release()
  await Promise.all(answers)
  await visitor.page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)) }))
  assert.ok(await present.isVisible())
})
