// When a message counts as read: half of it was in sight for a second, in a window that somebody looks at.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor, until } from './visitor.js'

const LONGER_MS = 2_000 // than reading takes

// `n` messages of Bob's, the last one high.
async function visit(t, n) {
  const { server, alice, bob, token } = await Server.withPeople(t)
  await server.postAll(bob, alice, Array.from({ length: n }, (_, i) => `message ${i + 1}.`))
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.page.getByRole('log').press('End') // of many it opens at the first
  const read = async () => (await server.call('GET', `parley/conversations/${bob}`, undefined, token)).read ?? 0
  const reads = async (id) => {
    await until(async () => await read() >= id, async () => `${await read()} instead of ${id} has been read`)
    assert.equal(await read(), id)
  }
  await reads(n)
  return { server, alice, bob, visitor, read, reads }
}

test('what comes while nobody looks is not read: behind another window, in another tab', async (t) => {
  const { server, alice, bob, visitor, read, reads } = await visit(t, 3)
  for (const hidden of [false, true]) {
    const before = await read()
    await visitor.leave(hidden)
    const { id } = await server.post(bob, alice, 'while you were away')
    await visitor.rows.nth(id - 1).waitFor()
    await visitor.page.waitForFunction(() => document.title === '(1) Parley')
    await visitor.page.waitForTimeout(LONGER_MS)
    assert.equal(await read(), before)
    await visitor.comeBack()
    await reads(id)
    await visitor.page.waitForFunction(() => document.title === 'Parley')
  }
})

test('what is out of sight is not read, nor what is less than half in it', async (t) => {
  const { server, alice, bob, visitor, read, reads } = await visit(t, 60)
  const scrollTo = (y) => visitor.page.evaluate((top) => { document.querySelector('.scroller').scrollTop = top }, y)
  await scrollTo(-800)
  await visitor.button('To the newest').waitFor() // the page has heard of it
  await server.post(bob, alice, 'high\n\n'.repeat(8))
  await visitor.button('1 new').waitFor()
  await visitor.page.waitForTimeout(LONGER_MS)
  assert.equal(await read(), 60)
  const { height } = await visitor.rows.last().boundingBox()
  await scrollTo(-Math.round(height * 0.7))
  await visitor.page.waitForTimeout(LONGER_MS)
  assert.equal(await read(), 60)
  await scrollTo(-Math.round(height * 0.3))
  await reads(61)
})

test('where messages come without a pause they are read all the same, and the server is told once a second', async (t) => {
  const { server, alice, bob, visitor, read } = await visit(t, 1)
  let told = 0
  visitor.page.on('request', (request) => { if (request.url().endsWith('/read')) told++ })
  const started = performance.now()
  let n = 0
  while (told < 3) {
    await server.post(bob, alice, `${n++}`)
    await visitor.page.waitForTimeout(300)
    assert.ok(n < 60, 'nothing is read')
  }
  assert.ok(told <= (performance.now() - started) / 1_000 + 1, `told ${told} times`)
  assert.ok(await read() > 1)
})
