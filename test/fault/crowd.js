// Writers that go on writing while a crowd of readers breaks off, at any byte, and comes back. In the end each reader must have what the
// table has.
'use strict'
const assert = require('node:assert')
const http = require('node:http')
const { request, say, sleep } = require('../harness.js')
const { Reader, json } = require('./reader.js')

const WRITERS = 64
const NEWEST = 10 // messages that a new reader gets at least
const WITHIN = 240000 // a limit for what must come; nothing is measured

const below = (n) => Math.floor(Math.random() * n)
const one = (list) => list[below(list.length)]

// Of the head and the first event, of some events, of many.
const lengths = [700, 20000, 200000]

// Posts until `over()`; with `changes` it edits and deletes what it has posted, too.
async function write(url, n, { changes, over }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const own = []
  const act = async (method, path, body, status) => {
    const r = await request(`${url}/api/messages${path}`, { method, body, agent })
    assert.strictEqual(r.status, status, r.text)
    return r.json
  }
  for (let i = 0; !over(); i++) {
    const content = `w${n} m${i} äö€😀 ${'x'.repeat(below(400))}`
    const what = changes && own.length ? below(4) : 0
    if (what < 2) own.push((await act('POST', '', { sender: 1, receiver: 1, content }, 201)).doc.id)
    else if (what === 2) await act('PATCH', `/${one(own)}`, { content }, 200)
    else await act('DELETE', `/${own.splice(below(own.length), 1)[0]}`, undefined, 200)
    await sleep(below(100))
  }
  agent.destroy()
}

// A reader with what it knows: `ids` in the order they came, `known` the last that came of each, and its faults. Without a cursor it begins
// as a new one.
function witness(port, cursor, path) {
  const w = { ids: [], newest: 0, known: new Map(), faults: [], seq: cursor && Number(cursor.split('-')[1]) }
  w.reader = new Reader({ port, cursor, path, take: (event) => {
    if (event.event === 'reset') w.faults.push(`reset ${event.data}`)
    if (event.event !== 'message' && event.event !== 'delete') return
    const seq = Number(event.id.split('-')[1])
    if (cursor && !(seq > w.seq)) w.faults.push(`the change ${seq} came behind ${w.seq}`)
    w.seq = seq
    for (const doc of json(event)) {
      if (event.event === 'delete') w.known.delete(doc.id)
      else {
        w.ids.push(doc.id)
        w.newest = Math.max(w.newest, doc.id)
        w.known.set(doc.id, doc.content)
      }
    }
  } })
  return w
}

// `port`: where the readers connect, at the server `url` or at a proxy before it. `changes`: messages are edited and deleted, too. `fresh`: the
// readers begin without a cursor, with the newest messages that there are; with `all`, with all of them. What came of it: { visits, messages }.
async function crowd({ url, port, clients, disconnects, changes = false, fresh = false, all = false, after }) {
  let over = false, visits = 0
  const readers = []
  after(() => { over = true; for (const w of readers) w.reader.socket?.destroy() })

  const first = new Reader({ port, take: (event) => { if (event.event === 'hello') first.hello = json(event) } })
  await first.visit({ until: () => first.hello })
  const cursor = `${first.hello.epoch}-${first.hello.head}`

  const come_and_go = async (w) => {
    while (!over && visits < disconnects) {
      visits++
      await w.reader.visit({ way: one(['header', 'since', 'both']), bytes: below(one(lengths)), ms: 20 + below(1000), reset: below(2) === 1 })
      await sleep(below(100))
    }
  }
  // Undisturbed, to the end; a reader that fell too far behind meanwhile may be closed, and comes back.
  const stay = async (w, last) => {
    const limit = Date.now() + WITHIN
    const whole = () => w.newest >= last && w.ids.length >= (all ? last : Math.min(NEWEST, last))
    while (!over && !whole()) {
      assert.ok(Date.now() < limit, `a reader did not get the last message ${last}; it has ${w.ids.length}, the newest ${w.newest}`)
      await w.reader.visit({ until: whole, ms: WITHIN })
    }
  }

  for (let i = 0; i < clients; i++) readers.push(witness(port, fresh ? undefined : cursor, all ? '/api/messages/sse?from=start' : undefined))
  let written = false
  const writing = Array.from({ length: WRITERS }, (_, n) => write(url, n, { changes, over: () => over || written }))
  const coming = Promise.all(readers.map(come_and_go)).then(() => { written = true })
  await Promise.all([coming, ...writing])
  const last = (await say(url, 'the last')).json.doc.id
  await Promise.all(readers.map((w) => stay(w, last)))

  const table = (await request(`${url}/api/messages?limit=0&depth=0&sort=id`)).json.docs
  const ids = table.map((d) => d.id)
  const known = table.map((d) => [d.id, d.content])
  for (const [i, w] of readers.entries()) {
    assert.deepStrictEqual(w.faults, [], `reader ${i}`)
    if (fresh) {
      // What it was not shown is older than what it was shown first.
      const shown = new Set(w.ids)
      const first = new Set(w.ids.slice(0, NEWEST))
      const times = table.filter((d) => first.has(d.id)).map((d) => d.updatedAt).sort()
      if (all) assert.strictEqual(shown.size, table.length, `reader ${i}`)
      assert.strictEqual(shown.size, w.ids.length, `reader ${i}: one came twice`)
      assert.deepStrictEqual(table.filter((d) => !shown.has(d.id) && d.updatedAt > times[0]), [], `reader ${i}`)
      continue
    }
    if (!changes) assert.deepStrictEqual(w.ids, ids, `reader ${i}`)
    assert.deepStrictEqual([...w.known].sort((a, b) => a[0] - b[0]), known, `reader ${i}`)
  }
  return { visits, messages: last }
}

module.exports = { crowd }
