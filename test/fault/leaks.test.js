// Requests of every kind, over and over: what a server has open, and what it has in memory, is as after the first of them.
'use strict'
const assert = require('node:assert')
const net = require('node:net')
const { start, request, admin, say, multipart, test } = require('../harness.js')
const { sockets, descriptors, resident, until, gone } = require('./process.js')

const FIRST = 10000 // requests after which memory is looked at
const REQUESTS = process.env.PARLEY_TEST_ALL ? 1000000 : 100000
const CLIENTS = 20
const AT_ONCE = 50 // in one write
const GROWTH = 2 << 20 // bytes, and a tenth

module.exports = (binary) => {
  test(`leaks: memory after ${REQUESTS} requests is as after ${FIRST}, and nothing stays open`, async ({ after }) => {
    // Few threads (eight a worker): each has soon touched the memory that it keeps. So has what is kept of changes and of answers.
    const server = await start(binary, { args: ['--workers', '1', '--log-bytes', '65536', '--cache-bytes', '65536'] })
    after(server.stop)
    const { token } = await admin(server.url)
    // More than a reader of SQLite's keeps in memory (2 MB), so that these are full when memory is looked at first.
    for (let i = 0; i < 100; i++) await say(server.url, `${i} ${'x'.repeat(30000)}`)
    for (let i = 0; i < 20; i++) await say(server.url, `${i} ${'x'.repeat(500)}`)
    const file = multipart('b', [{ name: '_payload', data: '{"alt":"x"}' }, { name: 'file', filename: 'a.bin', type: 'application/octet-stream', data: Buffer.alloc(5000, 7) }])
    const upload = { method: 'POST', body: file, headers: { 'Content-Type': 'multipart/form-data; boundary=b', Authorization: `JWT ${token}` } }
    assert.strictEqual((await request(`${server.url}/api/media`, upload)).status, 201)

    const head = (line, lines = '') => `${line} HTTP/1.1\r\nHost: a\r\nAuthorization: JWT ${token}\r\n${lines}`
    const get = (path, lines) => `${head(`GET ${path}`, lines)}\r\n`
    const body = (line, text, lines = '') => `${head(line, `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n${lines}`)}\r\n${text}`
    // Each is answered, and leaves its connection open.
    const kinds = [() => get('/api/messages?limit=5'), () => get('/'), (i) => get(`/api/messages?where[content][like]=${i % 50}&limit=3`), () => get('/api/messages/101'), () => get('/api/messages/9999999'),
      () => get('/api/nothing'), () => get('/api/media/file/a.bin'), () => get('/api/media/file/a.bin', 'Range: bytes=1-9\r\n'), () => get('/api/messages?where[nope][equals]=1'),
      () => get('/api/messages/sse?where[nope][equals]=1'), () => get('/api/users/me'), () => get('/api/openapi.json'), () => `${head('HEAD /api/media/file/a.bin')}\r\n`, () => `${head('OPTIONS /api/messages')}\r\n`,
      () => body('POST /api/messages', '{bad'), () => body('POST /api/messages', '{"content":""}'), (i) => body('PATCH /api/messages/101', `{"content":"${i}"}`),
      () => `${head('POST /api/messages', 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n')}\r\n2\r\n{}\r\n0\r\n\r\n`]
    // Each ends its connection.
    const last = [() => get('/api/messages', 'Connection: close\r\n'), () => 'nonsense\r\n\r\n', () => get('/api/messages?limit=5').slice(0, 40), () => get('/', `X: ${'x'.repeat(20000)}\r\n`),
      () => body('POST /api/messages', '{}', 'Expect: 100-continue\r\n').slice(0, -2), () => `${head('POST /api/messages', 'Content-Length: 5000000\r\n')}\r\n{`, () => get('/api/media/file/a.bin').repeat(30), () => '']

    let asked = 0
    const visit = (kind) => new Promise((resolve, reject) => {
      const n = AT_ONCE, ends = last[kind % last.length](), wanted = ends.startsWith('GET /api/messages?limit=5 HTTP') && ends.includes('close') ? n + 1 : n
      let seen = 0, rest = ''
      const socket = net.connect(server.port, '127.0.0.1', () => {
        socket.write(Array.from({ length: n }, (_, i) => kinds[(kind + i) % kinds.length](asked + i)).join('') + ends)
        asked += n + 1
      })
      socket.setTimeout(60000, () => socket.destroy(new Error('no answer in a minute')))
      socket.on('data', (d) => {
        const text = rest + d.latin1Slice()
        seen += text.split('HTTP/1.1 ').length - 1
        rest = text.slice(text.lastIndexOf('HTTP/1.1 ') >= 0 ? Math.max(text.length - 8, text.lastIndexOf('HTTP/1.1 ') + 9) : -8)
        if (seen >= wanted) kind % 3 ? socket.destroy() : socket.resetAndDestroy()
      })
      socket.on('error', reject)
      socket.on('close', () => (seen >= n ? resolve() : reject(new Error(`${seen} answers to ${n} requests before ${JSON.stringify(ends.slice(0, 60))}`))))
    })
    const run = async (n) => {
      let kind = 0
      await Promise.all(Array.from({ length: CLIENTS }, async () => { while (asked < n) await visit(kind++) }))
    }

    const open = sockets(server.pid)
    await run(FIRST)
    await gone(server.pid, open)
    const files = descriptors(server.pid), memory = resident(server.pid)
    await run(REQUESTS)
    await gone(server.pid, open)
    await until(() => descriptors(server.pid) <= files, () => `${descriptors(server.pid) - files} descriptors stayed open`)
    const now = resident(server.pid)
    assert.ok(now < memory * 1.1 + GROWTH, `resident memory went from ${memory} to ${now} bytes`)
    console.log(`leaks: ${REQUESTS} requests: resident memory ${memory >> 10} and ${now >> 10} KiB`)
  })
}
