// A conversation of any length: what is read when, how many rows there are, and that a reader stays where she is.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

const MOST = 300 // rows
const LONGEST_MS = 200 // of a task
const texts = (n, from = 1) => Array.from({ length: n }, (_, i) => `message ${from + i}.`)

async function filled(t, n, read = n) {
  const { server, alice, bob, token } = await Server.withPeople(t)
  await server.postAll(bob, alice, texts(n))
  await server.markRead(token, bob, read)
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

// What is read on the way is waited for: nothing further is read meanwhile.
async function scrollUntil(visitor, by, there) {
  for (let n = 0; n < 80 && !(await there()); n++) {
    await scrollBy(visitor, by)
    await visitor.page.waitForFunction(() => !document.querySelector('.start.spin'))
    assert.ok(await visitor.rows.count() <= MOST)
  }
}

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
  const beginning = visitor.page.getByText('This is the beginning')
  await scrollUntil(visitor, -3000, () => beginning.isVisible())
  await beginning.waitFor()
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
  await scrollUntil(visitor, -4000, () => visitor.row('message 1.').isVisible())
  await visitor.row('message 1.').waitFor()
  assert.equal(await visitor.row('message 500.').count(), 0)
  const before = await place(visitor)
  await visitor.page.getByTitle('To the newest message').waitFor()
  await stays(visitor, before)
  await scrollUntil(visitor, 4000, () => visitor.row('message 500.').isVisible())
  await visitor.row('message 500.').waitFor()
  assert.equal(await visitor.row('message 1.').count(), 0)
})

test('a reader far up stays there, however many come, and misses none of them', async (t) => {
  const { server, alice, bob } = await filled(t, 120)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await scrollUntil(visitor, -3000, () => visitor.row('message 20.').isVisible())
  await scrollToRow(visitor, 'message 20.')
  const before = await place(visitor)
  const news = texts(400, 121)
  await Promise.all([0, 1, 2, 3].map(async (k) => { for (let n = k; n < news.length; n += 4) await server.post(bob, alice, news[n]) }))
  await server.post(bob, alice, 'the last one')
  await visitor.talk('bob').getByText('the last one').waitFor()
  await stays(visitor, before)
  assert.ok(await visitor.rows.count() <= MOST)
  const seen = new Set()
  await scrollUntil(visitor, 2000, async () => {
    for (const text of await visitor.rows.locator('.text').allTextContents()) seen.add(text)
    return seen.has('the last one')
  })
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
    await visitor.lit(`message ${message}.`)
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

test('a message is led to once, whenever the conversations come to be known', async (t) => {
  const { server, bob } = await filled(t, 200)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  let reads = []
  visitor.page.on('framenavigated', () => { reads = [] })
  visitor.page.on('request', (request) => { if (/less_than_equal/.test(request.url())) reads.push(request.url()) })
  let release
  const held = new Promise((resolve) => { release = resolve })
  await visitor.page.route('**/api/parley/conversations?*', async (route) => { await held; await route.continue() })
  await visitor.page.evaluate((hash) => { location.hash = hash }, `#/c/${bob}?m=40`)
  await visitor.page.reload()
  await visitor.lit('message 40.')
  const before = await place(visitor)
  await visitor.page.evaluate(() => {
    const rows = document.querySelector('.sheet')
    new MutationObserver(() => { if (!rows.querySelector('.row')) rows.dataset.blinked = '' }).observe(rows, { childList: true, subtree: true })
  })
  release()
  await visitor.talk('bob').getByText('message 200.').waitFor()
  await visitor.live()
  await stays(visitor, before)
  assert.equal(await visitor.page.locator('[data-blinked]').count(), 0)
  assert.equal(reads.length, 1)
})

test('from far up one jumps to the newest at once', async (t) => {
  const { server, alice, bob } = await filled(t, 420, 40) // where one left off lies far back
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await visitor.page.evaluate((hash) => { location.hash = hash }, `#/c/${bob}?m=40`)
  await visitor.lit('message 40.')
  await server.post(bob, alice, 'news')
  const between = []
  visitor.page.on('request', (request) => { if (/greater_than/.test(request.url())) between.push(request.url()) })
  await visitor.page.getByRole('log').focus()
  await visitor.page.keyboard.press('End')
  await visitor.row('news').waitFor()
  assert.deepEqual(between, [])
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

// Of the processor's time: what else the machine does does not count.
function longestTask(trace) {
  const { traceEvents } = JSON.parse(trace)
  const pages = traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`)
  const tasks = traceEvents.filter(({ name, pid, tid }) => name === 'RunTask' && pages.includes(`${pid} ${tid}`))
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000 // those that had not ended have none
}

test.alone('a hundred messages at once are drawn in a few strokes', async (t) => {
  const { server, alice, bob } = await filled(t, 10)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  await visitor.row('message 10.').waitFor()
  await visitor.page.evaluate(() => {
    window.strokes = []
    new MutationObserver(() => { window.strokes.push(performance.now()) }).observe(document.querySelector('.sheet ol'), { childList: true })
  })
  await t.browser.startTracing(visitor.page, { categories: ['disabled-by-default-devtools.timeline'] })
  await Promise.all(texts(100, 11).map((text) => server.post(bob, alice, text)))
  await visitor.page.waitForFunction(() => document.querySelectorAll('.row').length === 110)
  const longest = longestTask(await t.browser.stopTracing())
  const strokes = await visitor.page.evaluate(() => window.strokes)
  // However long the server took to store them: ten in a second, and a few.
  const took = Math.round(strokes.at(-1) - strokes[0])
  console.log(`         100 messages in ${strokes.length} strokes within ${took} ms, the longest task ${Math.round(longest)} ms`)
  assert.ok(strokes.length <= 5 + took / 100, `${strokes.length} strokes within ${took} ms`)
  assert.ok(longest > 0 && longest <= LONGEST_MS, `a task of ${longest} ms`)
})
