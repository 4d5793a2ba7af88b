// A session: it is kept, made longer and ended; whatever is answered late, who has signed out stays so.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server, WRONG } from './server.js'
import { Visitor } from './visitor.js'

test('a reload keeps the session, signing out ends it', async (t) => {
  const { server } = await Server.withPeople(t)
  const alice = await Visitor.with(t, server.url, ALICE, 'bob')
  alice.expectErrors(/status of 401/)
  await alice.write('kept')
  await alice.shows(['kept'])
  await alice.page.reload()
  await alice.isIn()
  await alice.shows(['kept'])

  await alice.button('Settings').click()
  await alice.button('Sign out').last().click()
  await alice.heading('Sign in').waitFor()
  assert.equal(await alice.rows.count(), 0)
  await alice.page.reload()
  await alice.heading('Sign in').waitFor()
  await alice.fillEntry(ALICE, WRONG)
  await alice.page.getByRole('alert').getByText('The e-mail or the password is wrong.').waitFor()
  await alice.signIn(ALICE)
})

test.everywhere('a session that ends elsewhere ends here, at once; signing in goes on where one was', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const other = await Visitor.signedIn(t, server.url, BOB)
  const said = visitor.page.waitForResponse(/typing$/)
  await visitor.box.fill('half a sen')
  await said // while one may still say it
  // The server takes its time to say that it has ended; until then nothing is asked that would be refused.
  await visitor.page.route('**/api/users/me', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await route.continue()
  })
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  const dialog = visitor.page.getByRole('dialog', { name: 'You have been signed out' })
  await dialog.waitFor()
  await other.live()
  await server.post(bob, alice, 'meanwhile')
  await dialog.getByLabel('Password').fill(PASSWORD)
  await visitor.page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  await visitor.shows(['meanwhile'])
  assert.equal(await visitor.box.inputValue(), 'half a sen')
  await server.post(bob, alice, 'afterwards')
  await visitor.shows(['meanwhile', 'afterwards'])
})

test('a session whose end nobody told of is noticed by whatever is refused, in the background too', async (t) => {
  const { server, token } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  visitor.expectErrors(/net::ERR_|status of 40[13]/)
  await visitor.page.route('**/api/parley/stream*', (route) => route.abort())
  await visitor.page.reload()
  await visitor.page.getByText('Say hello to bob.').waitFor()
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  await visitor.box.fill('half a sen')
  const dialog = visitor.page.getByRole('dialog', { name: 'You have been signed out' })
  await dialog.getByLabel('Password').fill(PASSWORD)
  await visitor.page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  assert.equal(await visitor.box.inputValue(), 'half a sen')
})

test('a session is made longer while somebody looks', async (t) => {
  const { server } = await Server.withPeople(t)
  const alice = await Visitor.open(t, server.url)
  await alice.page.clock.install()
  await alice.page.reload()
  // More than half of the session's two hours are gone.
  await alice.page.route('**/api/users/login', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...await response.json(), exp: Date.now() / 1000 + 50 * 60 } })
  })
  await alice.signIn(ALICE)
  const refreshed = alice.page.waitForResponse(/refresh-token/)
  await alice.page.clock.runFor(61_000)
  assert.equal((await refreshed).status(), 200)
})

async function signOut(visitor) {
  await visitor.button('Settings').click()
  await visitor.button('Sign out').last().click()
}

for (const path of ['users/me', 'parley/config']) {
  test(`who has signed out stays so, though what was asked before is answered later: ${path}`, async (t) => {
    const { server } = await Server.withPeople(t)
    const alice = await Visitor.with(t, server.url, ALICE, 'bob')
    const letGo = await alice.hold(`**/api/${path}`)
    await alice.page.reload()
    await alice.isIn() // by what was seen last
    await signOut(alice)
    await alice.heading('Sign in').waitFor()
    await letGo()
    await alice.heading('Sign in').waitFor()
    assert.deepEqual(await alice.page.locator('.shell, dialog').all(), [])
    assert.equal(await alice.page.evaluate(() => localStorage.getItem('parley.me')), null)
  })
}

test('a page that is signing out asks for no stream', async (t) => {
  const { server } = await Server.withPeople(t)
  const alice = await Visitor.with(t, server.url, ALICE, 'bob')
  const asked = []
  const letGo = await alice.hold('**/api/users/logout')
  await Promise.all([alice.page.waitForRequest(/logout/), signOut(alice)])
  alice.page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await alice.page.evaluate(() => dispatchEvent(new Event('online')))
  await letGo()
  await alice.heading('Sign in').waitFor()
  assert.deepEqual(asked.filter((path) => path.endsWith('/stream')), [])
})

test('a page that could not sign out has its stream again', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  visitor.expectErrors(/net::ERR_/)
  await visitor.page.route('**/api/users/logout', (route) => route.abort())
  await signOut(visitor)
  await visitor.page.getByText('You are still signed in.').waitFor()
  await server.post(bob, alice, 'meanwhile')
  await visitor.page.keyboard.press('Escape')
  await visitor.shows(['meanwhile'])
})

test('what lies under the settings goes on when one has signed in again over them', async (t) => {
  const { server, alice, bob, token } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.button('Settings').click()
  await visitor.heading('Settings').waitFor()
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  const dialog = visitor.page.getByRole('dialog', { name: 'You have been signed out' })
  await dialog.getByLabel('Password').fill(PASSWORD)
  await visitor.page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  await visitor.escape()
  await server.post(bob, alice, 'afterwards')
  await visitor.shows(['afterwards'])
})
