// Many connections, few workers, few descriptors. What a single connection may do wrong is in test/unit/front.c.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { certificate } = require('../certificate.js')
const { dial } = require('../dial.js')
const { start, request, admin, say, stream, folder, remove, test } = require('../harness.js')

const GET = 'GET /api/messages?limit=1 HTTP/1.1\r\nHost: a\r\n\r\n'

module.exports = (binary) => {
  let dir, one, ca
  const servers = async (after, args) => {
    const server = await start(binary, { listen: 'https://127.0.0.1:0', args: ['--listen', '127.0.0.1:0', ...one.args, ...args] })
    after(() => server.stop())
    await admin(server.url)
    server.plain = Number(server.addresses[1].match(/\d+$/)[0])
    return server
  }

  test('connections: a certificate for them', () => {
    dir = folder()
    one = certificate(dir, 'one')
    ca = one.ca
  })

  test('connections: one worker serves many that stay, sealed and open', async ({ after }) => {
    const server = await servers(after, ['--workers', '1'])
    const all = Array.from({ length: 200 }, (_, i) => (i % 2 ? dial(server.plain) : dial(server.port, ca)))
    after(() => all.forEach((c) => c.socket.destroy()))
    for (let round = 1; round <= 3; round++) {
      for (const c of all) c.socket.write(GET)
      for (const c of all) assert.strictEqual(await c.answers(round), 200)
    }
  })

  test('connections: sealed ones that say half of something hold no worker', async ({ after }) => {
    const server = await servers(after, ['--workers', '1'])
    const body = JSON.stringify({ sender: 1, receiver: 1, content: 'x' })
    const post = `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const halves = [['', GET], ['G', GET.slice(1)], [GET.slice(0, -1), GET.slice(-1)], [post.slice(0, -1), post.slice(-1)], [GET + GET.slice(0, 9), GET.slice(9)]]
    const all = halves.map(() => dial(server.port, ca))
    const hello = net.connect(server.port, '127.0.0.1', () => hello.write(Buffer.from([0x16, 0x03, 0x01, 0x02])))
    after(() => [hello, ...all.map((c) => c.socket)].forEach((socket) => socket.destroy()))
    for (const [i, c] of all.entries()) {
      await c.ready
      c.socket.write(halves[i][0])
    }
    for (const address of server.addresses) assert.strictEqual((await request(`${address}/api/messages`)).status, 200)
    for (const [i, c] of all.entries()) c.socket.write(halves[i][1])
    for (const [i, c] of all.entries()) assert.strictEqual(await c.answers(i === 4 ? 2 : 1), i === 3 ? 201 : 200)
  })

  test('connections: late heads are told so, sealed or not', async ({ after }) => {
    const server = await servers(after, ['--head-timeout', '1', '--idle-timeout', '1'])
    for (const address of [[server.plain], [server.port, ca]]) {
      const c = dial(...address)
      c.socket.write(GET)
      assert.strictEqual(await c.answers(1), 200)
      c.socket.write(GET.slice(0, 20))
      assert.strictEqual(await c.answers(2), 408)
      assert.match(await c.ended, /"message":"Request Timeout"/)
    }
    for (const address of [[server.plain], [server.port, ca]]) assert.strictEqual(await dial(...address).ended, '') // nothing was asked
  })

  test('connections: one too many is told to come again, and streams do not count', async ({ after }) => {
    const server = await start(binary, { args: ['--max-connections', '3'] })
    after(() => server.stop())
    await admin(server.url)
    const streams = []
    for (let i = 0; i < 6; i++) streams.push(await stream(`${server.url}/api/messages/sse`))
    after(() => streams.forEach((s) => s.close()))
    const held = [0, 1, 2].map(() => dial(server.port))
    after(() => held.forEach((c) => c.socket.destroy()))
    for (const c of held) {
      c.socket.write(GET)
      assert.strictEqual(await c.answers(1), 200)
    }
    const more = dial(server.port)
    more.socket.write(GET)
    const text = await more.ended
    assert.match(text, /^HTTP\/1\.1 503 /)
    assert.match(text, /\r\nRetry-After: 1\r\n/)
    assert.match(text, /"message":"Service Unavailable"/)
  })

  test('connections: a server with few descriptors serves, streams, refuses and recovers', async ({ after }) => {
    const box = folder()
    after(() => remove(box))
    const few = path.join(box, 'few')
    fs.writeFileSync(few, `#!/bin/sh\nulimit -n 128\nexec '${path.resolve(binary)}' "$@"\n`, { mode: 0o700 })
    const server = await start(few)
    after(() => server.stop())
    await admin(server.url)
    const streams = []
    for (let i = 0; i < 20; i++) streams.push(await stream(`${server.url}/api/messages/sse`))
    after(() => streams.forEach((s) => s.close()))
    const all = Array.from({ length: 200 }, () => dial(server.port))
    after(() => all.forEach((c) => c.socket.destroy()))
    for (const c of all) c.socket.write(GET)
    const got = await Promise.all(all.map((c) => c.answers(1).catch(() => 'closed')))
    assert.ok(got.includes(200) && got.includes(503), got.join())
    all.forEach((c) => c.socket.destroy())
    await Promise.all(all.map((c) => c.ended))
    let said
    do said = await say(server.url, 'after').catch((error) => ({ error }))
    while (said.status === 503 || said.error)
    assert.strictEqual(said.status, 201)
    for (const s of streams) assert.strictEqual((await s.docs(1))[0].content, 'after')
  })

  test('connections: it stops with many of them', async () => {
    const server = await start(binary)
    await admin(server.url)
    const all = Array.from({ length: 1000 }, () => dial(server.port))
    for (const [i, c] of all.entries()) c.socket.write(i % 2 ? GET : GET.slice(0, 9))
    for (const [i, c] of all.entries()) if (i % 2) assert.strictEqual(await c.answers(1), 200)
    await server.stop()
    await Promise.all(all.map((c) => c.ended))
  })

  // Their writes: each is answered after its commit, and holds no worker while it waits for that.

  const post = (content, more = '') => {
    const body = JSON.stringify({ sender: 1, receiver: 1, content })
    return `POST /api/messages?depth=0 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`
  }
  const change = (id, content) => post(content).replace('POST /api/messages', `PATCH /api/messages/${id}`)
  // All bodies that came, as JSON; without the last one where that is not whole.
  const bodies = (text) => {
    const found = []
    for (let at = 0, end; (end = text.indexOf('\r\n\r\n', at)) >= 0;) {
      const length = Number(text.slice(at, end).match(/Content-Length: (\d+)/)[1])
      if (text.length < end + 4 + length) break
      found.push(JSON.parse(Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString()))
      at = end + 4 + length
    }
    return found
  }

  test('connections: pipelined writes and reads are answered in order, and read what was written', async ({ after }) => {
    const server = await servers(after, [])
    for (const [i, address] of [[server.plain], [server.port, ca]].entries()) {
      const first = 1 + i * 3
      const c = dial(...address)
      after(() => c.socket.destroy())
      await c.ready
      c.socket.write([
        post('one'), GET, post('two', `Idempotency-Key: ${i}\r\n`), change(first, 'three'), GET.replace('?limit=1', `/${first}`), post('bad').replace('"sender":1', '"sender":9'),
        post('two', `Idempotency-Key: ${i}\r\n`), `DELETE /api/messages/${first} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}`, GET.replace('?limit=1', `/${first}`),
        post('four'), GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
      ].join(''))
      const text = await c.ended
      assert.deepStrictEqual(text.match(/HTTP\/1\.1 \d+/g).map((s) => Number(s.slice(9))), [201, 200, 201, 200, 200, 400, 201, 200, 404, 201, 200])
      const all = bodies(text)
      assert.strictEqual(all[1].docs[0].content, 'one')
      assert.strictEqual(all[4].content, 'three')
      assert.strictEqual(all[6].doc.id, all[2].doc.id)
      assert.strictEqual(all[10].docs[0].id, all[9].doc.id)
    }
  })

  test('connections: one worker writes for all of them', async ({ after }) => {
    const server = await servers(after, ['--workers', '1'])
    const all = Array.from({ length: 300 }, (_, i) => dial(...(i % 10 ? [server.plain] : [server.port, ca])))
    after(() => all.forEach((c) => c.socket.destroy()))
    await Promise.all(all.map((c) => c.ready))
    for (let round = 1; round <= 3; round++) {
      for (const [i, c] of all.entries()) c.socket.write(post(`${round} ${i}`))
      for (const c of all) assert.strictEqual(await c.answers(round), 201)
    }
    const ids = new Set(all.flatMap((c) => bodies(c.text).map((b) => b.doc.id)))
    assert.strictEqual(ids.size, 900)
    const { totalDocs } = (await request(`${server.url}/api/messages/count`)).json
    assert.strictEqual(totalDocs, 900)
    const counted = (await request(`${server.url}/api/parley/metrics`)).text.match(/parley_requests_total\{code="2xx"\} (\d+)/)
    assert.strictEqual(Number(counted[1]), 902)
  })

  test('connections: who leaves before his answer leaves nothing behind', async ({ after }) => {
    const server = await servers(after, ['--workers', '2', '--max-connections', '60'])
    const open = async () => Number((await request(`${server.url}/api/parley/metrics`)).text.match(/process_open_fds (\d+)/)[1])
    const before = await open()
    for (let round = 0; round < 20; round++) {
      const all = Array.from({ length: 50 }, (_, i) => dial(...(i % 10 ? [server.plain] : [server.port, ca])))
      await Promise.all(all.map((c) => c.ready))
      for (const [i, c] of all.entries()) {
        c.socket.write(post(`${round} ${i}`) + (i % 3 ? '' : post('never')))
        if (i % 2) c.socket.resetAndDestroy?.() ?? c.socket.destroy()
        else c.socket.destroy()
      }
      await Promise.all(all.map((c) => c.ended))
      let said
      do said = await say(server.url, 'still there').catch((error) => ({ error })) // until the server has seen that they left
      while (said.error || said.status === 503)
      assert.strictEqual(said.status, 201)
    }
    while (await open() > before) await request(`${server.url}/api/messages/count`)
  })

  test('connections: a large answer to a write is whole, however slowly it is read', async ({ after }) => {
    const server = await servers(after, ['--workers', '2'])
    const content = '€'.repeat(39000)
    for (const address of [[server.plain], [server.port, ca]]) {
      const c = dial(...address)
      after(() => c.socket.destroy())
      await c.ready
      c.socket.pause()
      for (let i = 0; i < 50; i++) c.socket.write(post(content))
      c.socket.write(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
      for (let i = 0; i < 20; i++) assert.strictEqual((await say(server.url, 'beside it')).status, 201)
      c.socket.resume()
      const all = bodies(await c.ended)
      assert.strictEqual(all.length, 51)
      for (const { doc } of all.slice(0, 50)) assert.ok(doc.content === content)
    }
  })

  test('connections: a server that stops answers the writes that have come, and has stored what it says', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const server = await start(binary, { data, listen: 'https://127.0.0.1:0', args: ['--listen', '127.0.0.1:0', ...one.args, '--workers', '4'] })
    after(() => server.stop())
    await admin(server.url)
    const plain = Number(server.addresses[1].match(/\d+$/)[0])
    const all = Array.from({ length: 400 }, (_, i) => dial(...(i % 10 ? [plain] : [server.port, ca])))
    for (const c of all) c.socket.write(GET)
    for (const c of all) assert.strictEqual(await c.answers(1), 200)
    await Promise.all(all.map((c, i) => new Promise((resolve) => c.socket.write(post(`last words ${i}`), resolve))))
    await server.stop()
    const answers = await Promise.all(all.map((c) => c.ended))
    for (const [i, text] of answers.entries()) {
      assert.match(text, /HTTP\/1\.1 201 /, `${i}: ${text.slice(-300)}`)
      assert.strictEqual(bodies(text)[1].doc.content, `last words ${i}`)
    }
    const again = await start(binary, { data })
    after(() => again.stop())
    assert.strictEqual((await request(`${again.url}/api/messages/count?where[content][like]=last`)).json.totalDocs, all.length)
  })

  test('connections: the certificate goes', () => remove(dir))
}
