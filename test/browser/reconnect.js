// The stream comes back: nothing is missing, nothing is there twice.
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

async function visit(t) {
  const server = await Server.start(t)
  const people = await server.addPeople()
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  visitor.expectErrors(/net::ERR_/)
  return { server, visitor, ...people }
}

test('after the server was killed the page shows what happened meanwhile', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  const one = await server.post(bob, alice, 'one')
  const two = await server.post(bob, alice, 'two')
  await visitor.shows(['one', 'two'])
  await server.kill()
  await visitor.connection('reconnecting')

  await server.startAgain()
  await server.call('PATCH', `messages/${one.id}`, { content: 'one, corrected' })
  await server.call('DELETE', `messages/${two.id}`)
  const meanwhile = Array.from({ length: 40 }, (_, i) => `meanwhile ${i + 1}`)
  for (const text of meanwhile) await server.post(bob, alice, text)
  await visitor.shows(['one, corrected', ...meanwhile])
  await visitor.connection('live')
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
  await visitor.page.route('**/api/messages/sse*', (route) => route.fulfill({ status: 503, body: '{}' }), { times: 1 })
  await visitor.page.reload()
  await visitor.connection('reconnecting')
  await server.post(bob, alice, 'meanwhile')
  await visitor.connection('live')
  await visitor.shows(['meanwhile'])
})

test('a page that was opened on an empty server has no hole after it was killed', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await server.kill()
  await visitor.connection('reconnecting')
  await server.startAgain()
  const meanwhile = Array.from({ length: 25 }, (_, i) => `${i + 1}`)
  for (const text of meanwhile) await server.post(bob, alice, text)
  await visitor.shows(meanwhile)
})
