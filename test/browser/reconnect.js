// The stream comes back: nothing is missing, nothing is there twice.
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

async function visit(t) {
  const server = await Server.start(t)
  const people = await server.addPeople()
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

test('a stream that was refused is opened again', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  visitor.expectErrors(/status of 503/)
  await visitor.page.route('**/api/parley/stream*', (route) => route.fulfill({ status: 503, body: '{}' }), { times: 3 })
  await visitor.page.reload()
  await visitor.lost()
  await server.post(bob, alice, 'meanwhile')
  await visitor.live()
  await visitor.shows(['meanwhile'])
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
  await server.kill()
  await visitor.page.getByText('Connection lost. Reconnecting').waitFor()
  await server.startAgain()
  await server.post(bob, alice, 'meanwhile')
  await visitor.button('Try now').click()
  await visitor.shows(['meanwhile'])
  await visitor.page.getByText('Connection lost. Reconnecting').waitFor({ state: 'detached' })
})
