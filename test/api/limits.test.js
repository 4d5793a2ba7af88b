// How many streams there may be, in all and from one address.
'use strict'
const assert = require('node:assert')
const http = require('node:http')
const { start, request, admin, say, json, sleep, test } = require('../harness.js')

// A stream that came to be, or the refusal: { status, headers, json, close }.
const open = (url, from) => new Promise((resolve, reject) => {
  const req = http.get(`${url}/api/messages/sse`, { agent: false, localAddress: from }, (res) => {
    const { statusCode: status, headers } = res
    res.on('error', () => {}) // it is closed here
    if (status === 200) {
      res.resume()
      resolve({ status, headers, close: () => req.destroy() })
      return
    }
    let text = ''
    res.on('data', (d) => { text += d })
    res.on('end', () => resolve({ status, headers, json: json(text), close: () => {} }))
  })
  req.on('error', reject)
})

// The place of a closed stream comes free a moment later.
async function openAgain(url, from) {
  for (const end = Date.now() + 15000; ;) {
    const s = await open(url, from)
    if (s.status === 200) return s
    assert.ok(Date.now() < end, 'the place did not come free')
    await sleep(50)
  }
}

module.exports = (binary) => {
  const serve = async (after, args, more) => {
    const server = await start(binary, { args, ...more })
    after(server.stop)
    await admin(server.url)
    return server
  }
  const refused = (answer, what) => {
    assert.strictEqual(answer.status, 503)
    assert.match(answer.json.errors[0].message, /^Too many streams\. \w/)
    assert.match(answer.json.errors[0].message, what)
    assert.strictEqual(answer.headers['cache-control'], 'no-store')
    assert.match(answer.headers['retry-after'], /^\d+$/)
    return Number(answer.headers['retry-after'])
  }

  test('limits: beyond --max-streams a stream is told when to come back, and all else goes on', async ({ after }) => {
    const server = await serve(after, ['--max-streams', '3'])
    const { url } = server
    const streams = []
    after(() => streams.forEach((s) => s.close()))
    for (let i = 0; i < 3; i++) streams.push(await open(url, i ? '127.0.0.2' : '127.0.0.1'))
    assert.deepStrictEqual(streams.map((s) => s.status), [200, 200, 200])
    const delays = []
    for (let i = 0; i < 40; i++) delays.push(refused(await open(url), /later/))
    assert.ok(delays.every((n) => n >= 2 && n <= 10), String(delays))
    assert.ok(new Set(delays).size > 2, String(delays))
    assert.strictEqual((await say(url, 'not a stream')).status, 201)
    assert.strictEqual((await request(`${url}/api/messages`)).status, 200)
    const asked = () => request(`${url}/api/messages/sse`, { method: 'HEAD' })
    const full = await asked()
    assert.deepStrictEqual([full.status, full.text], [503, ''])
    assert.match(full.headers['retry-after'], /^\d+$/)
    streams.pop().close()
    while ((await asked()).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.strictEqual((await asked()).status, 200, 'who only asks takes no place')
    streams.push(await openAgain(url))
    refused(await open(url), /later/)
    assert.strictEqual(server.err, '', 'refusals do not fill the log')
  })

  test('limits: --max-streams-per-ip holds for each address', async ({ after }) => {
    const { url } = await serve(after, ['--max-streams-per-ip', '2'])
    const streams = []
    after(() => streams.forEach((s) => s.close()))
    for (const from of ['127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.2']) streams.push(await open(url, from))
    assert.deepStrictEqual(streams.map((s) => s.status), [200, 200, 200, 200])
    refused(await open(url, '127.0.0.1'), /address/)
    refused(await open(url, '127.0.0.2'), /address/)
    streams.push(await open(url, '127.0.0.3'))
    assert.strictEqual(streams.at(-1).status, 200)
    assert.strictEqual((await request(`${url}/api/messages`)).status, 200)
    streams[0].close()
    streams.push(await openAgain(url, '127.0.0.1'))
    refused(await open(url, '127.0.0.1'), /address/)
  })

  test('limits: ::1 and 127.0.0.1 are two addresses', async ({ after }) => {
    const { addresses } = await serve(after, ['--listen', '[::1]:0', '--max-streams-per-ip', '1'])
    const streams = []
    after(() => streams.forEach((s) => s.close()))
    for (const url of addresses) streams.push(await open(url))
    assert.deepStrictEqual(streams.map((s) => s.status), [200, 200])
    for (const url of addresses) refused(await open(url), /address/)
  })

  test('limits: a refused stream leaves its connection open for the next request', async ({ after }) => {
    const { url } = await serve(after, ['--max-streams', '1'])
    const first = await open(url)
    after(first.close)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    after(() => agent.destroy())
    for (const [path, wanted] of [['messages/sse', 503], ['messages/sse', 503], ['messages', 200]]) {
      const { status, headers } = await request(`${url}/api/${path}`, { agent })
      assert.deepStrictEqual([status, headers.connection], [wanted, 'keep-alive'])
    }
  })
}
