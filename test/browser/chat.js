// The page, as two people use it.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { Visitor } from './visitor.js'

test('the first account is made on the page, the second added there, and they write to each other', async (t) => {
  const server = await Server.start(t)
  const alice = await Visitor.open(t, server.url)
  await alice.page.getByRole('heading', { name: 'Create the first account' }).waitFor()
  await alice.fillEntry(ALICE, PASSWORD)
  await alice.isIn(ALICE)
  await alice.page.getByText('No messages yet.').waitFor()

  await alice.button('Add a person').click()
  await alice.page.getByRole('dialog').getByLabel('E-mail').fill(BOB)
  await alice.page.getByRole('dialog').getByLabel('Password').fill(PASSWORD)
  await alice.page.keyboard.press('Enter')
  await alice.page.getByRole('dialog').waitFor({ state: 'hidden' })
  assert.equal(await alice.page.locator('#receiver option:checked').textContent(), BOB)

  const bob = await Visitor.signedIn(t, server.url, BOB)
  await alice.write('Hello Bob')
  await bob.shows(['Hello Bob'])
  await bob.row(`${ALICE} to you`).waitFor()
  await bob.page.getByLabel('To').selectOption(ALICE)
  await bob.write('Hello Alice')
  await alice.shows(['Hello Bob', 'Hello Alice'])
  await bob.shows(['Hello Bob', 'Hello Alice'])
})

test('a second page that also offers the first account leads to signing in', async (t) => {
  const server = await Server.start(t)
  const late = await Visitor.open(t, server.url)
  late.expectErrors(/status of 403/)
  await late.page.getByRole('heading', { name: 'Create the first account' }).waitFor()
  await server.addPeople()
  await late.fillEntry(BOB, PASSWORD)
  await late.page.getByText('Someone has created the first account already.').waitFor()
  await late.signIn(BOB)
})

test('Enter sends, Shift+Enter begins a new line, blank text is not sent', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  const { keyboard } = alice.page
  await alice.box.focus()
  await keyboard.type('  ')
  await keyboard.press('Enter')
  await keyboard.type('one')
  await keyboard.press('Shift+Enter')
  await keyboard.type('two')
  await keyboard.press('Enter')
  await alice.shows(['  one\ntwo'])
})

test('edits and deletions are seen as they happen', async (t) => {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  const first = await server.post(alice, bob, 'one')
  const second = await server.post(bob, alice, 'two')
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.shows(['one', 'two'])
  await server.call('PATCH', `messages/${first.id}`, { content: 'one, corrected' })
  await visitor.shows(['one, corrected', 'two'])
  await visitor.row('one, corrected').getByText('edited').waitFor()
  await server.call('DELETE', `messages/${second.id}`)
  await visitor.shows(['one, corrected'])
  await server.post(bob, alice, 'three')
  await visitor.shows(['one, corrected', 'three'])
})

test('markup is shown as text', async (t) => {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  const markup = '<img src=x onerror="document.title=1"><script>alert(1)</script> &amp; <b>bold</b>'
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.write(markup)
  await server.post(bob, alice, markup)
  await visitor.shows([markup, markup])
  assert.equal(await visitor.page.locator('#messages').locator('img, script, b').count(), 0)
})

test('a reload keeps the session, signing out ends it', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  alice.expectErrors(/status of 401/)
  await alice.write('kept')
  await alice.shows(['kept'])
  await alice.page.reload()
  await alice.isIn(ALICE)
  await alice.shows(['kept'])

  await alice.button('Sign out').click()
  await alice.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(await alice.page.locator('.message').count(), 0)
  await alice.page.reload()
  await alice.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await alice.fillEntry(ALICE, 'wrong')
  await alice.page.getByRole('alert').getByText('The email or password provided is incorrect.').waitFor()
  await alice.signIn(ALICE)
  await alice.shows(['kept'])
})

test('a session that ends elsewhere ends here, at once', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  const bob = await Visitor.signedIn(t, server.url, BOB)
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  await alice.page.getByText('Your session has ended.').waitFor()
  await bob.connection('live')
})

test('a session that has ended leads to signing in, and what was not sent is still there', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.open(t, server.url)
  alice.expectErrors(/status of 403/)
  await alice.page.clock.install()
  await alice.page.reload()
  await alice.signIn(ALICE)
  await alice.box.fill('half a sen')
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  await alice.page.clock.fastForward('31:00')
  await alice.page.getByText('Your session has ended.').waitFor()
  await alice.signIn(ALICE)
  assert.equal(await alice.box.inputValue(), 'half a sen')
})

test('older messages are read when asked for, and the reader stays where she was', async (t) => {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  const texts = Array.from({ length: 70 }, (_, i) => `message ${i + 1}.`)
  for (const text of texts) await server.post(bob, alice, text)
  await server.call('PATCH', 'messages/1', { content: 'message 1, corrected.' })
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  const place = async () => (await visitor.row('message 20.').boundingBox()).y

  await visitor.shows(texts.slice(40))
  await visitor.button('Show older messages').click()
  await visitor.shows(texts.slice(10))
  await visitor.row('message 20.').scrollIntoViewIfNeeded()
  const before = await place()
  await server.post(bob, alice, 'news')
  await visitor.button('1 new').waitFor()
  assert.ok(Math.abs((await place()) - before) < 2)

  await visitor.button('Show older messages').click()
  await visitor.shows(['message 1, corrected.', ...texts.slice(1), 'news'])
  await visitor.button('Show older messages').waitFor({ state: 'hidden' })
  await visitor.button('1 new').click()
  await visitor.button('1 new').waitFor({ state: 'hidden' })
})

test('a phone needs no sideways scrolling', async (t) => {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  await server.post(alice, bob, `https://example.com/${'long'.repeat(60)}`)
  await server.post(bob, alice, 'x'.repeat(2000))
  const phone = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true, colorScheme: 'dark' }
  const visitor = await Visitor.open(t, server.url, phone)
  const widths = () => [document.documentElement, document.querySelector('#scroller')]
    .map((element) => element.scrollWidth - element.clientWidth)
  const fits = async () => assert.deepEqual(await visitor.page.evaluate(widths), [0, 0])
  await fits()
  await visitor.signIn(ALICE)
  await visitor.row('xxx').waitFor()
  await fits()
  await visitor.button('Add a person').click()
  await visitor.page.getByRole('dialog').waitFor()
  await fits()
})
