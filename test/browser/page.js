// How the page's files are served, how large they are, and that no more is needed than plain http.
import assert from 'node:assert/strict'
import http from 'node:http'
import { gunzipSync } from 'node:zlib'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

const MOST_AT_FIRST = 45 * 1024 // bytes, compressed, of a thread and all it needs
const LAN = { offline: false, latency: 5, downloadThroughput: 5e6, uploadThroughput: 5e6 } // ms, bytes a second
const PAINTED_MS = 3_000 // the first paint: one second, and what a machine that does other things besides may add

// What a folder for developers gives is neither compressed nor kept.
const embedded = (t) => process.env.UI_DIR && t.skip('the page is not the one in the program')

// With headers of one's own and the bytes as they come, which fetch does not give.
function get(url, headers = {}) {
  return new Promise((resolve, reject) => {
    http.get(url, { headers, agent: false }, (response) => {
      const pieces = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }))
    }).on('error', reject)
  })
}

test('the page is sent compressed to those who take it, and files that bear their content in their names are kept', async (t) => {
  embedded(t)
  const server = await Server.start(t)
  const page = await get(server.url)
  assert.match(page.headers['content-type'], /^text\/html/)
  assert.equal(page.headers['cache-control'], 'no-cache')
  for (const [name, value] of Object.entries({
    'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin', vary: 'Accept-Encoding',
  })) assert.equal(page.headers[name], value)
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
    assert.ok(page.headers['content-security-policy'].includes(rule), rule)

  const zipped = await get(server.url, { 'Accept-Encoding': 'gzip' })
  assert.equal(zipped.headers['content-encoding'], 'gzip')
  assert.deepEqual(gunzipSync(zipped.body), page.body)
  assert.notEqual(zipped.headers.etag, page.headers.etag)
  for (const { headers } of [page, zipped]) {
    const again = await get(server.url, { 'Accept-Encoding': headers === zipped.headers ? 'gzip' : 'identity', 'If-None-Match': headers.etag })
    assert.deepEqual([again.status, again.body.length], [304, 0])
  }

  const names = [...String(page.body).matchAll(/(?:href|src)="(a\/[^"]+)"/g)].map(([, name]) => name)
  assert.ok(names.length >= 2)
  for (const name of names) {
    const file = await get(`${server.url}/${name}`, { 'Accept-Encoding': 'gzip' })
    assert.deepEqual([file.status, file.headers['cache-control']], [200, 'public, max-age=31536000, immutable'], name)
  }
  assert.equal((await get(`${server.url}/nothing`)).status, 404)
  assert.equal((await get(`${server.url}/a/`)).status, 404)
})

test('a second load asks for nothing that it has', async (t) => {
  embedded(t)
  const server = await Server.start(t)
  await server.addPeople()
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const asked = []
  visitor.page.on('response', (response) => { if (!response.fromServiceWorker()) asked.push(response) })
  await visitor.page.reload()
  await visitor.isIn()
  const sent = await Promise.all(asked.filter((response) => response.url().includes('/a/'))
    .map(async (response) => (await response.request().sizes()).responseBodySize))
  assert.ok(sent.length > 0)
  assert.deepEqual(sent.filter((size) => size > 0), [])
})

test.alone('the first load is small, and soon there on a slow processor', async (t) => {
  embedded(t)
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  await server.postAll(bob, alice, Array.from({ length: 40 }, (_, i) => `message ${i}`))
  const visitor = await Visitor.open(t, server.url)
  await visitor.page.addInitScript(() => {
    window.shifts = 0
    new PerformanceObserver((list) => { for (const { value } of list.getEntries()) window.shifts += value }).observe({ type: 'layout-shift', buffered: true })
  })
  const debug = await visitor.context.newCDPSession(visitor.page)
  let sizes = []
  visitor.page.on('requestfinished', (request) => sizes.push(request.sizes().then(({ responseBodySize }) => [request.url(), responseBodySize])))
  const bytes = async () => (await Promise.all(sizes)).reduce((sum, [url, size]) => sum + (url.includes('/api/') ? 0 : size), 0)
  const load = async (shown) => {
    sizes = []
    await debug.send('Network.clearBrowserCache')
    await debug.send('Emulation.setCPUThrottlingRate', { rate: 6 })
    await debug.send('Network.emulateNetworkConditions', LAN)
    await visitor.page.reload()
    await shown()
    const size = await bytes()
    const [painted, ready] = await visitor.page.evaluate(() =>
      [performance.getEntriesByName('first-contentful-paint')[0]?.startTime, performance.now()].map(Math.round))
    await debug.send('Emulation.setCPUThrottlingRate', { rate: 1 })
    await visitor.page.waitForTimeout(500)
    return { size, painted, ready, shifts: await visitor.page.evaluate(() => window.shifts) }
  }
  const entry = await load(() => visitor.heading('Sign in').waitFor())
  await visitor.signIn(ALICE)
  await visitor.talkTo('bob')
  const thread = await load(() => visitor.row('message 39').waitFor())
  for (const [name, { size, painted, ready }] of Object.entries({ 'sign-in': entry, thread }))
    console.log(`         ${name}: ${size} bytes, first paint ${painted} ms, ready ${ready} ms, in a LAN, at a sixth of the speed`)
  assert.ok(entry.size > 0 && thread.size <= MOST_AT_FIRST, `${thread.size} bytes`)
  for (const { painted, shifts } of [entry, thread]) {
    assert.ok(painted <= PAINTED_MS, `painted after ${painted} ms`)
    assert.ok(shifts < 0.02, `what was shown moved by ${shifts}`)
  }
})

test('the page works where it is not secure: plain http, by a name', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const url = `http://parley.lan:${server.port}`
  const alice = await Visitor.with(t, url, ALICE, 'bob', { serviceWorkers: 'allow' })
  assert.equal(await alice.page.evaluate(() => isSecureContext), false)
  await alice.write('Hello `there`')
  await alice.shows(['Hello there'])
  await alice.button('Settings').click()
  await alice.page.getByText('Needs HTTPS.').waitFor()
  await alice.escape()
  await alice.menu('Hello', 'Copy')
  await alice.page.getByText('Copied').waitFor()
})
