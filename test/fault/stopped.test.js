// Thousands of readers, of which a tenth are stopped, as on a telephone whose screen went dark: the others get everything meanwhile, the
// server's memory stays within its bound, and the stopped ones have each message exactly once when they have been woken.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { start, launch, request, admin, stream, skip, test } = require('../harness.js')
const { resident } = require('./process.js')

const ALL = process.env.PARLEY_TEST_ALL
const HERDS = 10 // processes; the first is stopped
const DESCRIPTORS = Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max open files +\S+ +(\d+)/)?.[1] ?? 1024)
const CLIENTS = Math.min(ALL ? 5000 : 1000, Math.floor(DESCRIPTORS / 2 / HERDS) * HERDS)
const WRITERS = 64
const SAID = 500 // messages while all are there
const MORE = 6000 // and when only the stopped ones and one more are: more than the log holds
const CONTENT = 'x'.repeat(3000)
const LOG = 16 << 20 // bytes of frames that the server keeps in memory
const BOUND = LOG + (16 << 20) // that resident memory may grow by: the log, and what its threads and SQLite touch
const PAGE = 100 * (CONTENT.length + 400) // of changes, which one that catches up is sent at a time

module.exports = (binary) => {
  test(`stopped: ${CLIENTS} readers, a tenth of them stopped, under ${SAID + MORE} messages of 3 KB`, async ({ after }) => {
    if (CLIENTS < 100) skip(`this system allows a process ${DESCRIPTORS} descriptors`)
    const server = await start(binary)
    after(server.stop)
    await admin(server.url)
    const hello = await stream(`${server.url}/api/messages/sse`)
    const { epoch, head } = (await hello.first('hello')).json
    hello.close()

    const agent = new http.Agent({ keepAlive: true, maxSockets: WRITERS })
    after(() => agent.destroy())
    let begun = 0
    // Done with the last message's id, when `upTo` have been said.
    const write = async (upTo) => {
      let last = 0
      await Promise.all(Array.from({ length: WRITERS }, async () => {
        while (begun < upTo) {
          begun++
          const r = await request(`${server.url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content: CONTENT }, agent })
          assert.strictEqual(r.status, 201, r.text)
          last = Math.max(last, r.json.doc.id)
        }
      }))
      return last
    }

    const herd = () => {
      const child = launch(process.execPath, [path.join(__dirname, 'herd.js'), server.port, CLIENTS / HERDS, `${epoch}-${head}`],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      after(() => child.kill('SIGKILL'))
      const h = { child, open: undefined, result: undefined }
      h.open = new Promise((resolve, reject) => {
        h.result = new Promise((done, failed) => {
          child.on('message', (m) => (m === 'open' ? resolve() : done(m)))
          child.on('close', (code) => { const error = new Error(`a herd ended with ${code}`); reject(error); failed(error) })
        })
      })
      for (const promise of [h.open, h.result]) promise.catch(() => {})
      return h
    }
    const well = async (h, last) => {
      h.child.send(last)
      const { faults, visits } = await h.result
      assert.deepStrictEqual(faults, [])
      return visits
    }

    const herds = Array.from({ length: HERDS }, herd)
    for (const h of herds) await h.open
    const [stopped, ...others] = herds
    const memory = resident(server.pid)
    const grown = (when, more = 0) => {
      const by = resident(server.pid) - memory
      assert.ok(by < BOUND + more, `resident memory grew by ${by} bytes ${when}`)
      return `${by >> 20} MiB ${when}`
    }

    await write(SAID / 10)
    const writing = write(SAID)
    stopped.child.kill('SIGSTOP')
    const said = await writing
    assert.strictEqual(said, SAID)
    for (const h of others) await well(h, said)
    const figures = [grown('with all')]

    const reader = await stream(`${server.url}/api/messages/sse?since=${epoch}-${head + SAID}`)
    after(reader.close)
    const all = await write(SAID + MORE)
    await reader.until(() => reader.of('message').length >= MORE, 'all that was said', 120000)
    assert.deepStrictEqual(reader.of('message').map((e) => e.json[0].id), Array.from({ length: MORE }, (_, i) => SAID + 1 + i))
    figures.push(grown('when the log has passed the stopped ones'))

    stopped.child.kill('SIGCONT')
    const visits = await well(stopped, all)
    figures.push(grown('when they have caught up', 2 * PAGE * CLIENTS / HERDS))
    console.log(`stopped: ${CLIENTS / HERDS} of ${CLIENTS} readers, woken behind ${MORE} messages, came ${visits} times; memory grew by ${figures.join(', ')}`)
  })
}
