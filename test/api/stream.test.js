// The stream of messages, as a client sees it.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, stream, folder, remove, test } = require('../harness.js')

module.exports = (binary) => {
  let server
  const open = (query = '', headers) => stream(`${server.url}/api/messages/sse${query}`, headers)
  const seq = (event) => Number(event.id.split('-')[1])
  const contents = (docs) => docs.map((d) => d.content)

  test('stream: headers at once, then retry and hello, on an empty server', async ({ after }) => {
    server = await start(binary)
    await admin(server.url)
    const s = await open()
    after(s.close)
    assert.strictEqual(s.status, 200)
    assert.strictEqual(s.headers['content-type'], 'text/event-stream')
    assert.match(s.headers['cache-control'], /no-cache/)
    assert.strictEqual(s.headers['access-control-allow-origin'], '*')
    const hello = await s.first('hello')
    assert.match(hello.json.epoch, /^[0-9a-f]{8}$/)
    assert.ok(Number.isInteger(hello.json.head) && Number.isInteger(hello.json.oldest))
    assert.match(s.raw, /^retry: \d+\n\n/)
    await say(server.url, 'the first')
    assert.deepStrictEqual(contents(await s.docs(1)), ['the first'])
    assert.strictEqual(s.events[0].event, 'hello')
  })

  test('stream: a new connection gets the newest ten as one event, newest first, with e-mails', async ({ after }) => {
    for (let i = 0; i < 12; i++) await say(server.url, `old ${i}`)
    const s = await open()
    after(s.close)
    const event = await s.first('message')
    assert.deepStrictEqual(contents(event.json), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((i) => `old ${i}`))
    assert.deepStrictEqual(event.json[0].sender, { id: 1, email: 'admin@example.com', collection: 'users' })
    assert.match(event.id, /^[0-9a-f]{8}-\d+$/)
  })

  test('stream: one event a change, in order: new, edited, deleted', async ({ after }) => {
    const s = await open()
    after(s.close)
    await s.first('message')
    const { id } = (await say(server.url, 'one')).json.doc
    await request(`${server.url}/api/messages/${id}`, { method: 'PATCH', body: { content: 'one, edited' } })
    await request(`${server.url}/api/messages/${id}`, { method: 'DELETE' })
    const gone = await s.first('delete')
    assert.deepStrictEqual(gone.json, [{ id }])
    const changes = s.events.slice(-3)
    assert.deepStrictEqual(changes.map((e) => e.event), ['message', 'message', 'delete'])
    assert.deepStrictEqual(changes.slice(0, 2).map((e) => [e.json.length, e.json[0].content]), [[1, 'one'], [1, 'one, edited']])
    assert.deepStrictEqual(changes.map(seq), [seq(changes[0]), seq(changes[0]) + 1, seq(changes[0]) + 2])
  })

  for (const [name, connect] of [['Last-Event-ID', (id) => open('', { 'Last-Event-ID': id })], ['?since=', (id) => open(`?since=${id}`)]]) {
    test(`stream: with ${name} comes what was missed, each once, then what is new`, async ({ after }) => {
      const before = await open()
      const { id } = await before.first('message')
      before.close()
      for (let i = 0; i < 250; i++) await say(server.url, `missed ${i}`)
      const s = await connect(id)
      after(s.close)
      await s.docs(250)
      await say(server.url, 'live')
      const docs = await s.docs(251)
      assert.deepStrictEqual(contents(docs), [...Array.from({ length: 250 }, (_, i) => `missed ${i}`), 'live'])
      assert.strictEqual(s.of('reset').length, 0)
    })
  }

  test('stream: changes that were missed come one by one, or after a restart each document once, as it is', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let own = await start(binary, { data })
    await admin(own.url)
    const before = await stream(`${own.url}/api/messages/sse`)
    const { epoch, head } = (await before.first('hello')).json
    before.close()
    const a = (await say(own.url, 'a')).json.doc.id
    const b = (await say(own.url, 'b')).json.doc.id
    for (const text of ['a2', 'a3']) await request(`${own.url}/api/messages/${a}`, { method: 'PATCH', body: { content: text } })
    await request(`${own.url}/api/messages/${b}`, { method: 'DELETE' })
    for (const texts of [[['a'], ['b'], ['a2'], ['a3']], [['a3']]]) {
      const s = await stream(`${own.url}/api/messages/sse`, { 'Last-Event-ID': `${epoch}-${head}` })
      after(s.close)
      await s.first('delete')
      assert.deepStrictEqual(s.of('message').map((e) => contents(e.json)), texts)
      assert.deepStrictEqual(s.of('delete').map((e) => e.json), [[{ id: b }]])
      await own.stop()
      own = await start(binary, { data })
    }
    await own.stop()
  })

  test('stream: a cursor at the head gets nothing old and no reset', async ({ after }) => {
    const first = await open()
    const { id } = await first.first('message')
    first.close()
    const s = await open('', { 'Last-Event-ID': id })
    after(s.close)
    await s.first('hello')
    await say(server.url, 'after the head')
    assert.deepStrictEqual(contents(await s.docs(1)), ['after the head'])
    assert.deepStrictEqual(s.events.map((e) => e.event), ['hello', 'message'])
  })

  test('stream: HEAD has the headers and no stream', async () => {
    const r = await request(`${server.url}/api/messages/sse`, { method: 'HEAD' })
    assert.strictEqual(r.status, 200)
    assert.strictEqual(r.headers['content-type'], 'text/event-stream')
    assert.strictEqual(r.text, '')
  })

  test('stream: OPTIONS is answered', async () => {
    const r = await request(`${server.url}/api/messages/sse`, { method: 'OPTIONS', headers: { Origin: 'http://localhost:5173' } })
    assert.strictEqual(r.status, 200)
    assert.strictEqual(r.headers['access-control-allow-origin'], 'http://localhost:5173')
  })

  test('stream: writers and joining readers at once: every reader has each message once and in order', async ({ after }) => {
    const http = require('node:http')
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
    after(() => agent.destroy())
    const readers = []
    const cursor = (await (async () => { const s = await open(); after(s.close); return s.first('message') })()).id
    const writing = Promise.all(Array.from({ length: 300 }, (_, i) =>
      request(`${server.url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content: `race ${i}` }, agent })))
    for (let i = 0; i < 20; i++) {
      const s = await open('', { 'Last-Event-ID': cursor })
      after(s.close)
      readers.push(s)
    }
    const ids = (await writing).map((r) => r.json.doc.id).sort((a, b) => a - b)
    for (const s of readers) {
      const docs = (await s.docs(300)).map((d) => d.id)
      assert.deepStrictEqual(docs, ids)
      const seqs = s.of('message').map(seq)
      assert.deepStrictEqual(seqs, [...seqs].sort((a, b) => a - b))
    }
  })

  test('stream: at its end the server says bye', async () => {
    const s = await open()
    await s.first('message')
    const stopping = server.stop()
    await s.first('bye')
    assert.deepStrictEqual(await stopping, { code: 0, signal: null })
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
  })

  test('stream: a cursor older than the changes that are kept is told so', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let small = await start(binary, { data, args: ['--keep-changes', '5'] })
    await admin(small.url)
    const first = await stream(`${small.url}/api/messages/sse`)
    const hello = await first.first('hello')
    first.close()
    for (let i = 0; i < 20; i++) await say(small.url, `m ${i}`)
    // In memory they are still there.
    await small.stop()
    small = await start(binary, { data, args: ['--keep-changes', '5'] })
    after(small.stop)
    const s = await stream(`${small.url}/api/messages/sse?since=${hello.json.epoch}-${hello.json.head}`)
    after(s.close)
    const reset = await s.first('reset')
    assert.strictEqual(reset.json.reason, 'trimmed')
    assert.strictEqual(reset.json.head - reset.json.oldest + 1, 5)
    const ok = await stream(`${small.url}/api/messages/sse?since=${hello.json.epoch}-${reset.json.oldest - 1}`)
    after(ok.close)
    assert.strictEqual((await ok.docs(5)).length, 5)
    assert.strictEqual(ok.of('reset').length, 0)
  })

  test('stream: the cursor holds over a restart', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let s1 = await start(binary, { data })
    await admin(s1.url)
    await say(s1.url, 'before')
    const first = await stream(`${s1.url}/api/messages/sse`)
    const { id } = await first.first('message')
    first.close()
    await say(s1.url, 'missed')
    await s1.kill('SIGKILL')
    s1 = await start(binary, { data })
    after(s1.stop)
    const s = await stream(`${s1.url}/api/messages/sse`, { 'Last-Event-ID': id })
    after(s.close)
    assert.deepStrictEqual(contents(await s.docs(1)), ['missed'])
    assert.strictEqual(s.of('reset').length, 0)
  })
}
