// A server that has no descriptor left while it runs: who is there is served, who comes waits, and is served when there are some again.
'use strict'
const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const { certificate } = require('../certificate.js')
const { dial } = require('../dial.js')
const { start, request, admin, say, stream, multipart, folder, remove, skip, test } = require('../harness.js')
const { sockets, until, gone } = require('./process.js')

const GET = 'GET /api/messages?limit=1 HTTP/1.1\r\nHost: a\r\n\r\n'
const FILE = 'GET /api/media/file/a.txt HTTP/1.1\r\nHost: a\r\n\r\n'
const SAY = (content) => `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${content.length + 38}\r\n\r\n{"sender":1,"receiver":1,"content":"${content}"}`

module.exports = (binary) => {
  test('descriptors: without any, connections and streams go on, files are refused, and newcomers are served later', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const one = certificate(dir, 'one')
    const server = await start(binary, { listen: 'https://127.0.0.1:0', args: ['--listen', '127.0.0.1:0', ...one.args, '--head-timeout', '600', '--idle-timeout', '600'] })
    after(server.stop)
    const plain = Number(server.addresses[1].match(/\d+$/)[0])
    // The limit of a process that runs; without a number its own again.
    const own = () => execFileSync('prlimit', ['--pid', server.pid, '--nofile', '--output', 'SOFT', '--noheadings', '--raw']).toString().trim()
    const all = own()
    const limit = (n) => execFileSync('prlimit', ['--pid', server.pid, `--nofile=${n}:`])
    try { limit(all) } catch { skip('this system lets nobody set a limit of another process') }
    const { token } = await admin(server.url)
    const body = multipart('b', [{ name: '_payload', data: '{"alt":"x"}' }, { name: 'file', filename: 'a.txt', type: 'text/plain', data: 'text' }])
    assert.strictEqual((await request(`${server.url}/api/media`, { method: 'POST', body, headers: { 'Content-Type': 'multipart/form-data; boundary=b', Authorization: `JWT ${token}` } })).status, 201)
    const before = sockets(server.pid)

    const streams = []
    for (let i = 0; i < 5; i++) streams.push(await stream(`${server.addresses[i % 2]}/api/messages/sse`))
    after(() => streams.forEach((s) => s.close()))
    const kept = [dial(plain), dial(server.port, one.ca), dial(plain)]
    after(() => kept.forEach((c) => c.socket.destroy()))
    for (const c of kept) {
      await c.ready
      c.socket.write(GET)
      assert.strictEqual(await c.answers(1), 200)
    }

    // A new one has the lowest number that is free.
    const taken = new Set(fs.readdirSync(`/proc/${server.pid}/fd`).map(Number))
    limit(Array.from({ length: taken.size + 1 }, (_, i) => i).find((n) => !taken.has(n)))
    const comers = Array.from({ length: 20 }, (_, i) => dial(...(i % 2 ? [plain] : [server.port, one.ca])))
    after(() => comers.forEach((c) => c.socket.destroy()))
    for (const c of comers) c.socket.write(GET)
    await until(() => /cannot accept a connection: Too many open files/.test(server.err), () => `nobody was kept waiting: ${server.err}`)
    for (let i = 0; i < 5; i++) {
      kept[0].socket.write(SAY(`without ${i}`))
      assert.strictEqual(await kept[0].answers(2 + i), 201)
      kept[1].socket.write(GET)
      assert.strictEqual(await kept[1].answers(2 + i), 200)
      for (const s of streams) assert.strictEqual((await s.docs(i + 1))[i].content, `without ${i}`)
    }
    kept[2].socket.write(FILE)
    assert.strictEqual(await kept[2].answers(2), 503)
    assert.deepStrictEqual(comers.filter((c) => c.closed || c.text).map((c) => c.text), [])

    limit(all)
    for (const c of comers) assert.strictEqual(await c.answers(1), 200)
    kept[2].socket.write(FILE)
    assert.strictEqual(await kept[2].answers(3), 200)
    assert.strictEqual((await say(server.url, 'with')).status, 201)
    for (const s of streams) assert.strictEqual((await s.docs(6))[5].content, 'with')
    for (const c of [...kept, ...comers]) c.socket.destroy()
    for (const s of streams) s.close()
    await gone(server.pid, before)
    // One line tells of it, not one for each that waited.
    assert.ok(server.err.split('\n').filter((line) => /cannot accept/.test(line)).length <= 2, server.err)
  })
}
