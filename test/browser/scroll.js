// A conversation of any length: what is read when, how many rows there are, and that a reader stays where she is.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

const MOST = 300 // rows
const LONGEST_MS = 1_000 // of a task: 200 ms, and what a machine that does other things besides may add
const texts = (n, from = 1) => Array.from({ length: n }, (_, i) => `message ${from + i}.`)

async function filled(t, n) {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  await server.postAll(bob, alice, texts(n))
  await server.markRead(ALICE, bob, n)
  return { server, alice, bob }
}

// The first row in sight and how far it is from the top.
const place = (visitor) => visitor.page.evaluate(() => {
  const top = document.querySelector('.scroller').getBoundingClientRect().top
  const row = [...document.querySelectorAll('.row')].find((one) => one.getBoundingClientRect().bottom > top)
  return { id: row.dataset.id, top: row.getBoundingClientRect().top - top }
})

const scrollBy = (visitor, by) => visitor.page.evaluate((y) => new Promise((resolve) => {
  document.querySelector('.scroller').scrollTop += y
  requestAnimationFrame(() => requestAnimationFrame(resolve))
}), by)

// The page hears of it with the next frame.
const scrollToRow = (visitor, text) => visitor.row(text).evaluate((row) => new Promise((resolve) => {
  row.scrollIntoView({ block: 'center' })
  requestAnimationFrame(() => requestAnimationFrame(resolve))
}))

async function stays(visitor, before) {
  const after = await visitor.page.evaluate((id) => {
    const top = document.querySelector('.scroller').getBoundingClientRect().top
    return document.querySelector(`[data-id="${id}"]`).getBoundingClientRect().top - top
  }, before.id)
  assert.ok(Math.abs(after - before.top) <= 1, `moved by ${after - before.top} px`)
}

test('older messages are read as one comes near them, to the beginning, and nothing moves', async (t) => {
  const { server, alice, bob } = await filled(t, 130)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.row('message 130.').waitFor()
  assert.equal(await visitor.rows.count(), 40)
  await scrollBy(visitor, -700)
  // An answer that takes a while is what the reader would notice.
  let release
  const held = new Promise((resolve) => { release = resolve })
  await visitor.page.route(/less_than/, async (route) => { await held; await route.continue() })
  await scrollBy(visitor, -900)
  const before = await place(visitor)
  release()
  await visitor.page.waitForFunction(() => document.querySelectorAll('.row').length >= 80)
  await stays(visitor, before)
  await server.postAll(bob, alice, ['news', 'more news'])
  await visitor.button('2 new').waitFor()
  await stays(visitor, before)
  for (let n = 0; n < 20 && !(await visitor.page.getByText('This is the beginning').isVisible()); n++) await scrollBy(visitor, -3000)
  await visitor.page.getByText('This is the beginning').waitFor()
  await visitor.shows([...texts(130), 'news', 'more news'])
  await visitor.button('2 new').click()
  await visitor.button('2 new').waitFor({ state: 'detached' })
  assert.equal(await visitor.page.evaluate(() => document.querySelector('.scroller').scrollTop), 0)
})

test('a reader at the end follows, one farther up does not, and rows that go away take nothing along', async (t) => {
  const { server, alice, bob } = await filled(t, 60)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.row('message 60.').waitFor()
  await server.post(bob, alice, 'at the end')
  await visitor.row('at the end').waitFor()
  const bottom = () => visitor.page.evaluate(() => document.querySelector('.scroller').scrollTop)
  assert.equal(await bottom(), 0)
  await scrollBy(visitor, -500)
  const before = await place(visitor)
  await server.call('DELETE', `messages/${Number(before.id) + 3}`)
  await server.call('DELETE', 'messages/60')
  await server.call('PATCH', `messages/${Number(before.id) - 2}`, { content: 'longer\n\nthan\n\nbefore\n\nit\n\nwas' })
  await visitor.row('message 60.').waitFor({ state: 'detached' })
  await visitor.row('longer').waitFor({ state: 'attached' })
  await stays(visitor, before)
  await visitor.page.setViewportSize({ width: 1000, height: 600 })
  await visitor.page.setViewportSize({ width: 1280, height: 720 })
  await visitor.write('from here')
  await visitor.row('from here').waitFor()
  assert.equal(await bottom(), 0)
})

test('never more than three hundred rows, in both directions', async (t) => {
  const { server } = await filled(t, 500)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.row('message 500.').waitFor()
  const count = () => visitor.rows.count()
  for (let n = 0; n < 60 && !(await visitor.row('message 1.').isVisible()); n++) {
    await scrollBy(visitor, -4000)
    await visitor.page.waitForTimeout(40)
    assert.ok(await count() <= MOST)
  }
  await visitor.row('message 1.').waitFor()
  assert.equal(await visitor.row('message 500.').count(), 0)
  const before = await place(visitor)
  await visitor.page.getByTitle('To the newest message').waitFor()
  await stays(visitor, before)
  for (let n = 0; n < 80 && !(await visitor.row('message 500.').isVisible()); n++) {
    await scrollBy(visitor, 4000)
    await visitor.page.waitForTimeout(40)
    assert.ok(await count() <= MOST)
  }
  await visitor.row('message 500.').waitFor()
  assert.equal(await visitor.row('message 1.').count(), 0)
})

test('a reader far up stays there, however many come, and misses none of them', async (t) => {
  const { server, alice, bob } = await filled(t, 120)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  for (let n = 0; n < 20 && !(await visitor.row('message 20.').count()); n++) await scrollBy(visitor, -3000)
  await scrollToRow(visitor, 'message 20.')
  const before = await place(visitor)
  const news = texts(400, 121)
  await Promise.all([0, 1, 2, 3].map(async (k) => { for (let n = k; n < news.length; n += 4) await server.post(bob, alice, news[n]) }))
  await server.post(bob, alice, 'the last one')
  await visitor.talk('bob').getByText('the last one').waitFor()
  await stays(visitor, before)
  assert.ok(await visitor.rows.count() <= MOST)
  const seen = new Set()
  for (let n = 0; n < 80 && !seen.has('the last one'); n++) {
    await scrollBy(visitor, 2000)
    for (const text of await visitor.rows.locator('.text').allTextContents()) seen.add(text)
  }
  assert.deepEqual(news.filter((text) => !seen.has(text)), [])
})

test('who was led to an old message stays there when the stream begins later, and misses none at the end', async (t) => {
  const { server, alice, bob } = await filled(t, 420)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  let release
  const held = new Promise((resolve) => { release = resolve })
  await visitor.page.route('**/api/parley/stream*', async (route) => { await held; await route.continue() })
  const open = async (message) => {
    await visitor.page.evaluate((hash) => { location.hash = hash }, `#/c/${bob}?m=${message}`)
    await visitor.page.reload()
    await visitor.page.locator('.lit', { hasText: `message ${message}.` }).waitFor()
  }
  await open(40)
  const before = await place(visitor)
  const read = visitor.page.waitForResponse(/api\/parley\/conversations\?/)
  release()
  await read
  await visitor.live()
  await visitor.page.waitForTimeout(300)
  await stays(visitor, before)
  // Where the newest are in sight, too, what came before the stream began is read.
  await visitor.page.unroute('**/api/parley/stream*')
  const again = new Promise((resolve) => { release = resolve })
  await visitor.page.route('**/api/parley/stream*', async (route) => { await again; await route.continue() })
  await open(419)
  await server.post(bob, alice, 'before the stream')
  release()
  await visitor.row('before the stream').waitFor()
})

test('from far up one jumps to the newest at once', async (t) => {
  const { server, alice, bob } = await filled(t, 420)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.page.evaluate(() => { location.hash = '#/c/2?m=40' })
  await visitor.page.locator('.lit', { hasText: 'message 40.' }).waitFor()
  await server.post(bob, alice, 'news')
  await visitor.page.getByRole('log').focus()
  await visitor.page.keyboard.press('End')
  await visitor.row('news').waitFor()
  assert.equal(await visitor.page.evaluate(() => document.querySelector('.scroller').scrollTop), 0)
})

test('a failure to read older messages says so, and is tried again when asked', async (t) => {
  const { server } = await filled(t, 100)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  visitor.expectErrors(/status of 503/)
  await visitor.row('message 100.').waitFor()
  await visitor.page.route(/less_than/, (route) => route.fulfill({ status: 503, json: {} }), { times: 1 })
  await scrollBy(visitor, -3000)
  await visitor.page.getByText('The messages could not be read.').waitFor()
  await visitor.page.locator('.start').getByRole('button', { name: 'Try again' }).click()
  await visitor.page.waitForFunction(() => document.querySelectorAll('.row').length === 80)
})

test.alone('a hundred messages at once are drawn in a few strokes', async (t) => {
  const { server, alice, bob } = await filled(t, 10)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.row('message 10.').waitFor()
  await visitor.page.evaluate(() => {
    window.strokes = 0
    window.longest = 0
    new MutationObserver(() => { window.strokes++ }).observe(document.querySelector('.sheet ol'), { childList: true })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration)
    }).observe({ type: 'longtask' })
  })
  await Promise.all(texts(100, 11).map((text) => server.post(bob, alice, text)))
  await visitor.page.waitForFunction(() => document.querySelectorAll('.row').length === 110)
  const { strokes, longest } = await visitor.page.evaluate(() => ({ strokes: window.strokes, longest: window.longest }))
  console.log(`         100 messages in ${strokes} strokes, the longest task ${Math.round(longest)} ms`)
  assert.ok(strokes <= 25, `${strokes} strokes`)
  assert.ok(longest <= LONGEST_MS, `a task of ${longest} ms`)
})
