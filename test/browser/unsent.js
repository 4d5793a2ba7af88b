// What was written is neither lost nor stored twice.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

async function storedContents(server) {
  const { docs } = await server.call('GET', 'messages?limit=0&sort=id')
  return docs.map((doc) => doc.content)
}

test('what cannot be sent is kept, over a reload too, and is sent when asked for', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  alice.expectErrors(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_NETWORK/)
  await alice.page.route('**/api/messages', (route) => route.abort('internetdisconnected'))
  await alice.write('important')
  await alice.row('important').getByText('The server cannot be reached.').waitFor()
  await alice.box.fill('half a sen')
  await alice.page.reload()
  await alice.row('important').getByText('not sent').waitFor()
  assert.equal(await alice.box.inputValue(), 'half a sen')
  assert.deepEqual(await storedContents(server), [])

  await alice.page.unroute('**/api/messages')
  await alice.row('important').getByRole('button', { name: 'Send again' }).click()
  await alice.shows(['important'])
  assert.equal(await alice.page.locator('.message').count(), 1)
  assert.deepEqual(await storedContents(server), ['important'])
})

test('a message whose answer is lost is stored once', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  alice.expectErrors(/ERR_CONNECTION_RESET/)
  // The stream is held back, so that only the look before sending again can tell.
  await alice.page.route('**/api/messages/sse*', (route) => route.abort())
  alice.expectErrors(/ERR_FAILED/)
  // And the newest page has been read before: read behind the write, it would tell as well.
  const read = alice.page.waitForResponse(/api\/messages\?/)
  await alice.page.reload()
  await (await read).finished()
  await alice.page.route('**/api/messages', async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  }, { times: 1 })
  await alice.write('once')
  await alice.row('once').getByRole('button', { name: 'Send again' }).click()
  await alice.shows(['once'])
  assert.deepEqual(await storedContents(server), ['once'])
})

test('a message whose answer is lost is recognised in the stream', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  alice.expectErrors(/ERR_CONNECTION_RESET/)
  await alice.page.route('**/api/messages', async (route) => {
    await route.fetch()
    await route.abort('connectionreset')
  })
  await alice.write('once')
  await alice.shows(['once'])
  await alice.page.locator('.sending, .failed').waitFor({ state: 'detached' })
  assert.equal(await alice.page.locator('.message').count(), 1)
})

test('messages are stored in the order in which they were written', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const alice = await Visitor.signedIn(t, server.url, ALICE)
  const texts = Array.from({ length: 20 }, (_, i) => `${i + 1}`)
  for (const text of texts) await alice.write(text)
  await alice.shows(texts)
  assert.deepEqual(await storedContents(server), texts)
})
