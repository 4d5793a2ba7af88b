// The stream through a proxy with an ordinary configuration: nothing is held back, nothing is compressed, both sides learn of the other's
// end, and what holds without a proxy holds with one.
'use strict'
const assert = require('node:assert')
const { start, admin, say, stream, sleep, skip, test } = require('../harness.js')
const proxy = require('./proxy.js')
const { crowd } = require('./crowd.js')
const { sockets, gone } = require('./process.js')

const ALL = process.env.PARLEY_TEST_ALL
const CLIENTS = 20
const DISCONNECTS = ALL ? 3000 : 300

module.exports = (binary) => {
  // A server with a user, and the proxy before it.
  const both = async (name, after) => {
    const server = await start(binary)
    after(server.stop)
    await admin(server.url)
    const front = await proxy.start(name, server.port)
    if (!front) skip('it is not installed')
    after(front.stop)
    return { server, front, url: `http://127.0.0.1:${front.port}/api/messages/sse` }
  }

  for (const name of proxy.names) {
    test(`proxies: ${name}: each event is there before the next is posted, uncompressed`, async ({ after }) => {
      const { server, url } = await both(name, after)
      const s = await stream(url, { 'Accept-Encoding': 'gzip, deflate, br' })
      after(s.close)
      assert.strictEqual(s.status, 200)
      assert.strictEqual(s.headers['content-encoding'], undefined)
      assert.match(s.headers['cache-control'], /no-transform/)
      await s.first('hello')
      for (let i = 0; i < 20; i++) {
        // One that a buffer would hold back, one that is larger than a buffer.
        const content = `${i} ${'x'.repeat(i % 2 ? 20000 : 0)}`
        await say(server.url, content)
        assert.strictEqual((await s.docs(i + 1))[i].content, content)
      }
    })

    test(`proxies: ${name}: a reader that goes is gone behind the proxy too; the server's end is the reader's`, async ({ after }) => {
      const { server, url } = await both(name, after)
      const keeper = await stream(url)
      after(keeper.close)
      await keeper.first('hello')
      await sleep(200)
      const before = sockets(server.pid)
      const readers = await Promise.all(Array.from({ length: 50 }, () => stream(url)))
      await Promise.all(readers.map((s) => s.first('hello')))
      assert.ok(sockets(server.pid) >= before + 50)
      for (const s of readers) s.close()
      await gone(server.pid, before)
      await server.kill()
      await keeper.first('bye')
      await keeper.until((s) => (s.closed ? s : undefined), 'the end').catch(() => {})
      assert.ok(keeper.closed)
    })

    test(`proxies: ${name}: a proxy that goes takes its streams with it; their readers come back by their cursors`, async ({ after }) => {
      const { server, front, url } = await both(name, after)
      const before = sockets(server.pid)
      const s = await stream(url)
      await s.first('hello')
      await say(server.url, 'seen')
      await s.docs(1)
      await front.stop()
      await gone(server.pid, before)
      await say(server.url, 'missed')
      const again = await proxy.start(name, server.port)
      after(again.stop)
      const back = await stream(`http://127.0.0.1:${again.port}/api/messages/sse`, { 'Last-Event-ID': s.lastId })
      after(back.close)
      assert.deepStrictEqual((await back.docs(1)).map((d) => d.content), ['missed'])
      assert.strictEqual(back.of('reset').length, 0)
    })

    test(`proxies: ${name}: ${DISCONNECTS} disconnects of ${CLIENTS} readers under 64 writers`, async ({ after }) => {
      const { server, front } = await both(name, after)
      const { visits, messages } = await crowd({ url: server.url, port: front.port, clients: CLIENTS, disconnects: DISCONNECTS, after })
      console.log(`proxies: ${name}: ${visits} disconnects under ${messages} messages: none missing, none twice`)
    })
  }

  // Longer than the proxies wait for a silent server.
  if (ALL) {
    test('proxies: a silent stream is kept open', async ({ after }) => {
      const all = []
      for (const name of proxy.names) all.push({ name, ...(await both(name, after)) })
      await Promise.all(all.map(async ({ name, server, url }) => {
        const s = await stream(url)
        after(s.close)
        await s.first('hello')
        await s.until(() => s.of('ping').length >= 3, `${name}: the third ping`, 200000)
        await say(server.url, 'after the silence')
        await s.docs(1)
      }))
    })
  }
}
