// The page without a mouse, its search and its settings.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const focused = (visitor) => visitor.page.evaluate(() => {
  const { activeElement: e } = document
  return e.getAttribute('aria-label') ?? e.textContent
})

test.everywhere('everything can be done with the keyboard alone', async (t) => {
  const { server, alice, bob, token } = await Server.withPeople(t)
  await server.call('POST', 'users', { email: 'carol@example.com', password: PASSWORD }, token)
  await server.postAll(alice, bob, ['one', 'two'])
  const visitor = await Visitor.open(t, server.url)
  const { keyboard } = visitor.page
  await visitor.heading('Sign in').waitFor()
  await keyboard.type(ALICE)
  await keyboard.press('Tab')
  await keyboard.type(PASSWORD)
  await keyboard.press('Enter')
  await visitor.isIn()
  await visitor.talk('carol').waitFor()

  await keyboard.press('Alt+ArrowDown')
  await visitor.heading('Everyone').waitFor()
  await keyboard.press('Alt+ArrowDown')
  await visitor.heading('bob').waitFor()
  await visitor.shows(['one', 'two'])
  await keyboard.type('three')
  await keyboard.press('Enter')
  await visitor.shows(['one', 'two', 'three'])

  // From the field back to the messages: the newest one's menu, and up from there.
  await keyboard.press('Shift+Tab')
  while (await focused(visitor) !== 'What to do with this message') await keyboard.press('Shift+Tab')
  await keyboard.press('ArrowUp')
  await keyboard.press('ArrowUp')
  await keyboard.press('Enter')
  await keyboard.press('ArrowDown')
  assert.equal(await focused(visitor), 'Edit')
  await keyboard.press('Escape')
  assert.equal(await focused(visitor), 'What to do with this message')
  await keyboard.press('Enter')
  await keyboard.press('ArrowUp')
  assert.equal(await focused(visitor), 'Delete')
  await keyboard.press('Enter')
  await visitor.page.getByRole('dialog', { name: 'Delete this message?' }).waitFor()
  while (await focused(visitor) !== 'Delete') await keyboard.press('Tab')
  await keyboard.press('Enter')
  await visitor.shows(['two', 'three'])

  await visitor.box.focus()
  await keyboard.press('ArrowUp')
  await visitor.page.getByLabel('Edit the message').waitFor()
  await keyboard.type('!')
  await keyboard.press('Enter')
  await visitor.shows(['two', 'three!'])
  assert.equal(await focused(visitor), 'Message')
  await keyboard.press('Escape')
  await visitor.heading('No conversation is open').waitFor()
  await keyboard.press('?')
  await visitor.page.getByRole('dialog', { name: 'Keys and markup' }).waitFor()
  await visitor.escape()
  await keyboard.press('Control+k')
  await visitor.page.getByRole('dialog', { name: 'Search' }).waitFor()
  await keyboard.type('carol')
  await visitor.page.locator('.found .talk', { hasText: 'carol' }).waitFor()
  while (!(await focused(visitor)).includes('carol@')) await keyboard.press('Tab')
  await keyboard.press('Enter')
  await visitor.heading('carol').waitFor()
})

test('search finds people and messages, marks what was looked for and leads there', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.postAll(bob, alice, Array.from({ length: 90 }, (_, i) => `message ${i + 1}${i % 2 ? ' with a Needle' : ''}`))
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.button('Search').click()
  const field = visitor.page.getByPlaceholder('Search for people and messages')
  await field.fill('needle')
  const hits = visitor.page.locator('.found mark')
  await hits.first().waitFor()
  assert.deepEqual([...new Set(await hits.allTextContents())], ['Needle'])
  assert.equal(await hits.count(), 20)
  // More come as one comes to their end.
  await visitor.page.waitForTimeout(500)
  assert.equal(await hits.count(), 20)
  for (const n of [40, 45]) {
    await visitor.button('Show more').scrollIntoViewIfNeeded()
    await visitor.page.waitForFunction((count) => document.querySelectorAll('.found mark').length === count, n)
  }
  assert.equal(await visitor.button('Show more').count(), 0)
  await field.fill('haystack')
  await visitor.page.getByText('Nothing was found for “haystack”.').waitFor()
  await field.fill('message 14 ')
  await visitor.page.locator('.found .talk', { hasText: 'message 14' }).click()
  // Without a motion too, and where the page has no colours of its own.
  await visitor.page.waitForFunction(() => {
    const lit = document.querySelector('.row.lit > .bubble')
    return lit?.textContent.includes('message 14') && getComputedStyle(lit).outlineStyle === 'solid'
  })
  await visitor.page.getByTitle('To the newest message').waitFor()
  await visitor.button('Search').click()
  await field.fill('bob@')
  await visitor.page.locator('.found .talk', { hasText: BOB }).click()
  await visitor.heading('bob').waitFor()
})

test('search that fails goes on where it was when it is asked to', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.postAll(bob, alice, Array.from({ length: 30 }, (_, i) => `needle ${i + 1}.`))
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  visitor.expectErrors(/status of 503/)
  const refuse = () => visitor.page.route(/content.*contains/, (route) => route.fulfill({ status: 503, json: { errors: [{ message: 'Not now.' }] } }))
  await refuse()
  await visitor.button('Search').click()
  await visitor.page.getByPlaceholder('Search for people and messages').fill('needle')
  await visitor.page.getByRole('alert').getByText('Not now.').waitFor()
  await visitor.page.unroute(/content.*contains/)
  await visitor.button('Try again').click()
  await visitor.page.waitForFunction(() => document.querySelectorAll('.found mark').length === 20)
  await refuse()
  await visitor.button('Show more').scrollIntoViewIfNeeded()
  await visitor.page.getByRole('alert').getByText('Not now.').waitFor()
  await visitor.page.unroute(/content.*contains/)
  await visitor.button('Try again').click()
  await visitor.page.waitForFunction(() => document.querySelectorAll('.found mark').length === 30)
  assert.equal(new Set(await visitor.page.locator('.found .talk .line').allTextContents()).size, 30)
})

test('each key does what the help says, and a letter nothing where one types', async (t) => {
  const { server, alice, bob, token } = await Server.withPeople(t)
  const { doc: carol } = await server.call('POST', 'users', { email: 'carol@example.com', password: PASSWORD }, token)
  await server.post(alice, bob, 'mine')
  await server.postAll(bob, alice, Array.from({ length: 30 }, (_, i) => `${i}`))
  await server.call('POST', `parley/conversations/${bob}/read`, { message: 31 }, token)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const { page } = visitor
  const { keyboard } = page
  const dialog = page.getByRole('dialog')
  const opens = async (key, name) => {
    await keyboard.press(key)
    await page.getByRole('dialog', { name }).waitFor()
    await visitor.escape()
  }
  // From within an empty field, where most of the time is spent.
  await visitor.box.focus()
  for (const key of ['Control+k', 'Meta+k']) await opens(key, 'Search')
  await keyboard.press('Alt+ArrowUp')
  await visitor.heading('Everyone').waitFor()
  await keyboard.press('Alt+ArrowUp') // round to the last
  await visitor.heading('Notes to yourself').waitFor()
  await keyboard.press('Alt+ArrowDown')
  await visitor.heading('Everyone').waitFor()
  await server.post(carol.id, alice, 'unread')
  await visitor.talk('carol').locator('.count').waitFor()
  await page.evaluate(() => { location.hash = '#/c/1' })
  await visitor.heading('Notes to yourself').waitFor()
  await keyboard.press('Alt+Shift+ArrowUp')
  await visitor.heading('carol').waitFor()
  await visitor.talkTo('bob')
  await visitor.box.focus()
  await keyboard.type('/?')
  assert.equal(await visitor.box.inputValue(), '/?')
  assert.equal(await dialog.count(), 0)
  await keyboard.press('ArrowUp')
  assert.equal(await page.locator('.editor').count(), 0) // something is written
  await visitor.box.fill('')
  await keyboard.press('ArrowUp')
  await page.getByLabel('Edit the message').waitFor()
  await keyboard.press('Escape')
  await page.locator('.editor').waitFor({ state: 'detached' })
  await visitor.heading('bob').waitFor()

  await page.getByRole('log').focus()
  await opens('/', 'Search')
  await opens('?', 'Keys and markup')
  await page.evaluate(() => { document.querySelector('.scroller').scrollTop = -500 })
  await visitor.button('To the newest').waitFor()
  await keyboard.press('End')
  await visitor.button('To the newest').waitFor({ state: 'detached' })

  // What an input method takes is not the page's, nor what a field does with Escape itself.
  await page.getByRole('log').dispatchEvent('keydown', { key: 'Escape', isComposing: true, bubbles: true, cancelable: true })
  const filter = page.getByPlaceholder('Find a person')
  await filter.fill('bo')
  await keyboard.press('Escape')
  await visitor.heading('bob').waitFor()
  assert.equal(await filter.inputValue(), '')
  await keyboard.press('Escape')
  await visitor.heading('No conversation is open').waitFor()
})

test('a password is changed, by one who knows the old one, and the other sessions end', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  const elsewhere = await Visitor.signedIn(t, server.url, ALICE)
  visitor.expectErrors(/status of 40[013]/)
  await visitor.button('Settings').click()
  await visitor.page.getByText('Change the password').first().click()
  const change = async (current) => {
    await visitor.page.getByLabel('The current password').fill(current)
    await visitor.page.getByLabel('The new password').fill('another horse')
    await visitor.page.getByLabel('Password, once more').fill('another horse')
    await visitor.page.keyboard.press('Enter')
  }
  await change('not this one')
  await visitor.page.getByRole('alert').getByText('is wrong').waitFor()
  await change(PASSWORD)
  await visitor.page.getByText('Saved.').waitFor()
  await elsewhere.page.getByRole('dialog', { name: 'You have been signed out' }).waitFor()
  await server.call('POST', 'users/login', { email: ALICE, password: 'another horse' })
  await visitor.escape()
  await visitor.talkTo('bob')
  await visitor.write('still here')
  await visitor.shows(['still here'])
})

test('a theme is chosen and kept, single letters can be turned off, Enter can break lines', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE, { colorScheme: 'light' })
  const paper = () => visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await paper()
  await visitor.button('Settings').click()
  await visitor.page.getByLabel('Theme').selectOption('dark')
  assert.notEqual(await paper(), light)
  await visitor.page.getByLabel('Single letters').uncheck()
  await visitor.page.getByLabel('The Enter key').selectOption('breaks')
  await visitor.escape()
  await visitor.page.reload()
  await visitor.isIn()
  assert.notEqual(await paper(), light)
  await visitor.page.keyboard.press('?')
  assert.equal(await visitor.page.getByRole('dialog').count(), 0)
  await visitor.talkTo('bob')
  await visitor.box.focus()
  await visitor.page.keyboard.type('one\ntwo')
  await visitor.page.keyboard.press('Control+Enter')
  await visitor.shows(['one\ntwo'])
})

test('on a phone the keys for the next conversation lead from one to the next, in the order of the list', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.postAll(bob, alice, ['one', 'two'])
  const visitor = await Visitor.with(t, server.url, ALICE, 'Everyone', { viewport: { width: 390, height: 844 } })
  const { keyboard } = visitor.page
  assert.equal(await visitor.talk('bob').count(), 0)
  await keyboard.press('Alt+Shift+ArrowDown')
  await visitor.heading('bob').waitFor()
  await keyboard.press('Alt+ArrowDown')
  await visitor.heading('Notes to yourself').waitFor()
  await keyboard.press('Alt+ArrowDown')
  await visitor.heading('Everyone').waitFor()
  await keyboard.press('Alt+ArrowUp')
  await visitor.heading('Notes to yourself').waitFor()
})

test('the browser’s frame has the colour of the theme that is chosen, or of the system’s', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE, { colorScheme: 'light' })
  // The first that counts is the one.
  const frame = () => visitor.page.evaluate(() =>
    [...document.querySelectorAll('meta[name=theme-color]')].find(({ media }) => matchMedia(media).matches).content)
  const [light, dark] = ['#f6f7f5', '#131719']
  assert.equal(await frame(), light)
  await visitor.button('Settings').click()
  const theme = visitor.page.getByLabel('Theme')
  for (const [chosen, colour] of [['dark', dark], ['light', light], ['auto', light], ['dark', dark]]) {
    await theme.selectOption(chosen)
    assert.equal(await frame(), colour, chosen)
  }
  await visitor.page.reload()
  await visitor.isIn()
  assert.equal(await frame(), dark)
  await theme.selectOption('auto')
  await visitor.page.emulateMedia({ colorScheme: 'dark' })
  assert.equal(await frame(), dark)
})

test('whoever closes the settings is where they were, and the way back does not lead into them again', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const { page } = visitor
  const at = page.url()
  await visitor.button('Settings').click()
  await page.getByRole('dialog').waitFor()
  await visitor.escape()
  await page.waitForURL(at)
  await page.goBack()
  await visitor.heading('No conversation is open').waitFor()
  assert.equal(await page.getByRole('dialog').count(), 0)
  // An address that was entered, and another page that begins there.
  await page.goto(`${visitor.url}/#/settings`)
  const other = await Visitor.open(t, `${server.url}/#/settings`, { beside: visitor })
  for (const one of [visitor, other]) {
    await one.page.reload()
    await one.page.getByRole('dialog').waitFor()
    await one.escape()
    await one.page.waitForFunction(() => /^(#\/)?$/.test(location.hash))
  }
})

test('leaving a conversation is the way back to the list, by the button as by the key, and not another step forward', async (t) => {
  const { server, bob } = await Server.withPeople(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE, PHONE)
  const { page } = visitor
  const isAtRow = (peer) => page.waitForFunction((id) => document.activeElement.dataset.peer === String(id), peer)
  const button = page.getByLabel('Back to the conversations')
  // Pressed twice it leads no farther.
  for (const leave of [() => button.tap(), () => page.keyboard.press('Escape'), () => button.evaluate((back) => { back.click(); back.click() })]) {
    await visitor.talkTo('bob')
    await leave()
    await isAtRow(bob)
    await page.goForward()
    await visitor.heading('bob').waitFor()
    await page.goBack()
    await isAtRow(bob)
  }
  // However many conversations one went through meanwhile, and over a reload.
  await visitor.talkTo('bob')
  await page.keyboard.press('Alt+ArrowDown')
  await visitor.heading('Notes to yourself').waitFor()
  await page.goBack()
  await visitor.heading('bob').waitFor()
  await page.goForward()
  await visitor.heading('Notes to yourself').waitFor()
  await page.reload()
  await visitor.heading('Notes to yourself').waitFor()
  await button.tap()
  await isAtRow(1)
  await page.goForward()
  await visitor.heading('bob').waitFor()
  await page.goBack()
  await page.goBack()
  await page.waitForURL('about:blank')

  // One that is opened at a conversation, by a link or by what told of it.
  const other = await Visitor.open(t, `${server.url}/#/c/${bob}`, { beside: visitor })
  await other.heading('bob').waitFor()
  await other.page.getByLabel('Back to the conversations').tap()
  await other.talk('bob').waitFor()
  await other.page.goBack()
  await other.page.waitForURL('about:blank')
})

test('whoever leaves behind many conversations, or one that was opened again in its place, is at the list', async (t) => {
  const { server, bob } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const { page } = visitor
  const leave = async () => {
    await page.keyboard.press('Escape')
    await visitor.heading('No conversation is open').waitFor()
  }
  await visitor.talkTo('bob')
  await leave()
  await page.goForward()
  await visitor.heading('bob').waitFor()
  // Browsers forget what lies farther back than fifty.
  await page.evaluate((peers) => { for (let n = 0; n < 60; n++) location.hash = `#/c/${peers[n % 2]}` }, [1, bob])
  await leave()
  await page.goBack()
  await visitor.heading(/bob|Notes/).waitFor()
  await leave()
})
