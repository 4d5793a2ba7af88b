// Every screen in both themes, on a phone and a desktop: nothing that keeps somebody out (axe), nothing sideways. With
// SCREENSHOTS=FOLDER pictures of them are made, for people to look at.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from './harness.js'
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

// Ben is there and has been read; of Chloe two messages are unread, where the server counts.
async function fill(t, server) {
  await fetch(`${server.url}/api/users/first-register`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'Parley-Setup-Token': TOKEN }, body: JSON.stringify({ email: NAMES[0], password: PASSWORD }),
  })
  const { user, token } = await server.call('POST', 'users/login', { email: NAMES[0], password: PASSWORD })
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
}

async function look(visitor, name) {
  await visitor.page.evaluate(`${AXE};0`)
  const options = { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }
  const { violations } = await visitor.page.evaluate((wanted) => window.axe.run(document, wanted), options)
  const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`)
  assert.deepEqual(told, [], name)
  await visitor.fits()
  if (FOLDER) await visitor.page.screenshot({ path: join(FOLDER, `${name}.png`) })
}

for (const size of Object.keys(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`every screen can be read by all: ${size}, ${colorScheme}`, async (t) => {
      if (FOLDER) mkdirSync(FOLDER, { recursive: true })
      const server = await Server.start(t, '127.0.0.1:0', ['--setup-token', TOKEN])
      const visitor = await Visitor.open(t, server.url, { ...SIZES[size], colorScheme })
      visitor.expectErrors(/status of 400|net::ERR_/)
      const { page } = visitor
      const seen = (name) => look(visitor, `${size}-${colorScheme}-${name}`)
      const phone = size === 'phone'
      const home = () => page.evaluate(() => { location.hash = '#/' })

      await visitor.heading('Create the first account').waitFor()
      await seen('first')
      await page.getByLabel('Setup token').fill(TOKEN)
      await visitor.fillEntry(NAMES[0], 'short')
      await page.getByText('at least 8 characters').waitFor()
      await seen('flaws')
      await fill(t, server)
      await page.reload()
      await visitor.heading('Sign in').waitFor()
      await seen('entry')
      await visitor.signIn(NAMES[0])
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
      if (phone) await visitor.row('measuring').locator('.bubble').click({ position: { x: 20, y: 20 } })
      else await visitor.row('measuring').hover()
      await visitor.row('measuring').getByRole('button', { name: 'What to do' }).click()
      await seen('menu')
      await page.getByRole('menuitem', { name: 'Edit' }).click()
      await page.getByLabel('Edit the message').waitFor()
      await seen('editor')
      await page.keyboard.press('Escape')
      await page.locator('input[type=file]').setInputFiles([
        { name: 'roof.png', mimeType: 'image/png', buffer: png(640, 300, [70, 130, 180]) },
        { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<!doctype html>') },
      ])
      await page.getByLabel('Description of roof.png').waitFor()
      await page.locator('.chips .failed').waitFor()
      await seen('files')
      await visitor.button('Remove page.html').click()
      await visitor.button('Remove roof.png').click()
      await visitor.button('Open the picture').click()
      await page.waitForFunction(() => document.querySelector('.viewer > img')?.naturalWidth)
      await seen('viewer')
      await visitor.escape()
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
      await page.keyboard.press('Escape') // empties the field
      await visitor.escape()
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

      await page.route('**/api/**', (route) => route.abort('connectionrefused'))
      await page.reload()
      await page.getByText('As of').first().waitFor()
      await seen('away')
      await page.route(`${server.url}/`, (route) => route.fulfill({ body: '<script src="a/another.js"></script>' }))
      await page.unroute('**/api/**')
      await page.evaluate(() => dispatchEvent(new Event('online')))
      await page.getByText('A new version').waitFor()
      await seen('update')
      await page.unroute(`${server.url}/`)

      const { token } = await server.call('POST', 'users/login', { email: NAMES[0], password: PASSWORD })
      await server.call('POST', 'users/logout?allSessions=true', {}, token)
      await page.getByRole('dialog', { name: 'You have been signed out' }).waitFor()
      await seen('ended')
    })
  }
}
