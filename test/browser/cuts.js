// The connection breaks at each moment of a send: what was written is stored once, in its order, and shown so.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { Proxy } from './proxy.js'
import { ALICE, Server } from './server.js'
import { Visitor, until } from './visitor.js'

// Between no byte and all of them. All of a request and nothing of its answer: it is stored, and nobody is told.
const PARTS = [0, 0.01, 0.1, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1]

async function visit(t) {
  const { server } = await Server.withPeople(t)
  const proxy = await Proxy.start(t, server.port)
  const alice = await Visitor.with(t, proxy.url, ALICE, 'bob')
  alice.expectErrors(/net::ERR_/)
  await alice.write('first')
  await alice.shows(['first'])
  return { server, proxy, alice }
}

// Each message is cut once; the next one that is written sends it again.
async function breakEach(alice, proxy, cuts) {
  const texts = ['first']
  proxy.cut = () => cuts[texts.length - 2]
  for (const { way, part } of cuts) {
    texts.push(`${way} ${part}`)
    const before = proxy.broken
    await alice.write(texts.at(-1))
    await alice.page.waitForFunction(() => !document.querySelector('.unsent.sending'))
    await until(() => proxy.broken > before, () => `nothing was broken at ${texts.at(-1)}`)
  }
  proxy.cut = () => null
  texts.push('last')
  await alice.write('last')
  return texts
}

for (const streams of [true, false]) {
  test.everywhere(`a send that is cut anywhere is stored once, ${streams ? 'with' : 'without'} the stream`, async (t) => {
    const { server, proxy, alice } = await visit(t)
    if (!streams) {
      proxy.streams = false
      await alice.page.reload()
      await alice.shows(['first'])
    }
    const cuts = ['up', 'down'].flatMap((way) => PARTS.map((part) => ({ way, part })))
    const texts = await breakEach(alice, proxy, cuts)
    await alice.shows(texts)
    await alice.page.locator('.unsent').waitFor({ state: 'detached' })
    assert.deepEqual(await server.contents(), texts)
  })
}

test('a send whose answer is cut behind the stream’s word is stored once', async (t) => {
  const { server, proxy, alice } = await visit(t)
  let seen
  proxy.cut = () => ({ way: 'down', part: 0.5, held: new Promise((resolve) => { seen = resolve }) })
  await alice.write('second')
  await alice.shows(['first', 'second'])
  proxy.cut = () => null
  seen()
  await alice.write('third')
  await alice.shows(['first', 'second', 'third'])
  await alice.page.locator('.unsent').waitFor({ state: 'detached' })
  assert.deepEqual(await server.contents(), ['first', 'second', 'third'])
})
