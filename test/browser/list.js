// The list of conversations: what a row says, in which order, and what there is where there are no rows.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from './harness.js'
import { png } from './picture.js'
import { ALICE, PASSWORD, Server } from './server.js'
import { PHONE, Visitor, until } from './visitor.js'

const DAY_MS = 86_400_000

// As many as that in all; to make them one by one would take a minute of hashing.
async function crowd(server, most) {
  await server.stop()
  const columns = 'updated_at, created_at, salt, hash'
  const copies = `WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ${most})
    INSERT INTO users (id, email, ${columns}) SELECT i, printf('user%04d@example.com', i), ${columns} FROM n, (SELECT * FROM users WHERE id = 1)`
  execFileSync('sqlite3', [join(server.folder, 'parley.db'), copies])
  await server.startAgain()
}

test('a row says who it is, what was said last and when, and what waits there', async (t) => {
  const { server, alice, bob, token } = await Server.withPeople(t)
  const picture = new FormData()
  picture.append('_payload', JSON.stringify({ alt: 'x' }))
  picture.append('file', new Blob([png(8, 8, [0, 0, 0])], { type: 'image/png' }), 'x.png')
  await fetch(`${server.url}/api/media`, { method: 'POST', body: picture, headers: { Authorization: `JWT ${token}` } })
  const ids = { bob }
  for (const name of ['carol', 'dave', 'erin', 'zoe', 'yan']) {
    ids[name] = (await server.call('POST', 'users', { email: `${name}@example.com`, password: PASSWORD }, token)).doc.id
  }
  const now = Date.now()
  const at = (days) => new Date(now - days * DAY_MS).toISOString()
  const post = (from, to, content, days) => server.post(from, to, content, { timestamp: at(days), createdAt: at(days), updatedAt: at(days) })
  await post(ids.erin, alice, '[The plan](/api/media/file/plan.pdf#8)', 800)
  await post(alice, ids.dave, '[The garden](/api/media/file/x.png#8x8)', 100)
  await post(alice, ids.carol, '**Are** you `there`?', 3)
  for (let n = 0; n < 101; n++) await server.post(bob, alice, `${n}`)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.talk('bob').getByText('99+').waitFor()
  const rows = () => visitor.page.locator('.talk').evaluateAll((all) => all.map((row) => [
    row.querySelector('.name bdi').textContent, row.querySelector('.line')?.textContent ?? '', row.querySelector('time')?.textContent ?? '',
  ]))
  const weekday = new Date(at(3)).toLocaleDateString('en-GB', { weekday: 'short', timeZone: 'UTC' })
  await visitor.talk('zoe').waitFor() // of the people, who are read beside the conversations
  const said = await rows()
  assert.deepEqual(said.map(([name, line]) => [name, line]), [
    ['Everyone', ''], ['bob', '100'], ['carol', 'You: Are you there?'], ['dave', 'You: Picture'], ['erin', 'File: The plan'],
    ['yan', ''], ['zoe', ''], ['Notes to yourself', 'Notes that only you write and read'],
  ])
  const times = Object.fromEntries(said.map(([name, , time]) => [name, time]))
  assert.match(times.bob, /^\d\d:\d\d$/)
  assert.equal(times.carol, weekday)
  assert.match(times.dave, /^\d{1,2} \p{L}+$|^\d\d\/\d\d\/\d{4}$/u)
  assert.match(times.erin, /^\d\d\/\d\d\/\d{4}$/)
  await visitor.page.getByRole('link', { name: /^bob\s*, \d+ unread .* 100$/ }).waitFor()

  // A draft stands in place of what was said last, once one is elsewhere; of whoever is written to last the row goes up.
  await visitor.talkTo('zoe')
  assert.equal(await visitor.talk('zoe').getAttribute('aria-current'), 'page')
  await visitor.box.fill('half a sen')
  await visitor.talkTo('Notes to yourself')
  await visitor.talk('zoe').getByText('Draft: half a sen').waitFor()
  await visitor.talkTo('zoe')
  await visitor.button('Send').click()
  await visitor.talk('zoe').getByText('You: half a sen').waitFor()
  assert.deepEqual((await rows()).slice(0, 3).map(([name]) => name), ['Everyone', 'zoe', 'bob'])
})

test('among six hundred people the server looks, where the page does not know them', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await crowd(server, 600)
  await server.post(bob, alice, 'Hello')
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  visitor.expectErrors(/status of 503/)
  await visitor.talk('user0003').waitFor()
  const filter = visitor.page.getByLabel('Find a person')
  const is = (name) => visitor.page.waitForFunction((one) => {
    const names = [...document.querySelectorAll('.talk .name bdi')].map((e) => e.textContent)
    return names.length === 1 && names[0] === one
  }, name)
  assert.equal(await visitor.talk('user0599').count(), 0)
  await filter.fill('USER0599')
  await is('user0599')
  // An answer that is late says nothing of what is looked for meanwhile.
  let release
  const held = new Promise((resolve) => { release = resolve })
  await visitor.page.route(/people\?.*0003/, async (route) => { await held; await route.continue() })
  const asked = visitor.page.waitForRequest(/people\?.*0003/)
  await filter.fill('user0003@')
  await is('user0003')
  await asked
  await filter.fill('nobody')
  const nothing = visitor.page.getByText('Nothing was found for “nobody”.')
  await nothing.waitFor()
  const late = visitor.page.waitForEvent('requestfinished', (request) => /people\?.*0003/.test(request.url()))
  release()
  await late
  await visitor.page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)) }))
  assert.ok(await nothing.isVisible())
  await visitor.page.route(/api\/parley\/people\?.*0598/, (route) => route.fulfill({ status: 503, json: { errors: [{ message: 'Not now.' }] } }), { times: 1 })
  await filter.fill('user0598')
  await visitor.page.getByRole('alert').getByText('Not now.').waitFor()
  assert.equal(await visitor.page.getByText('Nothing was found').count(), 0)
  await visitor.button('Try again').click()
  await is('user0598')
  await visitor.talkTo('user0598')
  await visitor.write('Hello')
  await visitor.shows(['Hello'])
  await filter.fill('')
  await visitor.page.locator('li:nth-child(2) > .talk', { hasText: 'user0598' }).waitFor()
  await visitor.fits()
})

test('the list says that it is being read, and that it could not be', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE, PHONE)
  visitor.expectErrors(/status of 503/)
  const LISTS = /api\/parley\/(people|conversations)\?/
  let release, asked = 0
  const held = new Promise((resolve) => { release = resolve })
  await visitor.page.route(LISTS, async (route) => {
    asked++
    await held
    await route.fulfill({ status: 503, json: { errors: [{ message: 'Not now.' }] } })
  })
  await visitor.bePatient()
  await visitor.page.evaluate(() => localStorage.removeItem('parley.me')) // and with it what was seen last
  await visitor.page.reload()
  await visitor.page.getByRole('list', { name: 'Loading' }).waitFor()
  assert.equal(await visitor.page.locator('.skeleton').count(), 6)
  // Both are read when the stream is there; behind that nothing is read by itself.
  await until(() => asked === 2, () => `asked ${asked} times`)
  release()
  await visitor.page.getByRole('alert').getByText('Not now.').waitFor()
  await visitor.page.unroute(LISTS)
  await visitor.button('Try again').click()
  await visitor.talk('bob').waitFor()
  await visitor.page.getByRole('alert').waitFor({ state: 'detached' })
})
