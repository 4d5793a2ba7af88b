// What one says of oneself, as others see it; where one is signed in; the first account of a server with a setup token.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { keeps } from './kept.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { Visitor } from './visitor.js'

const TOKEN = 'a token of nobody else'.replaceAll(' ', '-')
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0'

async function start(t) {
  const { server, ...people } = await Server.withPeople(t)
  const { token: bobs } = await server.call('POST', 'users/login', { email: BOB, password: PASSWORD })
  return { server, ...people, bobs, rename: (name) => server.call('PATCH', 'parley/profile', { name }, bobs) }
}

async function nameMe(visitor, name) {
  await visitor.button('Settings').click()
  await visitor.page.getByLabel('Your name').fill(name)
  await visitor.page.keyboard.press('Enter')
}

const found = (visitor) => visitor.page.locator('.found .talk')

async function search(visitor, text) {
  await visitor.page.keyboard.press('Control+k')
  await visitor.page.getByPlaceholder('Search for people and messages').fill(text)
}

test('a name that one chooses is shown wherever others see one, at once', async (t) => {
  const { server, alice, bob } = await start(t)
  await server.post(bob, alice, 'Hello')
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const everyone = await Visitor.with(t, server.url, ALICE, 'Everyone')
  const other = await Visitor.with(t, server.url, BOB, 'alice')
  await nameMe(other, '  Bob the Builder ')
  await other.page.getByRole('dialog').getByText('Saved.').waitFor()
  await other.escape()

  await visitor.talk('Bob the Builder').waitFor()
  assert.equal(await visitor.page.locator('.top h1').textContent(), 'Bob the Builder')
  await visitor.page.locator('.start b', { hasText: 'Bob the Builder' }).waitFor()
  assert.match(await visitor.row('Hello').textContent(), /^Bob the Builder: /)
  await everyone.page.locator('.heading', { hasText: 'Bob the Builder' }).waitFor()
  await Promise.all([visitor.page.locator('.top').getByText('Bob the Builder is writing').waitFor(), other.box.pressSequentially('hm')])
  await other.box.fill('')

  await visitor.page.getByLabel('Find a person').fill('builder')
  await visitor.talk('Bob the Builder').waitFor()
  await visitor.page.getByLabel('Find a person').fill('')
  await search(visitor, 'BUILD')
  await found(visitor).getByText('Bob the Builder').waitFor()
  assert.equal(await found(visitor).locator('.line').textContent(), BOB)
  await visitor.page.keyboard.press('Escape')
  await visitor.escape()

  await visitor.page.evaluate(() => { location.hash = '#/c/1' })
  await visitor.heading('Notes to yourself').waitFor()
  await server.post(bob, alice, 'News')
  await visitor.page.locator('.toast', { hasText: 'Bob the Builder: News' }).waitFor()
  await visitor.page.reload()
  await visitor.talk('Bob the Builder').waitFor()

  await nameMe(other, '')
  await visitor.talk('Builder').waitFor({ state: 'detached' })
  await visitor.talk('bob').waitFor()
})

test('a name that is chosen while all are being read is not overtaken by what was read', async (t) => {
  const { server, rename } = await start(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.talk('bob').waitFor()
  await keeps(visitor, BOB)
  const answers = await Promise.all(['people', 'conversations'].map((path) => visitor.hold(`**/api/parley/${path}?*`)))
  await visitor.page.reload()
  await Promise.all(answers.map(({ answered }) => answered))
  await visitor.talk('bob').waitFor() // as seen last
  await rename('Builder')
  await visitor.talk('Builder').waitFor()
  for (const letGo of answers) await letGo()
  await visitor.page.locator('.talks[aria-busy=false]').waitFor()
  assert.deepEqual(await visitor.page.locator('.talk .name bdi').allTextContents(), ['Everyone', 'Builder', 'Notes to yourself'])
})

test('a name that cannot be one is refused where it is written, and nothing is lost of it', async (t) => {
  const { server } = await start(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  visitor.expectErrors(/status of 400/)
  await nameMe(visitor, 'x'.repeat(65))
  const field = visitor.page.getByLabel('Your name')
  await visitor.page.getByText('A name has at most 64 characters.').waitFor()
  assert.equal(await field.getAttribute('aria-invalid'), 'true')
  assert.equal((await field.inputValue()).length, 65)
  await field.fill('\u202edecila')
  await visitor.page.keyboard.press('Enter')
  await visitor.page.getByText('A name has no control characters.').waitFor()
  await field.fill('Alice')
  await visitor.page.keyboard.press('Enter')
  await visitor.page.getByText('Saved.').waitFor()
  await visitor.escape()
  await visitor.button('Settings').click()
  await visitor.page.waitForFunction(() => document.querySelector('[name=name]')?.value === 'Alice')
})

test('names of markup, of 64 emoji and of one long word are shown as they are, and burst nothing', async (t) => {
  const { server, alice, bob, rename } = await start(t)
  await server.post(bob, alice, 'Hello')
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob', { viewport: { width: 360, height: 640 } })
  for (const name of ['<img src=x onerror="document.title=1"><b>&amp;</b>', '😀'.repeat(64), 'W'.repeat(64), 'ש'.repeat(64), '👩‍👩‍👧‍👦'.repeat(9)]) {
    await rename(name)
    await visitor.page.waitForFunction((wanted) => document.querySelector('.top h1 bdi')?.textContent === wanted, name)
    await visitor.fits()
    await visitor.page.evaluate(() => { location.hash = '#/' })
    await visitor.page.waitForFunction((wanted) => [...document.querySelectorAll('.talk bdi')].some((e) => e.textContent === wanted), name)
    await visitor.fits()
    await search(visitor, 'bob@')
    await found(visitor).locator('bdi').getByText(name, { exact: true }).waitFor()
    await visitor.fits()
    await visitor.page.keyboard.press('Escape')
    await visitor.escape()
    await visitor.page.evaluate(() => { location.hash = '#/c/all' })
    await visitor.page.waitForFunction((wanted) => [...document.querySelectorAll('.heading bdi')].some((e) => e.textContent === wanted), name)
    await server.post(bob, alice, name)
    await visitor.fits()
    await visitor.page.evaluate((peer) => { location.hash = `#/c/${peer}` }, bob)
  }
  assert.equal(await visitor.page.locator('.shell img:not([src="icon.svg"]), .shell bdi b').count(), 0)
  assert.match(await visitor.page.title(), /Parley/)
})

test('who takes the name that another is shown by is told apart', async (t) => {
  const { server, rename } = await start(t)
  const visitor = await Visitor.signedIn(t, server.url, BOB)
  await visitor.talk('alice').waitFor()
  await rename('alice')
  await visitor.talk(ALICE).waitFor()
  const other = await Visitor.signedIn(t, server.url, ALICE)
  await other.talk(BOB).waitFor()
  await rename('Bob')
  await visitor.page.waitForFunction(() => [...document.querySelectorAll('.talk .name bdi')].some((e) => e.textContent === 'alice'))
})

test('when somebody was last here is shown, unless they hide it', async (t) => {
  const { server, alice } = await start(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const top = visitor.page.locator('.top')
  await top.getByText(BOB).waitFor()
  const other = await Visitor.with(t, server.url, BOB, 'alice')
  await top.getByText('Online').waitFor()
  await other.page.goto('about:blank')
  await top.getByText(/^Last seen today at \d\d:\d\d$/).waitFor()

  await other.page.goto(other.url)
  await top.getByText('Online').waitFor()
  await other.button('Settings').click()
  const shown = other.page.getByRole('switch', { name: 'Show when I was last here' })
  assert.ok(await shown.isChecked())
  const saved = other.page.waitForResponse((response) => response.request().method() === 'PATCH')
  await shown.click()
  await saved
  await other.page.reload()
  await other.page.getByRole('switch', { name: 'Show when I was last here', checked: false }).waitFor()
  await other.page.goto('about:blank')
  await top.getByText(BOB).waitFor()
  await visitor.page.evaluate((me) => { location.hash = `#/c/${me}` }, alice)
  await visitor.page.locator('h1', { hasText: 'Notes to yourself' }).waitFor()
  const asked = visitor.page.waitForResponse(/api\/parley\/presence\/\d+$/)
  await visitor.talkTo('bob')
  assert.deepEqual(await (await asked).json(), { user: 2, online: false, lastSeen: null })
  await top.getByText(BOB).waitFor()
})

test('one sees where one is signed in, and a session ended there signs that browser out', async (t) => {
  const { server } = await start(t)
  const there = await Visitor.signingIn(t, server.url, ALICE, { userAgent: WINDOWS })
  const odd = 'odd/1.0 '.repeat(20)
  const answer = await fetch(`${server.url}/api/users/login`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'User-Agent': odd }, body: JSON.stringify({ email: ALICE, password: PASSWORD }) })
  const { token } = await answer.json()
  const here = await Visitor.signingIn(t, server.url, ALICE)
  here.expectErrors(/status of 404/)
  await here.button('Settings').click()
  await here.page.getByText('Where you are signed in').click()
  const rows = here.page.locator('details li')
  await rows.first().waitFor()
  const names = await rows.locator('bdi').allTextContents()
  assert.deepEqual(names.slice(0, 3), ['Chrome on Linux', odd.slice(0, 60), 'Edge on Windows'])
  assert.match(await rows.first().textContent(), /This device$/)
  assert.match(await rows.first().textContent(), /Signed in \d+ \w+ \d{4}, \d\d:\d\d, ends \d+ \w+ \d{4}, \d\d:\d\d/)
  assert.equal(await rows.first().getByRole('button').count(), 0)
  await here.fits()

  await here.button('Sign out: Edge on Windows').click()
  await there.heading('You have been signed out').waitFor()
  await rows.filter({ hasText: 'Windows' }).waitFor({ state: 'detached' })
  assert.equal(await here.page.evaluate(() => document.activeElement.tagName), 'SUMMARY')
  assert.equal(await here.heading('You have been signed out').count(), 0)
  await there.page.getByLabel('Password').fill(PASSWORD)
  await there.page.keyboard.press('Enter')
  await there.page.locator('dialog').waitFor({ state: 'detached' })
  // One that has ended meanwhile is no longer in the list, and that is all.
  await fetch(`${server.url}/api/users/logout`, { method: 'POST', headers: { Authorization: `JWT ${token}` } })
  await rows.filter({ hasText: 'odd' }).getByRole('button').click()
  await rows.filter({ hasText: 'odd' }).waitFor({ state: 'detached' })
  assert.deepEqual(await here.page.locator('dialog .flaw').allTextContents(), ['', '', ''])
})

test('a server with a setup token asks for it with the first account, and for nothing later', async (t) => {
  const server = await Server.start(t, '127.0.0.1:0', ['--setup-token', TOKEN])
  const visitor = await Visitor.open(t, server.url)
  visitor.expectErrors(/status of 403/)
  await visitor.heading('Create the first account').waitFor()
  await visitor.page.getByText('It is in the server’s log, or was given at its start.').waitFor()
  await visitor.fillToken('not the token at all')
  await visitor.fillEntry(ALICE, PASSWORD)
  await visitor.page.getByRole('alert').getByText('The setup token is wrong.').waitFor()
  await visitor.fillToken(TOKEN)
  await visitor.page.keyboard.press('Enter')
  await visitor.isIn()
  const other = await Visitor.open(t, server.url)
  await other.heading('Sign in').waitFor()
  assert.equal(await other.page.getByLabel('Setup token').count(), 0)
})
