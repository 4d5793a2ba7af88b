// kill -9 at random moments while 64 writers post: what got a 201 is there exactly once afterwards, and a reader that comes back with
// its cursor has each message exactly once, in the table's order.
'use strict'
const assert = require('node:assert')
const http = require('node:http')
const { start, request, admin, stream, folder, remove, sleep, test } = require('../harness.js')

const WRITERS = 64
const KILLS = process.env.PARLEY_TEST_ALL ? 200 : 20

module.exports = (binary) => {
  test(`kill: ${KILLS} kills under ${WRITERS} writers lose nothing and repeat nothing`, async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    after(() => server.kill('SIGKILL'))
    const { port, url } = server
    await admin(url)

    let over = false
    const kept = new Map() // content -> id, of each 201
    const writer = async (n) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; !over; i++) {
        const content = `w${n} m${i}`
        try {
          const r = await request(`${url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content }, agent })
          if (r.status === 201) kept.set(content, r.json.doc.id)
        } catch {
          await sleep(20) // the server is away; whether this one was stored is not known
        }
      }
      agent.destroy()
    }

    const seen = [] // ids, as the reader got them
    let lastId
    let resets = 0
    const reader = async () => {
      while (!over) {
        let s
        try {
          s = await stream(`${url}/api/messages/sse`, lastId ? { 'Last-Event-ID': lastId } : {})
          await s.until((x) => x.closed && x, 'the end').catch(() => {})
        } catch {
          await sleep(20)
        }
        if (!s) continue
        // An event counts when it came whole, and so does its id.
        for (const e of s.events) {
          if (e.event === 'reset') resets++
          if (e.event !== 'message') continue
          seen.push(...e.json.map((d) => d.id))
          lastId = e.id
        }
        s.close()
      }
    }

    const first = await stream(`${url}/api/messages/sse`)
    await first.first('hello')
    lastId = await first.until((s) => s.lastId, 'a first id')
    first.close()

    const all = [...Array.from({ length: WRITERS }, (_, n) => writer(n)), reader()]
    for (let k = 0; k < KILLS; k++) {
      await sleep(100 + Math.random() * 400)
      await server.kill('SIGKILL')
      server = await start(binary, { data, port })
    }
    await sleep(300)
    over = true
    // The reader's stream ends with this kill; one more look fetches what it has not seen yet.
    await server.kill('SIGKILL')
    await Promise.all(all)
    server = await start(binary, { data, port })

    const answer = await request(`${url}/api/messages?limit=0&depth=0&sort=id`)
    assert.strictEqual(answer.status, 200, answer.text + server.err)
    const table = answer.json.docs
    const last = await stream(`${url}/api/messages/sse`, { 'Last-Event-ID': lastId })
    const rest = table.length - seen.length
    if (rest > 0) seen.push(...(await last.docs(rest)).map((d) => d.id))
    await sleep(300)
    seen.push(...last.of('message').flatMap((e) => e.json.map((d) => d.id)).slice(Math.max(rest, 0)))
    last.close()

    assert.ok(kept.size > 0)
    const byContent = new Map()
    for (const doc of table) byContent.set(doc.content, [...(byContent.get(doc.content) || []), doc.id])
    for (const [content, id] of kept) assert.deepStrictEqual(byContent.get(content), [id], content)
    for (const [content, ids] of byContent) assert.strictEqual(ids.length, 1, content)
    assert.strictEqual(resets, 0)
    assert.deepStrictEqual(seen, table.map((d) => d.id))
    console.log(`kill: ${KILLS} kills, ${kept.size} messages acknowledged, ${table.length} stored, each seen once by the reader`)
  })
}
