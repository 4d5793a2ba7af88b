// A device that slept for a day: the page wakes up to what happened meanwhile, whatever it was.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { Proxy } from './proxy.js'
import { ALICE, PASSWORD, Server } from './server.js'
import { Visitor, until } from './visitor.js'

const MEANWHILE = 2_000 // messages: more than the server has in memory, and than the page shows
const LOG = ['--log-bytes', '65536']

async function visit(t) {
  const { server, ...people } = await Server.withPeople(t, '127.0.0.1:0', LOG)
  await server.postAll(people.bob, people.alice, ['one', 'two', 'three'])
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  visitor.expectErrors(/net::ERR_|status of 40[13]/)
  await visitor.shows(['one', 'two', 'three'])
  const debug = await visitor.context.newCDPSession(visitor.page)
  const sleep = () => debug.send('Page.setWebLifecycleState', { state: 'frozen' })
  const wake = () => debug.send('Page.setWebLifecycleState', { state: 'active' })
  return { server, visitor, sleep, wake, ...people }
}

async function goOn({ server, bob, alice }) {
  const { doc } = await server.call('PATCH', 'messages/2', { content: 'two, corrected' })
  await server.call('DELETE', 'messages/3')
  let n = 0
  const write = async () => { while (n < MEANWHILE) await server.post(bob, alice, `meanwhile ${++n}`) }
  await Promise.all(Array.from({ length: 8 }, write))
  await server.post(bob, alice, 'the last one')
  return doc
}

// The page holds a run of messages without a hole, as the server has them.
async function isWhole({ server, visitor }) {
  await visitor.row('the last one').waitFor()
  const { docs } = await server.call('GET', 'messages?limit=0&sort=id&depth=0')
  const shown = await visitor.rows.evaluateAll((rows) => rows.map((row) => [Number(row.dataset.id), row.querySelector('.text').textContent]))
  assert.ok(shown.length >= 40 && shown.length <= 300, `${shown.length} rows`)
  assert.deepEqual(shown, docs.slice(-shown.length).map(({ id, content }) => [id, content]))
}

test.everywhere('a page that slept while thousands of messages came shows the newest, and the older ones as one goes up', async (t) => {
  const all = await visit(t)
  await all.sleep()
  await goOn(all)
  await all.wake()
  await isWhole(all)
  const { server, visitor, alice, bob } = all
  const first = await visitor.rows.first().getAttribute('data-id')
  await visitor.page.evaluate(() => { document.querySelector('.scroller').scrollTop = -1e6 })
  await visitor.page.waitForFunction((id) => Number(document.querySelector('.row').dataset.id) < id, Number(first))
  await server.post(bob, alice, 'afterwards')
  await visitor.button('To the newest').or(visitor.button('new')).click()
  await visitor.row('afterwards').waitFor()
})

test('a page that slept while the server was started anew and its session ended asks to sign in, and goes on', async (t) => {
  const all = await visit(t)
  const { server, visitor } = all
  await visitor.box.fill('half a sen')
  await all.sleep()
  await server.kill()
  await server.startAgain()
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  await goOn(all)
  await all.wake()
  const dialog = visitor.page.getByRole('dialog', { name: 'You have been signed out' })
  await dialog.getByLabel('Password').fill(PASSWORD)
  await visitor.page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  await isWhole(all)
  assert.equal(await visitor.box.inputValue(), 'half a sen')
})

test('a page that slept while an older state was put back shows that', async (t) => {
  const { server, visitor, sleep, wake, alice, bob } = await visit(t)
  await server.stop()
  const putBack = server.backUp()
  await server.startAgain()
  await server.post(bob, alice, 'lost')
  await visitor.shows(['one', 'two', 'three', 'lost'])
  await sleep()
  await server.stop()
  putBack()
  await server.startAgain()
  await wake()
  await visitor.shows(['one', 'two', 'three'])
  await server.post(bob, alice, 'another four')
  await visitor.shows(['one', 'two', 'three', 'another four'])
})

// Nothing tells the page: the connection does not end, no event comes, the clock alone has gone on.
test('a page whose connection died in its sleep finds out by itself', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  const proxy = await Proxy.start(t, server.port)
  const visitor = await Visitor.open(t, proxy.url)
  visitor.expectErrors(/net::ERR_/)
  await visitor.page.clock.install()
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  await visitor.talkTo('bob')
  await server.post(bob, alice, 'before')
  await visitor.shows(['before'])
  proxy.die()
  await server.post(bob, alice, 'meanwhile')
  await visitor.page.clock.fastForward('24:00:00')
  // Of the browser's connections others are dead too; each one that it tries costs a while. One that is good has more
  // and more time to come about.
  let patience = 250
  await until(async () => {
    const came = await visitor.row('meanwhile').waitFor({ timeout: patience }).then(() => true, () => false)
    if (!came) await visitor.page.clock.fastForward('00:21')
    patience *= 1.5
    return came
  }, () => 'it does not find out')
  await visitor.shows(['before', 'meanwhile'])
})

test('the second Escape does not lead past signing in', async (t) => {
  const { server, visitor } = await visit(t)
  const { token } = await server.call('POST', 'users/login', { email: ALICE, password: PASSWORD })
  await server.call('POST', 'users/logout?allSessions=true', {}, token)
  const dialog = visitor.page.getByRole('dialog', { name: 'You have been signed out' })
  await dialog.waitFor()
  for (let n = 0; n < 3; n++) await visitor.page.keyboard.press('Escape')
  await dialog.getByLabel('Password').fill(PASSWORD)
  await visitor.page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
})
