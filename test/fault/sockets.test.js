// Clients that do with their connection to the stream what they should not: each gets one and the same answer always, the others notice
// nothing, and when they have gone nothing of them is left.
'use strict'
const assert = require('node:assert')
const net = require('node:net')
const { start, admin, say, stream, request, sleep, test } = require('../harness.js')
const { sockets, resident, gone } = require('./process.js')

const ROUNDS = process.env.PARLEY_TEST_ALL ? 200 : 20
const OF_EACH = 10
const GROWTH = 2 << 20 // bytes, and a tenth, that resident memory may grow after the first rounds: the messages are in there, too

const GET = 'GET /api/messages/sse HTTP/1.1\r\nHost: here\r\n\r\n'
const LIST = 'GET /api/messages/count HTTP/1.1\r\nHost: here\r\n\r\n'
const hello = (text) => /event: hello\n.*\n\n/.test(text)
const below = (n) => Math.floor(Math.random() * n)

// A bare connection: c.text is all that came; c.until(test) waits for it; c.ended: the server closed, in order or not.
function connect(port, { reads = true } = {}) {
  const c = { text: '', ended: false }
  let wake = () => {}
  c.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  if (reads) c.socket.on('data', (d) => { c.text += d.latin1Slice(); wake() })
  for (const end of ['end', 'close']) c.socket.on(end, () => { c.ended = true; wake() })
  c.socket.on('error', () => {})
  c.connected = new Promise((resolve) => c.socket.on('connect', resolve).on('close', resolve))
  c.send = (bytes) => new Promise((resolve) => c.socket.write(bytes, () => resolve()))
  c.close = () => c.socket.destroy()
  c.reset = () => c.socket.resetAndDestroy()
  c.until = async (test, what) => {
    for (const limit = Date.now() + 60000; !test(c.text);) {
      if (c.ended || Date.now() > limit) throw new Error(`${what} did not come; came: ${c.text.slice(-400)}`)
      await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 1000).unref() })
    }
  }
  c.end = async () => {
    for (const limit = Date.now() + 60000; !c.ended;) {
      if (Date.now() > limit) throw new Error(`it stayed open; came: ${c.text.slice(-400)}`)
      await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 1000).unref() })
    }
  }
  return c
}

// What a client may do until it has gone. Each checks the answer that it gets, where it waits for one.
const deeds = {
  async 'goes before it has asked'(c) { await c.connected },
  async 'goes in the middle of its request'(c) { await c.send(GET.slice(0, 1 + below(GET.length - 2))) },
  async 'asks and goes'(c) { await c.send(GET) },
  async 'goes when the head is there'(c) {
    await c.send(GET)
    await c.until((t) => t.includes('\r\n\r\n'), 'the head')
  },
  async 'never reads'(c) { await c.send(GET); await sleep(below(100)) },
  async 'asks byte by byte'(c) {
    c.socket.setNoDelay()
    for (const byte of GET) {
      await c.send(byte)
      await new Promise(setImmediate)
    }
    await c.until(hello, 'hello')
  },
  async 'closes its half with its request'(c) {
    c.socket.end(GET)
    await c.end()
    assert.ok(hello(c.text), c.text)
  },
  async 'closes its half when it has read'(c) {
    await c.send(GET)
    await c.until(hello, 'hello')
    c.socket.end()
    await c.end()
  },
  async 'sends megabytes behind its request'(c) {
    await c.send(GET)
    await c.until(hello, 'hello')
    // The server may close on it.
    for (let i = 0; i < 32 && !c.ended; i++) await Promise.race([c.send('x'.repeat(100000)), c.end()])
  },
  async 'sends megabytes with its request'(c) {
    await Promise.race([c.send(GET + '\0\x01\n'.repeat(1000000)), c.end()])
  },
  async 'sends a second request with the first'(c) {
    await c.send(GET + LIST)
    await c.until((t) => t.includes('"totalDocs"'), 'the second answer')
    assert.match(c.text, /^HTTP\/1\.1 400 [^]*A stream must be the last request of its connection[^]*HTTP\/1\.1 200 /)
  },
  async 'sends a second request behind the first'(c, news) {
    await c.send(GET)
    await c.until(hello, 'hello')
    await c.send(LIST)
    const content = await news()
    await c.until((t) => t.includes(content), 'the next message')
    assert.ok(!c.text.includes('totalDocs'))
  },
  async 'speaks HTTP/1.0'(c, news) {
    await c.send('GET /api/messages/sse HTTP/1.0\r\n\r\n')
    await c.until(hello, 'hello')
    const content = await news()
    await c.until((t) => t.includes(content), 'the next message')
    assert.doesNotMatch(c.text, /transfer-encoding/i)
  },
  async 'asks with HEAD'(c) {
    await c.send('HEAD /api/messages/sse HTTP/1.1\r\nHost: here\r\n\r\n')
    await c.until((t) => t.includes('\r\n\r\n'), 'the head')
    await c.send(LIST)
    await c.until((t) => t.includes('"totalDocs"'), 'the second answer')
    assert.match(c.text, /^HTTP\/1\.1 200 [^]*text\/event-stream[^]*\r\n\r\nHTTP\/1\.1 200 /)
  },
  async 'brings a body'(c) {
    await c.send('GET /api/messages/sse HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc')
    await c.until((t) => t.includes('A stream must be the last request'), 'the refusal')
  },
}

const unread = new Set(['never reads', 'asks and goes', 'sends megabytes with its request'])

module.exports = (binary) => {
  // Few workers: each has soon touched the memory that it keeps.
  const serve = async (after) => {
    const server = await start(binary, { args: ['--workers', '16'] })
    after(server.stop)
    await admin(server.url)
    await say(server.url, 'the first')
    let n = 0
    server.news = async () => {
      const content = `news ${n++};`
      await say(server.url, content)
      return content
    }
    return server
  }
  const act = async (server, name, reset) => {
    const c = connect(server.port, { reads: !unread.has(name) })
    try {
      await deeds[name](c, server.news)
    } catch (error) {
      throw new Error(`a client that ${name}: ${error.message}`)
    } finally {
      if (reset) c.reset()
      else c.close()
    }
  }

  test('sockets: what clients do alone', async ({ after }) => {
    const server = await serve(after)
    for (const name of Object.keys(deeds)) for (let i = 0; i < OF_EACH; i++) await act(server, name, i % 2)
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).status, 200)
  })

  test(`sockets: ${ROUNDS} rounds of all that at once: a reader misses nothing, nothing stays open, memory does not grow`, async ({ after }) => {
    const server = await serve(after)
    const reader = await stream(`${server.url}/api/messages/sse`)
    after(reader.close)
    await reader.first('message')
    await sleep(100)
    const before = sockets(server.pid)
    let memory
    for (let round = 0; round < ROUNDS; round++) {
      if (round === ROUNDS / 4) memory = resident(server.pid)
      const all = Object.keys(deeds).flatMap((name) => Array.from({ length: OF_EACH }, (_, i) => act(server, name, i % 2)))
      await Promise.all(all)
      await gone(server.pid, before)
    }
    const now = resident(server.pid)
    assert.ok(now < memory * 1.1 + GROWTH, `resident memory went from ${memory} to ${now} bytes`)
    const last = await server.news()
    await reader.until(() => reader.of('message').at(-1).json[0].content === last, 'the last message', 60000)
    const ids = reader.of('message').map((e) => e.json[0].id)
    assert.deepStrictEqual(ids, ids.map((_, i) => i + 1))
    console.log(`sockets: ${ROUNDS} rounds of ${Object.keys(deeds).length * OF_EACH} clients: resident memory ${memory >> 10} and ${now >> 10} KiB`)
  })

  test('sockets: readers that take nothing while megabytes are said cost the others nothing', async ({ after }) => {
    const server = await serve(after)
    const before = sockets(server.pid)
    const idle = Array.from({ length: 20 }, () => connect(server.port, { reads: false }))
    after(() => idle.forEach((c) => c.close()))
    for (const c of idle) await c.send(GET)
    const reader = await stream(`${server.url}/api/messages/sse`)
    after(reader.close)
    await reader.first('message')
    for (let i = 0; i < 300; i++) await say(server.url, `${i} ${'x'.repeat(20000)}`)
    await reader.until(() => reader.of('message').length >= 301, 'all that was said', 60000)
    reader.close()
    for (const c of idle) c.close()
    await gone(server.pid, before)
  })
}
