// Thousands of clients that want the server's time and give nothing for it. While they are there all others are answered, and when they
// have gone nothing of them is left.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const tls = require('node:tls')
const { certificate } = require('../certificate.js')
const { dial } = require('../dial.js')
const { start, request, admin, say, multipart, folder, remove, skip, test } = require('../harness.js')
const { sockets, resident, until, gone, waiting } = require('./process.js')

const ALL = process.env.PARLEY_TEST_ALL
const DESCRIPTORS = Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max open files +\S+ +(\d+)/)?.[1] ?? 1024)
const CROWD = Math.min(ALL ? 5000 : 2000, DESCRIPTORS / 4)
const SLOW = ALL ? 2000 : 300 // clients that hold a worker each, if they can
const VISITS = ALL ? 100000 : 5000
const MIB = 1 << 20

const GET = 'GET /api/messages?limit=1 HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (lines, body = '') => `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${lines}\r\n${body}`
const MESSAGE = '{"sender":1,"receiver":1,"content":"late"}'

module.exports = (binary) => {
  const dir = folder()
  let one, hello

  // Two addresses, the first sealed. Nobody is late: what ends is ended for another reason.
  const serve = async (after, ...args) => {
    if (CROWD < 250) skip(`this system allows a process ${DESCRIPTORS} descriptors`)
    one ??= certificate(dir, 'one')
    const server = await start(binary, { listen: 'https://127.0.0.1:0',
      args: ['--listen', '127.0.0.1:0', ...one.args, '--head-timeout', '600', '--body-timeout', '600', '--idle-timeout', '600', ...args] })
    after(server.stop)
    server.token = (await admin(server.url)).token
    server.open = server.addresses[1]
    server.plain = Number(server.open.match(/\d+$/)[0])
    server.before = sockets(server.pid)
    return server
  }
  // `n` clients of each kind that a good server answers: new and kept, sealed and open, reading and writing.
  const served = async (server, n) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < n; i++) {
      assert.strictEqual((await request(`${server.open}/api/messages?limit=1`)).status, 200)
      assert.strictEqual((await request(`${server.open}/api/messages?limit=1`, { agent })).status, 200)
      assert.strictEqual((await say(server.open, `said ${i}`)).status, 201)
      assert.strictEqual((await request(`${server.url}/api/messages/count`)).status, 200)
    }
    agent.destroy()
  }
  const dialled = async (all) => { for (const c of all) await c.ready }
  const leave = (all) => all.forEach((c) => c.socket.destroy())
  // Nothing is left of those that were there.
  const empty = async (server) => {
    let left
    await gone(server.pid, server.before)
    await until(async () => { left = await waiting(server.open); return Object.values(left).reduce((a, b) => a + b) === 1 }, () => `there are still ${JSON.stringify(left)}`)
  }
  // What a client says first when it shakes hands.
  const clientHello = () => new Promise((resolve) => {
    const spy = net.createServer((socket) => socket.once('data', (d) => { socket.destroy(); spy.close(); resolve(d) }))
    spy.listen(0, '127.0.0.1', () => tls.connect({ port: spy.address().port, host: '127.0.0.1' }).on('error', () => {}))
  })

  test(`flood: ${CROWD} that have said half of something hold no worker, and may end it`, async ({ after }) => {
    const server = await serve(after, '--workers', '2')
    hello ??= await clientHello()
    const halves = [['', GET], ['G', GET.slice(1)], [GET.slice(0, -1), GET.slice(-1)], [post(`Content-Length: ${MESSAGE.length}\r\n`, MESSAGE.slice(0, 9)), MESSAGE.slice(9)]]
    // Every eighth is sealed, every other eighth never gets so far.
    const all = Array.from({ length: CROWD }, (_, i) => Object.assign(dial(...(i % 8 ? [i % 8 === 4 ? server.port : server.plain] : [server.port, one.ca])), { half: halves[Math.floor(i / 8) % 4], stuck: i % 8 === 4 }))
    after(() => leave(all))
    await dialled(all)
    for (const [i, c] of all.entries()) c.socket.write(c.stuck ? hello.subarray(0, i % hello.length) : c.half[0])
    const silent = CROWD / 8 // of each kind that speaks, seven eighths are open and one is sealed
    await until(async () => { const { head, body } = await waiting(server.open); return body >= silent && head >= 2 * silent }, () => 'they have not all been heard')
    await served(server, 50)
    assert.ok(all.every((c) => !c.closed && !c.text))
    for (const c of all) if (!c.stuck) c.socket.write(c.half[1])
    for (const c of all) if (!c.stuck) assert.strictEqual(await c.answers(1), c.half === halves[3] ? 201 : 200)
    leave(all)
    await empty(server)
  })

  test(`flood: ${SLOW} whose long bodies do not come leave workers to the others, and do not shut out who sends one`, async ({ after }) => {
    const server = await serve(after)
    const kinds = ['Content-Length: 100000\r\n', 'Transfer-Encoding: chunked\r\n', `Content-Length: ${MESSAGE.length}\r\nExpect: 100-continue\r\n`]
    const all = Array.from({ length: SLOW }, (_, i) => dial(...(i % 4 ? [server.plain] : [server.port, one.ca])))
    after(() => leave(all))
    await dialled(all)
    const there = () => all.filter((c) => !c.closed && !/ 408 /.test(c.text)).length
    for (const [i, c] of all.entries()) c.socket.write(post(kinds[i % 3]))
    await until(async () => (await waiting(server.open)).turn > 0, () => 'nobody waits for his turn')
    await served(server, 5)
    assert.ok(there() > SLOW / 2, `of ${SLOW} there are ${there()} when others are answered`)
    // The slow ones are given up meanwhile, one after the other.
    const long = await say(server.open, 'x'.repeat(30000))
    assert.strictEqual(long.status, 201)
    leave(all)
    await empty(server)
  })

  test(`flood: ${SLOW} who ask for megabytes and take none of them leave workers to the others`, async ({ after }) => {
    const server = await serve(after)
    const file = multipart('b', [{ name: '_payload', data: '{"alt":"x"}' }, { name: 'file', filename: 'large.bin', type: 'application/octet-stream', data: Buffer.alloc(16 * MIB, 7) }])
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b', Authorization: `JWT ${server.token}` }
    assert.strictEqual((await request(`${server.open}/api/media`, { method: 'POST', body: file, headers })).status, 201)
    for (let i = 0; i < 100; i++) await say(server.open, 'x'.repeat(30000))
    const asks = ['GET /api/media/file/large.bin HTTP/1.1\r\nHost: a\r\n\r\n', 'GET /api/messages?limit=0 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3)]
    const all = Array.from({ length: SLOW }, (_, i) => dial(...(i % 4 ? [server.plain] : [server.port, one.ca])))
    after(() => leave(all))
    await dialled(all)
    for (const [i, c] of all.entries()) {
      c.socket.pause()
      c.socket.write(asks[i % 2])
    }
    await served(server, 5)
    assert.strictEqual(all.filter((c) => c.closed).length, 0)
    leave(all)
    await empty(server)
  })

  test('flood: of answers that nobody takes only so much is kept in memory', async ({ after }) => {
    const workers = 4, unsent = 32 * MIB
    const server = await serve(after, '--workers', String(workers), '--cache-bytes', '0', '--unsent-bytes', String(unsent))
    for (let i = 0; i < 400; i++) await say(server.open, 'x'.repeat(30000))
    const ask = 'GET /api/messages?limit=0 HTTP/1.1\r\nHost: a\r\n\r\n' // 12 MB, which no socket takes
    const memory = resident(server.pid)
    const all = Array.from({ length: 60 }, () => dial(server.plain))
    after(() => leave(all))
    await dialled(all)
    for (const c of all) {
      c.socket.pause()
      c.socket.write(ask)
    }
    let most = 0
    await until(async () => {
      most = Math.max(most, resident(server.pid) - memory)
      const { open, reader } = await waiting(server.open)
      return reader > 1 && open === reader + 1
    }, () => 'they are not all answered')
    // What is kept, with one answer beyond that; what the workers are making; a text's room is up to twice what is in it.
    assert.ok(most < unsent + (workers + 1) * 2 * 12 * MIB + 16 * MIB, `memory grew by ${most >> 20} MiB`)
    await served(server, 2)
    leave(all)
    await empty(server)
  })

  test(`flood: ${VISITS} that come and leave`, async ({ after }) => {
    const server = await serve(after)
    const visit = (i) => new Promise((resolve) => {
      const socket = net.connect(i % 4 ? server.plain : server.port, '127.0.0.1', () => {
        if (i % 5 === 1) socket.write(GET)
        if (i % 5 === 2) socket.write(GET.slice(0, 20))
        if (i % 5 === 3) socket.resetAndDestroy()
        else if (i % 5 === 4) socket.end()
        else socket.destroy()
      })
      socket.on('error', () => {}).on('close', resolve).resume()
    })
    let begun = 0
    const visits = Promise.all(Array.from({ length: 50 }, async () => { while (begun < VISITS) await visit(begun++) }))
    await served(server, ALL ? 500 : 50)
    await visits
    await served(server, 1)
    await empty(server)
  })

  test('flood: a thousand requests in one write, of one who reads slowly: all are answered, in order, and others meanwhile', async ({ after }) => {
    const server = await serve(after, '--workers', '1')
    const ids = []
    for (let i = 0; i < 10; i++) ids.push((await say(server.open, `${i} ${'x'.repeat(9000)}`)).json.doc.id)
    for (const address of [[server.plain], [server.port, one.ca]]) {
      const c = dial(...address)
      after(() => c.socket.destroy())
      await c.ready
      c.socket.pause()
      c.socket.write(Array.from({ length: 1000 }, (_, i) => `GET /api/messages/${ids[i % 10]} HTTP/1.1\r\nHost: a\r\n${i === 999 ? 'Connection: close\r\n' : ''}\r\n`).join(''))
      await served(server, 3)
      c.socket.resume()
      const text = await c.ended
      assert.deepStrictEqual(text.match(/"id":\d+/g).map((id) => Number(id.slice(5))), Array.from({ length: 1000 }, (_, i) => ids[i % 10]))
    }
    await empty(server)
  })

  test('flood: the certificate goes', () => remove(dir))
}
