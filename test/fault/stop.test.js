// A stop with thousands of connections that are in the middle of something: it is done within a second, and cuts nobody off who was answered.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const { certificate } = require('../certificate.js')
const { dial } = require('../dial.js')
const { start, request, admin, say, multipart, folder, remove, skip, test } = require('../harness.js')
const { until, waiting } = require('./process.js')

const DESCRIPTORS = Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max open files +\S+ +(\d+)/)?.[1] ?? 1024)
const WITHIN = 1000 // ms

const get = (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const post = (lines, body = '') => `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${lines}\r\n${body}`

// What they do, and how many do it; `answered` before the stop, `stalls`: takes nothing of the answer.
const kinds = [
  { n: 1500, sends: get('/api/messages'), answered: true },
  { n: 1500, sends: get('/api/messages/sse'), answered: true, bye: true },
  { n: 600, sends: '' },
  { n: 600, sends: get('/').slice(0, 20) },
  { n: 600, sends: post('Content-Length: 50\r\n', '{') },
  { n: 100, sends: post('Content-Length: 50000\r\n', '{') },
  { n: 100, sends: get('/api/media/file/large.bin'), stalls: true },
]
const CONNECTIONS = kinds.reduce((sum, kind) => sum + kind.n, 0)

module.exports = (binary) => {
  // One stop: how long it took, in ms.
  async function stop(signal, env) {
    const dir = folder()
    const one = certificate(dir, 'one')
    const server = await start(binary, { listen: 'https://127.0.0.1:0', env,
      args: ['--listen', '127.0.0.1:0', ...one.args, '--head-timeout', '600', '--body-timeout', '600', '--idle-timeout', '600'] })
    const all = []
    try {
      const open = server.addresses[1], plain = Number(open.match(/\d+$/)[0])
      const { token } = await admin(server.url)
      const file = multipart('b', [{ name: '_payload', data: '{"alt":"x"}' }, { name: 'file', filename: 'large.bin', type: 'application/octet-stream', data: Buffer.alloc(16 << 20, 7) }])
      assert.strictEqual((await request(`${open}/api/media`, { method: 'POST', body: file, headers: { 'Content-Type': 'multipart/form-data; boundary=b', Authorization: `JWT ${token}` } })).status, 201)
      for (let i = 0; i < 10; i++) await say(open, `${i}`)
      for (const kind of kinds)
        for (let i = 0; i < kind.n; i++) all.push(Object.assign(dial(...(i % 20 ? [plain] : [server.port, one.ca])), { kind }))
      for (const c of all) {
        await c.ready
        if (c.kind.stalls) c.socket.pause()
        c.socket.write(c.kind.sends)
      }
      for (const c of all) if (c.kind.answered) assert.strictEqual(await c.answers(1), 200)
      await until(async () => { const w = await waiting(open); return w.reader > 10 && w.body > 500 && w.head > 500 }, () => 'they are not all there')

      const begun = Date.now()
      const end = await server.kill(signal)
      const took = Date.now() - begun
      assert.deepStrictEqual(end, { code: 0, signal: null })
      for (const c of all) {
        c.socket.resume()
        const text = await c.ended
        if (c.kind.bye) assert.match(text, /event: bye\ndata: {"reason":"stopping"}\n\n$/)
      }
      return took
    } finally {
      for (const c of all) c.socket.destroy()
      await server.stop()
      remove(dir)
    }
  }

  // Where others use the machine, too, it has three tries.
  const stops = (signal, env) => test(`stop: within ${WITHIN} ms after ${signal}, with ${CONNECTIONS} connections`, async () => {
    if (DESCRIPTORS < 3 * CONNECTIONS) skip(`this system allows a process ${DESCRIPTORS} descriptors`)
    const took = []
    do took.push(await stop(signal, env))
    while (took.at(-1) >= WITHIN && took.length < 3)
    assert.ok(took.at(-1) < WITHIN, `it took ${took} ms`)
    console.log(`stop: ${CONNECTIONS} connections: ${took} ms after ${signal}`)
  })
  stops('SIGTERM', {})
  stops('SIGINT', { PARLEY_DRAIN: '5' })
}
