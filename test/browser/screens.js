// Every screen in both themes, on a phone and a desktop, from the left and from the right: nothing that keeps somebody out
// (axe), nothing sideways, one heading; on a phone all is large enough for a finger. With SCREENSHOTS=FOLDER pictures of
// them are made, for people to look at.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from './harness.js'
import { keeps } from './kept.js'
import { png } from './picture.js'
import { PASSWORD, Server } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const FOLDER = process.env.SCREENSHOTS
const SIZES = { desktop: { viewport: { width: 1180, height: 820 } }, phone: PHONE }
const NAMES = ['ada', 'ben', 'chloe', 'dan', 'emre', 'fatima'].map((name) => `${name}@example.com`)

// Minutes before now, from, to, text.
const TALK = [
  [2900, 1, 0, 'The new sensor is on the roof. It reports **every ten seconds**.'],
  [2896, 0, 1, 'Great! Does it survive a power cut?'],
  [2895, 1, 0, 'I pulled the plug twice: nothing was lost, and the page caught up by itself.'],
  [2895, 1, 0, 'The numbers are here: https://example.com/roof'],
  [1500, 3, 0, 'Thank you for the cake!'],
  [1460, 4, 0, 'Could you look at the pump? It is *loud* again.'],
  [300, 0, 5, 'The key is under the third pot'],
  [64, 1, 0, 'Good morning! Is the meeting still at ten?'],
  [62, 0, 1, 'Yes, in the workshop. Please bring\n\n- the plans of the ground floor\n- the garden’s\n- a measuring tape'],
  [60, 1, 0, 'Will do 👍'],
  [58, 0, 1, 'And I wrote a small check for the sensor:\n\n```\ncurl -s localhost:3000/api/messages/count\n```'],
  [56, 1, 0, '[The roof at noon](/api/media/file/roof.png#640x300)\nIt looks fine up here.'],
  [55, 1, 0, '> Does it survive a power cut?\n\nBy the way: it also survived the painters.'],
  [54, 0, 1, '🎉'],
  [20, 2, 0, 'I am five minutes late, start without me.'],
  [12, 2, 0, 'Sorry, the train.'],
]

const TOKEN = 'the-token-of-this-server'

async function register(server) {
  const response = await fetch(`${server.url}/api/users/first-register`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'Parley-Setup-Token': TOKEN }, body: JSON.stringify({ email: NAMES[0], password: PASSWORD }),
  })
  return response.json()
}

// Ben is there and has been read; of Chloe two messages are unread, where the server counts.
async function fill(t, server, { user, token }) {
  const ids = [user.id]
  for (const email of NAMES.slice(1)) ids.push((await server.call('POST', 'users', { email, password: PASSWORD }, token)).doc.id)
  const picture = new FormData()
  picture.append('_payload', JSON.stringify({ alt: 'The roof at noon' }))
  picture.append('file', new Blob([png(640, 300, [70, 130, 180])], { type: 'image/png' }), 'roof.png')
  await fetch(`${server.url}/api/media`, { method: 'POST', body: picture, headers: { Authorization: `JWT ${token}` } })
  for (const [minutes, from, to, content] of TALK) {
    const time = new Date(Date.now() - minutes * 60_000).toISOString()
    const { id } = await server.post(ids[from], ids[to], content, { timestamp: time, createdAt: time, updatedAt: time })
    if (to === 0 && from !== 2) await server.call('POST', `parley/conversations/${ids[from]}/read`, { message: id }, token).catch(() => {})
  }
  const dan = await server.call('POST', 'users/login', { email: NAMES[3], password: PASSWORD })
  await server.call('PATCH', 'parley/profile', { name: 'Daniel of the Workshop' }, dan.token)
  const ben = await server.call('POST', 'users/login', { email: NAMES[1], password: PASSWORD })
  const stream = new AbortController()
  const address = `${server.url}/api/parley/stream?collections=messages&events=presence&limit=0`
  await fetch(address, { headers: { Authorization: `JWT ${ben.token}` }, signal: stream.signal })
  t.defer(() => stream.abort())
  return ids
}

async function hasNoBarrier(page, name) {
  const options = { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }
  const { violations } = await page.evaluate((wanted) => window.axe.run(document, wanted), options)
  const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`)
  assert.deepEqual(told, [], name)
}

// What is too small for a finger, and the fields at which a phone would enlarge the page. Links within a text are as it is.
const smallThings = () => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter((e) => e.checkVisibility() && !e.matches('.text a, .skip, .unseen *'))
  .map((e) => [e, (e.closest('label') ?? e).getBoundingClientRect()])
  .filter(([e, { width, height }]) => Math.min(width, height) < 44 || (e.matches('input, select, textarea') && parseFloat(getComputedStyle(e).fontSize) < 16))
  .map(([e, { width, height }]) => `${e.outerHTML.slice(0, 120)}: ${width} x ${height}`)

async function look(visitor, name, direction) {
  const { page } = visitor
  await page.evaluate((dir) => { document.documentElement.dir = dir }, direction)
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(`${AXE};0`)
  await hasNoBarrier(page, name)
  await visitor.fits()
  assert.deepEqual(await page.evaluate(() => ['main', 'h1'].map((e) => document.querySelectorAll(e).length)), [1, 1], name)
  if (name.startsWith('phone')) assert.deepEqual(await page.evaluate(smallThings), [], name)
  if (FOLDER) await page.screenshot({ path: join(FOLDER, `${name}.png`) })
}

// Each is looked at in both themes; from the right in one of them.
const RUNS = [
  ['desktop', 'light', 'ltr'], ['desktop', 'dark', 'ltr'], ['desktop', 'dark', 'rtl'],
  ['phone', 'light', 'ltr'], ['phone', 'dark', 'ltr'], ['phone', 'light', 'rtl'],
]

for (const [size, colorScheme, direction] of RUNS) {
  test(`every screen can be read by all: ${size}, ${colorScheme}, ${direction}`, async (t) => {
    if (FOLDER) mkdirSync(FOLDER, { recursive: true })
    const server = await Server.start(t, '127.0.0.1:0', ['--setup-token', TOKEN])
    const visitor = await Visitor.open(t, server.url, { ...SIZES[size], colorScheme })
    visitor.expectErrors(/status of (400|401|403|503)|net::ERR_/)
    const { page } = visitor
    const seen = (name) => look(visitor, `${size}-${colorScheme}-${direction === 'rtl' ? 'rtl-' : ''}${name}`, direction)
    const phone = size === 'phone'
    const home = () => page.evaluate(() => { location.hash = '#/' })
    const refuse = (what) => page.route(what, (route) => route.fulfill({ status: 503, json: { errors: [{ message: 'Not now.' }] } }))
    const menu = async (text, choice) => {
      if (phone) await visitor.row(text).locator('.bubble').click({ position: { x: 20, y: 20 } })
      else await visitor.row(text).hover()
      await visitor.row(text).getByRole('button', { name: 'What to do' }).click()
      if (choice) await page.getByRole('menuitem', { name: choice }).click()
    }

    await visitor.heading('Create the first account').waitFor()
    await seen('first')
    await refuse('**/api/users/me')
    await page.reload()
    await visitor.heading('Not now.').waitFor()
    await seen('unreachable')
    await page.unroute('**/api/users/me')
    await visitor.button('Try again').click()
    await visitor.fillToken(TOKEN)
    await visitor.fillEntry(NAMES[0], 'short')
    await page.getByText('at least 8 characters').waitFor()
    await seen('flaws')
    const first = await register(server)
    await page.reload()
    await visitor.heading('Sign in').waitFor()
    await seen('entry')
    await visitor.signIn(NAMES[0])
    await page.getByText('You are the only one here.').waitFor()
    await seen('alone')
    const ids = await fill(t, server, first)
    const lists = /api\/parley\/(people|conversations)/
    let release
    const held = new Promise((resolve) => { release = resolve })
    await page.route(lists, async (route) => { await held; await route.continue().catch(() => {}) })
    await page.evaluate(() => localStorage.removeItem('parley.me')) // and with it what was seen last
    await page.reload()
    await page.locator('.skeleton').first().waitFor()
    await seen('waiting')
    await page.unroute(lists)
    await refuse(lists)
    release()
    await page.reload()
    await page.getByText('Not now.').waitFor()
    await seen('list-failed')
    await page.unroute(lists)
    await page.reload()
    await visitor.talk('ben').getByText('🎉').waitFor()
    await seen('list')
    await visitor.talkTo('ben')
    await visitor.row('painters').waitFor()
    await page.waitForFunction(() => document.querySelector('.text code') && document.querySelector('.text ul'))
    await seen('thread')

    await visitor.onSend((route) => route.fulfill({ status: 400, json: { errors: [{ message: 'The server says no.' }] } }))
    await visitor.write('This one does not get through')
    await page.getByText('Not sent.').waitFor()
    await visitor.box.fill('x'.repeat(39_990))
    await seen('failed')
    await visitor.box.fill('')
    await menu('measuring')
    await seen('menu')
    await page.getByRole('menuitem', { name: 'Edit' }).click()
    await page.getByLabel('Edit the message').waitFor()
    await seen('editor')
    await page.keyboard.press('Escape')
    await menu('measuring', 'Delete')
    await page.getByRole('dialog').waitFor()
    await seen('question')
    await visitor.escape()
    await visitor.button('Open the picture The roof at noon').click()
    await page.waitForFunction(() => document.querySelector('.viewer > img')?.naturalWidth)
    await seen('viewer')
    await visitor.escape()

    // One is there, one is refused, one is on its way.
    const attach = (name, mimeType) => page.locator('input[type=file]').setInputFiles([{ name, mimeType, buffer: png(64, 40, [60, 120, 80]) }])
    await attach('garden.png', 'image/png')
    await page.getByLabel('Description of garden.png').waitFor()
    await refuse('**/api/media')
    await attach('refused.png', 'image/png')
    await page.getByText('Not now.').waitFor()
    await page.unroute('**/api/media')
    await page.route('**/api/media', () => new Promise(() => {}))
    await attach('a name that is as long as names of files can get, and longer.txt', 'text/plain')
    await page.locator('.chips progress').waitFor()
    await seen('uploads')
    const told = page.waitForFunction(() => document.querySelector('.toast button'))
    await Promise.all([told, server.post(ids[4], ids[0], 'The pump is quiet again.')])
    await seen('toast')
    await server.call('DELETE', `messages/${(await server.call('GET', 'messages?where[content][like]=painters')).docs[0].id}`)
    await page.locator('.deleted').waitFor()
    await seen('deleted')

    await home()
    await visitor.talkTo('Everyone')
    await visitor.row('third pot').waitFor()
    await seen('everyone')
    await home()
    await page.route(/api\/parley\/presence\//, (route) => route.fulfill({ json: { online: false, lastSeen: new Date().toISOString() } }))
    await visitor.talkTo('fatima')
    await page.locator('.top').getByText('Last seen today').waitFor()
    await seen('short')
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder('Search for people and messages').fill('e')
    await page.locator('.found mark').first().waitFor()
    await seen('search')
    await page.getByPlaceholder('Search for people and messages').fill('nowhere')
    await page.getByText('Nothing was found').waitFor()
    await seen('search-none')
    await refuse(/api\/messages\?/)
    await page.getByPlaceholder('Search for people and messages').fill('refused')
    await page.getByText('Not now.').waitFor()
    await seen('search-failed')
    await page.keyboard.press('Escape') // empties the field
    await visitor.escape()
    await home()
    await visitor.talk('chloe').click()
    await page.getByText('The messages could not be read.').waitFor()
    await seen('thread-failed')
    await page.unroute(/api\/messages\?/)
    await home()
    await visitor.button('Settings').click()
    await page.getByText('Change the password').first().click()
    await page.getByLabel('Your name').fill('x'.repeat(65))
    await page.keyboard.press('Enter')
    await page.getByText('at most 64 characters').waitFor()
    await page.getByText('Where you are signed in').click()
    await page.locator('details li').nth(1).waitFor()
    await seen('settings')
    await visitor.escape()
    await visitor.button('Add a person').first().click()
    await page.getByRole('dialog').waitFor()
    await seen('person')
    await visitor.escape()
    await page.evaluate(() => document.activeElement?.blur())
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys and markup' }).waitFor()
    await seen('help')
    await visitor.escape()
    await visitor.context.setOffline(true)
    await page.evaluate(() => dispatchEvent(new Event('online'))) // what is open stays open; it is to be opened anew
    await page.getByText('You are offline.').waitFor()
    await seen('offline')
    await visitor.context.setOffline(false)
    await page.route('**/api/parley/stream*', (route) => route.abort())
    await visitor.talkTo('dan')
    await page.evaluate(() => dispatchEvent(new Event('online')))
    await page.getByText('Connection lost. Reconnecting').waitFor()
    await seen('lost')
    await home()
    await visitor.talkTo('ben')
    await keeps(visitor, 'a measuring tape')
    await page.route('**/api/**', (route) => route.abort('connectionrefused'))
    await page.reload()
    await page.getByText('As of').first().waitFor()
    await seen('away')
    await page.route(`${visitor.url}/`, (route) => route.fulfill({ body: '<script src="a/another.js"></script>' }))
    await page.unroute('**/api/**')
    await page.unroute('**/api/parley/stream*')
    await page.evaluate(() => dispatchEvent(new Event('online')))
    await page.getByText('A new version').waitFor()
    await seen('update')
    await server.call('POST', 'users/logout?allSessions=true', {}, first.token)
    const other = await server.call('POST', 'users/login', { email: NAMES[0], password: PASSWORD })
    await server.call('POST', 'users/logout?allSessions=true', {}, other.token)
    await visitor.heading('You have been signed out').waitFor()
    await seen('ended')
  })
}
