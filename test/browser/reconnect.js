// The stream comes back: nothing is missing, nothing is there twice.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { PHONE, Visitor, until } from './visitor.js'

async function visit(t) {
  const { server, ...people } = await Server.withPeople(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  visitor.expectErrors(/net::ERR_/)
  return { server, visitor, ...people }
}

test.everywhere('after the server was killed the page shows what happened meanwhile', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  const one = await server.post(bob, alice, 'one')
  const two = await server.post(bob, alice, 'two')
  await visitor.shows(['one', 'two'])
  await server.kill()
  await visitor.lost()

  await server.startAgain()
  await server.call('PATCH', `messages/${one.id}`, { content: 'one, corrected' })
  await server.call('DELETE', `messages/${two.id}`)
  const meanwhile = Array.from({ length: 60 }, (_, i) => `meanwhile ${i + 1}`)
  await server.postAll(bob, alice, meanwhile)
  await visitor.shows(['one, corrected', ...meanwhile])
  await visitor.live()
  await server.post(bob, alice, 'afterwards')
  await visitor.shows(['one, corrected', ...meanwhile, 'afterwards'])
})

test('after an older copy of the data was put back the page shows that', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await server.post(bob, alice, 'before the copy')
  await visitor.shows(['before the copy'])
  await server.stop()
  const putBack = server.backUp()
  await server.startAgain()
  await server.post(bob, alice, 'after the copy')
  await visitor.shows(['before the copy', 'after the copy'])
  await server.stop()
  putBack()
  await server.startAgain()
  await visitor.shows(['before the copy'])
})

test('a page that comes back when the older copy has gone on shows what is there', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await server.post(bob, alice, 'before the copy')
  await visitor.shows(['before the copy'])
  await server.stop()
  const putBack = server.backUp()
  await server.startAgain()
  await server.postAll(bob, alice, ['lost 1', 'lost 2'])
  await visitor.shows(['before the copy', 'lost 1', 'lost 2'])
  await visitor.context.setOffline(true)
  await server.stop()
  putBack()
  await server.startAgain()
  const instead = Array.from({ length: 5 }, (_, i) => `instead ${i + 1}`)
  await server.postAll(bob, alice, instead)
  await visitor.context.setOffline(false)
  await visitor.shows(['before the copy', ...instead])
  await visitor.live()
})

test('a stream that was refused is opened again', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  visitor.expectErrors(/status of 503/)
  let refused = 0
  await visitor.page.route('**/api/parley/stream*', (route) => {
    if (route.request().method() === 'GET') refused++
    return route.fulfill({ status: 503, body: '{}' })
  })
  await visitor.page.reload()
  await visitor.lost()
  await until(() => refused > 2, () => `it was opened ${refused} times`)
  await server.post(bob, alice, 'meanwhile')
  await visitor.page.unroute('**/api/parley/stream*')
  await visitor.live()
  await visitor.shows(['meanwhile'])
})

test('a stream that does not begin is not waited for, and nothing is lost until it does', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  let begin
  const held = new Promise((resolve) => { begin = resolve })
  await visitor.page.route('**/api/parley/stream*', async (route) => {
    await held
    await route.continue()
  })
  await server.post(bob, alice, 'before')
  await visitor.page.reload()
  await visitor.shows(['before'])
  await server.post(bob, alice, 'meanwhile')
  assert.equal(await visitor.page.locator('.connection').getAttribute('data-state'), 'connecting')
  begin()
  await visitor.live()
  await visitor.shows(['before', 'meanwhile'])
  await visitor.talk('bob').getByText('meanwhile').waitFor()
  await server.post(bob, alice, 'after')
  await visitor.shows(['before', 'meanwhile', 'after'])
})

test('a server that has no room for a stream says when to come back: the page says so, and does', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t, '127.0.0.1:0', ['--max-streams', '1'])
  const other = await Visitor.signedIn(t, server.url, BOB)
  const visitor = await Visitor.open(t, server.url, PHONE)
  visitor.expectErrors(/status of 503/)
  await visitor.fillEntry(ALICE, PASSWORD)
  await visitor.page.locator('.connection[data-state=full]').waitFor()
  // Until there is another answer nothing else is shown.
  await visitor.page.evaluate(() => {
    window.states = []
    const sign = document.querySelector('.connection')
    new MutationObserver(() => window.states.push(sign.dataset.state)).observe(sign, { attributes: true })
  })
  const why = visitor.page.waitForResponse((response) => response.request().method() === 'HEAD')
  await visitor.page.evaluate(() => dispatchEvent(new Event('online')))
  await why
  assert.deepEqual(await visitor.page.evaluate(() => window.states.filter((state) => state !== 'full')), [])
  await visitor.page.locator('.side .bar').getByText('The server is full.').waitFor()
  await visitor.page.getByRole('status').getByText('The server is full.').waitFor()
  await visitor.talkTo('bob')
  await visitor.page.locator('.thread .bar').getByText('The server is full.').waitFor()
  await visitor.fits()
  await visitor.write('All else goes on')
  await visitor.shows(['All else goes on'])
  await server.post(bob, alice, 'meanwhile')
  await other.page.goto('about:blank')
  await visitor.page.locator('.bar').waitFor({ state: 'detached' })
  await visitor.shows(['All else goes on', 'meanwhile'])
})

test('a stream from which nothing comes is opened anew', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url)
  await visitor.page.clock.install()
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  let again = 0
  visitor.page.on('request', (request) => { if (request.url().includes('parley/stream')) again++ })
  // The server is silent for 30 seconds at most, and the browser would wait for ever. What does come begins them anew.
  await until(async () => {
    await visitor.page.clock.runFor(5_000)
    return again
  }, () => 'it is not opened again')
  await visitor.live()
})

test('what could not be read while the server was away is read when it is back, and what it has become is followed', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await server.post(alice, alice, 'a note')
  await server.post(bob, alice, 'to be read')
  await visitor.shows(['to be read'])
  await server.kill()
  await visitor.lost()
  await visitor.talk('Notes to yourself').click()
  await visitor.page.getByText('The messages could not be read. The server cannot be reached.').waitFor()
  await visitor.page.route('**/api/parley/config', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: { ...await response.json(), uploadBytes: 4 } })
  })
  await server.startAgain()
  await visitor.shows(['a note'])
  await visitor.page.waitForFunction(() => JSON.parse(localStorage.getItem('parley.config')).uploadBytes === 4)
  await visitor.page.locator('input[type=file]').setInputFiles([{ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('large') }])
  await visitor.page.getByText('Too large: 5B of at most 4B.').waitFor()
})

test('who is offline is told what becomes of what they write', async (t) => {
  const { server, visitor } = await visit(t)
  await visitor.context.setOffline(true)
  await server.kill()
  await visitor.page.getByText('You are offline.').waitFor()
  await visitor.write('kept')
  await visitor.row('kept').getByText('Waiting for the connection').waitFor()
  await visitor.page.evaluate(() => { location.hash = '#/' })
  await visitor.page.locator('.side .bar').getByText('You are offline.').waitFor()
  await server.startAgain()
  await visitor.context.setOffline(false)
  await visitor.page.locator('.bar').waitFor({ state: 'detached' })
  await visitor.talkTo('bob')
  await visitor.shows(['kept'])
})

test('where a message gets through the connection is tried at once', async (t) => {
  const { server, visitor } = await visit(t)
  const { page } = visitor
  await page.clock.install()
  await page.reload()
  await visitor.live()
  await server.kill()
  await visitor.lost()
  await page.clock.pauseAt(Date.now() + 60_000) // no further try comes by itself
  await visitor.lost()
  await server.startAgain()
  await visitor.write('I am here')
  await visitor.shows(['I am here'])
  await visitor.live()
})

test('a page that was opened on an empty server has no hole after it was killed', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await server.kill()
  await visitor.lost()
  await server.startAgain()
  const meanwhile = Array.from({ length: 25 }, (_, i) => `${i + 1}`)
  await server.postAll(bob, alice, meanwhile)
  await visitor.shows(meanwhile)
})

test('a connection that is away for a while is told of, with a way to try at once', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await visitor.page.clock.install()
  await visitor.page.reload()
  await visitor.isIn()
  await visitor.page.getByText('Say hello to bob.').waitFor()
  await server.kill()
  await visitor.page.getByText('Connection lost. Reconnecting').waitFor()
  await visitor.stopTime() // by itself it does not come back now
  await server.startAgain()
  await server.post(bob, alice, 'meanwhile')
  await visitor.button('Try again').click()
  await visitor.live()
  await visitor.page.clock.resume()
  await visitor.shows(['meanwhile'])
  await visitor.page.getByText('Connection lost. Reconnecting').waitFor({ state: 'detached' })
})
