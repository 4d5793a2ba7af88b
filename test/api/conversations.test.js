// Conversations: what was said last, what is unread, how far each has read, who is writing; and their events on the stream.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, stream, folder, remove, test } = require('../harness.js')

module.exports = (binary) => {
  const bearer = (token) => ({ Authorization: `Bearer ${token}` })
  const login = async (url, email) => (await request(`${url}/api/users/login`, { method: 'POST', body: { email, password: 'secret-1' } })).json.token

  // A server and its users, [{ id, token }]; the first is the admin. Those after him have e-mails in the reverse order of their ids.
  async function opened(after, { users = 3, args = [], data } = {}) {
    const server = await start(binary, { args, data })
    after(server.stop)
    const people = [await admin(server.url)]
    for (let id = 2; id <= users; id++) {
      const email = `${String.fromCharCode(123 - id)}@example.com`
      await request(`${server.url}/api/users`, { method: 'POST', headers: bearer(people[0].token), body: { email, password: 'secret-1' } })
      people.push({ id, token: await login(server.url, email) })
    }
    const [a, b, c] = people
    return { server, url: server.url, people, a, b, c }
  }

  const write = (url, from, to, content = 'x') => request(`${url}/api/messages`, { method: 'POST', headers: bearer(from.token), body: { sender: from.id, receiver: to.id, content } })
  const list = (url, who, query = '') => request(`${url}/api/parley/conversations${query}`, { headers: bearer(who.token) })
  const one = (url, who, peer) => request(`${url}/api/parley/conversations/${peer.id ?? peer}`, { headers: bearer(who.token) })
  const post = (url, who, peer, what, body) => request(`${url}/api/parley/conversations/${peer.id ?? peer}/${what}`, { method: 'POST', headers: bearer(who.token), body })
  const read = (url, who, peer, message) => post(url, who, peer, 'read', { message })
  const listen = async (after, url, who, query = 'collections=messages&events=read,typing,presence&limit=0', headers = {}) => {
    const s = await stream(`${url}/api/parley/stream?${query}`, { ...bearer(who.token), ...headers })
    after(s.close)
    if (s.status === 200) await s.first('hello')
    return s
  }
  const brief = ({ peer, last, unread, read: mine, peerRead }) => [peer.id, last && last.id, unread, mine, peerRead]
  // Behind all that was told before: a message is a change, and a stream has one order.
  const sync = async (url, from, streams, content) => {
    await write(url, from, from, content)
    for (const s of streams) await s.until((x) => x.raw.includes(content), content)
  }

  test('conversations: one with everybody, the newest first, those without a message by e-mail', async ({ after }) => {
    const { url, a, b, c, people } = await opened(after, { users: 5 })
    await write(url, a, b, 'one')
    await write(url, c, a, 'two')
    await write(url, b, a, 'three')
    await write(url, c, b, 'not his')
    const { status, headers, json } = await list(url, a)
    assert.strictEqual(status, 200)
    assert.strictEqual(headers['cache-control'], 'no-store')
    assert.deepStrictEqual(json.docs.map(brief), [[2, 3, 1, 0, 0], [3, 2, 1, 0, 0], [1, null, 0, 0, 0], [5, null, 0, 0, 0], [4, null, 0, 0, 0]])
    assert.deepStrictEqual(json.docs[0].peer, { id: 2, email: 'y@example.com', name: null, collection: 'users' })
    const { json: message } = await request(`${url}/api/messages/3?depth=0`, { headers: bearer(a.token) })
    assert.deepStrictEqual(json.docs[0].last, message)
    const { docs, ...envelope } = json
    assert.deepStrictEqual(envelope, { hasNextPage: false, hasPrevPage: false, limit: 50, nextPage: null, page: 1, pagingCounter: 1, prevPage: null, totalDocs: 5, totalPages: 1 })
    assert.deepStrictEqual((await list(url, b)).json.docs.map(brief).slice(0, 2), [[3, 4, 1, 0, 0], [1, 3, 1, 0, 0]])
    for (const { id } of people) assert.deepStrictEqual((await one(url, a, id)).json, docs.find((d) => d.peer.id === id))
  })

  test('conversations: page by page it is the same list', async ({ after }) => {
    const { url, a, people } = await opened(after, { users: 7 })
    for (const i of [3, 5, 2]) await write(url, a, people[i])
    const all = (await list(url, a)).json.docs
    assert.strictEqual(all.length, 7)
    for (const limit of [1, 2, 3, 4, 7]) {
      const pages = Math.ceil(7 / limit)
      const seen = []
      for (let page = 1; page <= pages + 1; page++) {
        const { docs, ...envelope } = (await list(url, a, `?limit=${limit}&page=${page}`)).json
        assert.strictEqual(envelope.totalPages, pages)
        assert.strictEqual(envelope.hasNextPage, page < pages)
        seen.push(...docs)
      }
      assert.deepStrictEqual(seen, all, `limit ${limit}`)
    }
    for (const [query, limit] of [['', 50], ['?limit=abc', 50], ['?limit=-1', 50], ['?limit=0', 500], ['?limit=9999', 500], ['?limit=500', 500]])
      assert.strictEqual((await list(url, a, query)).json.limit, limit, query)
    for (const page of ['1000000000000000', '1e15']) assert.deepStrictEqual((await list(url, a, `?page=${page}&limit=500`)).json.docs, [], page)
  })

  test('conversations: random writes, and what each sees is what a look at all messages says', async ({ after }) => {
    const { url, people } = await opened(after, { users: 3 })
    let messages = []
    const marks = {}
    let state = 7
    const random = (below) => { state = (state * 1103515245 + 12345) % 2147483648; return Math.floor(state / 65536) % below }
    const someone = () => people[random(3)]
    const between = (x, y) => messages.filter((m) => (m.sender === x && m.receiver === y) || (m.sender === y && m.receiver === x))
    const newest = (x, y) => Math.max(0, ...between(x, y).map((m) => m.id))
    const mark = (x, y) => marks[`${x} ${y}`] ?? 0
    for (let i = 0; i < 300; i++) {
      const what = random(10), from = someone(), to = someone(), message = messages[random(messages.length || 1)]
      if (what < 4 || !message) {
        messages.push({ id: (await write(url, from, to)).json.doc.id, sender: from.id, receiver: to.id })
      } else if (what < 6) {
        Object.assign(message, { sender: from.id, receiver: to.id })
        assert.strictEqual((await request(`${url}/api/messages/${message.id}`, { method: 'PATCH', body: { sender: from.id, receiver: to.id } })).status, 200)
      } else if (what < 8) {
        messages = messages.filter((m) => m !== message)
        assert.strictEqual((await request(`${url}/api/messages/${message.id}`, { method: 'DELETE' })).status, 200)
      } else {
        const id = 1 + random(messages.at(-1).id + 2)
        marks[`${from.id} ${to.id}`] = Math.max(mark(from.id, to.id), Math.min(id, newest(from.id, to.id)))
        if (from === to) assert.strictEqual(mark(from.id, to.id), mark(to.id, from.id))
        assert.strictEqual((await read(url, from, to, id)).json.read, mark(from.id, to.id))
      }
      for (const { id: x } of people) for (const { id: y } of people) if (!newest(x, y)) delete marks[`${x} ${y}`]
      if (i % 10) continue
      for (const who of people) {
        const seen = (await list(url, who)).json.docs.map(brief).sort()
        const expected = people.map(({ id }) => [id, newest(who.id, id) || null, messages.filter((m) => m.sender === id && m.receiver === who.id && m.id > mark(who.id, id)).length, mark(who.id, id), mark(id, who.id)])
        assert.deepStrictEqual(seen, expected.sort(), `step ${i}, user ${who.id}`)
      }
    }
  })

  test('conversations: a mark moves forward only, no further than the newest, and both are told', async ({ after }) => {
    const { url, a, b, c } = await opened(after)
    const streams = [await listen(after, url, a), await listen(after, url, b), await listen(after, url, c)]
    for (let i = 0; i < 3; i++) await write(url, b, a)
    await write(url, b, c)
    const peer = { id: b.id, email: 'y@example.com', name: null, collection: 'users' }
    const { status, json, headers } = await read(url, a, b, 2)
    assert.deepStrictEqual([status, json], [200, { peer, read: 2, unread: 1 }])
    assert.strictEqual(headers['cache-control'], 'no-store')
    for (const [message, mark, unread] of [[2, 2, 1], [1, 2, 1], [4, 3, 0], [1000000, 3, 0], [3, 3, 0]])
      assert.deepStrictEqual((await read(url, a, b, message)).json, { peer, read: mark, unread }, `${message}`)
    assert.deepStrictEqual(brief((await one(url, b, a)).json), [1, 3, 0, 0, 3])
    await sync(url, a, streams, 'the end')
    const told = (s) => s.of('read').map((e) => e.json)
    const both = [{ user: 1, peer: 2, message: 2 }, { user: 1, peer: 2, message: 3 }]
    assert.deepStrictEqual(streams.map(told), [both, both, []])
  })

  test('conversations: what is no id of a message is 400, an unknown user 404, nobody 401', async ({ after }) => {
    const { url, a, b } = await opened(after)
    await write(url, b, a)
    for (const body of [{}, { message: 0 }, { message: -1 }, { message: 1.5 }, { message: '1' }, { message: null }, { message: [1] }, []])
      assert.strictEqual((await post(url, a, b, 'read', body)).status, 400, JSON.stringify(body))
    assert.strictEqual((await post(url, a, b, 'read')).status, 400)
    for (const body of [{ typing: 1 }, { typing: 'no' }]) assert.strictEqual((await post(url, a, b, 'typing', body)).status, 400, JSON.stringify(body))
    for (const peer of [99, 0, 'b', '1e0', '-1']) {
      assert.strictEqual((await one(url, a, peer)).status, 404, `${peer}`)
      assert.strictEqual((await read(url, a, peer, 1)).status, 404, `${peer}`)
      assert.strictEqual((await post(url, a, peer, 'typing')).status, 404, `${peer}`)
    }
    const nobody = { token: 'x' }
    for (const answer of [await list(url, nobody), await one(url, nobody, b), await read(url, nobody, b, 1), await post(url, nobody, b, 'typing'), await request(`${url}/api/parley/presence`)]) {
      assert.strictEqual(answer.status, 401)
      assert.ok(answer.json.errors[0].message)
      assert.strictEqual(answer.headers['cache-control'], 'no-store')
    }
    assert.deepStrictEqual(brief((await one(url, a, b)).json), [2, 1, 1, 0, 0])
  })

  test('conversations: marks are on the disk', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const { server, url, a, b } = await opened(() => {}, { data })
    for (let i = 0; i < 3; i++) await write(url, b, a)
    await read(url, a, b, 2)
    const before = (await list(url, a)).json
    await server.kill('SIGKILL')
    const again = await start(binary, { data })
    after(again.stop)
    assert.deepStrictEqual((await list(again.url, a)).json, before)
    assert.deepStrictEqual(brief(before.docs[0]), [2, 3, 1, 2, 0])
  })

  test('conversations: where messages are private they are the same, and nobody sees those of others', async ({ after }) => {
    const { url, a, b, c } = await opened(after, { args: ['--messages', 'private'] })
    const s = await listen(after, url, c)
    await write(url, a, b, 'between us')
    await read(url, b, a, 1)
    assert.deepStrictEqual(brief((await one(url, a, b)).json), [2, 1, 0, 0, 1])
    assert.deepStrictEqual(brief((await one(url, b, a)).json), [1, 1, 0, 1, 0])
    assert.deepStrictEqual((await list(url, c)).json.docs.map(brief).filter(([, last]) => last), [])
    await sync(url, c, [s], 'the end')
    assert.ok(!/between us/.test(s.raw))
    assert.deepStrictEqual(s.of('read'), [])
  })

  test('conversations: who is writing is told to his peer alone, once a second, and never again', async ({ after }) => {
    const { url, a, b, c } = await opened(after)
    const streams = [await listen(after, url, a), await listen(after, url, b), await listen(after, url, c)]
    const before = streams[1].lastId
    for (let i = 0; i < 20; i++) assert.deepStrictEqual([(await post(url, a, b, 'typing')).status, (await post(url, a, c, 'typing', { typing: true })).status], [204, 204])
    const end = await post(url, a, b, 'typing', { typing: false })
    assert.deepStrictEqual([end.status, end.text, end.headers['content-type'], end.headers['cache-control']], [204, '', undefined, 'no-store'])
    await post(url, a, b, 'typing', { typing: false })
    await post(url, b, a, 'typing', { typing: false })
    await sync(url, a, streams, 'the end')
    const told = streams.map((s) => s.of('typing').map((e) => e.json))
    assert.deepStrictEqual(told[0], [])
    assert.deepStrictEqual(told[1].at(-1), { user: 1, typing: false })
    assert.deepStrictEqual(told[1].filter((t) => !t.typing).length, 1)
    assert.ok(told[1].length < 10, `${told[1].length} events`)
    assert.deepStrictEqual(told[2][0], { user: 1, typing: true })
    // They have no id, so that the last one stays that of a change.
    assert.ok(!/id: [^\n]*\nevent: (typing|read|presence)/.test(streams[1].raw))
    const again = await listen(after, url, b, 'collections=messages&events=typing', { 'Last-Event-ID': before })
    await again.until((s) => /the end/.test(s.raw), 'the end')
    assert.deepStrictEqual(again.of('typing'), [])
  })

  test('conversations: events come to those who ask for them, and who asks must be signed in', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const get = (query, who) => request(`${url}/api/parley/stream?${query}`, { headers: who ? bearer(who.token) : {} })
    for (const query of ['events=', 'events=nothing', 'events=read,read', 'events=read,,typing', 'events=message', 'collections=nothing&events=read'])
      assert.strictEqual((await get(query, a)).status, 400, query)
    assert.strictEqual((await get('events=read')).status, 401)
    assert.strictEqual((await get('collections=messages&events=typing,presence')).status, 401)
    const some = await listen(after, url, a, 'collections=messages&events=typing&limit=0')
    const none = await listen(after, url, a, 'collections=messages&limit=0')
    const original = await stream(`${url}/api/messages/sse?limit=0&events=read,typing,presence`, bearer(a.token))
    after(original.close)
    await original.first('hello')
    await write(url, b, a)
    await read(url, a, b, 1)
    await post(url, b, a, 'typing')
    await sync(url, a, [some, none, original], 'the end')
    const names = (s) => s.events.map((e) => e.event).filter((name) => ['read', 'typing', 'presence'].includes(name))
    assert.deepStrictEqual([some, none, original].map(names), [['typing'], [], []])
  })

  test('conversations: events stand between the others, whole, in front of one who reads and one who stops', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const reader = await listen(after, url, a), stalled = await listen(after, url, a)
    const net = require('node:net')
    const lazy = net.connect(Number(new URL(url).port), '127.0.0.1')
    after(() => lazy.destroy())
    lazy.write(`GET /api/parley/stream?collections=messages&events=read,typing&limit=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${a.token}\r\n\r\n`)
    let text = ''
    await new Promise((resolve) => lazy.once('data', (d) => { text += d; lazy.pause(); resolve() }))
    for (let i = 1; i <= 120; i++) {
      await Promise.all([write(url, b, a, `${i} ${'x'.repeat(30000)}`), read(url, a, b, i), post(url, b, a, 'typing')])
    }
    lazy.on('data', (d) => { text += d })
    await sync(url, b, [reader, stalled], 'the end')
    await new Promise((resolve) => { lazy.on('data', () => text.includes('the end') && resolve()); lazy.resume() })
    for (const body of [reader.raw, text.slice(text.indexOf('\r\n\r\n') + 4)]) {
      const frames = body.split('\n\n').map((frame) => frame.replace(/^[0-9a-f]+\r\n/, ''))
      const data = frames.map((frame) => frame.match(/^(?:id: .*\n)?event: (\w+)\ndata: (.*)$/)).filter(Boolean)
      const numbers = data.filter(([, event]) => event === 'message').map(([, , json]) => parseInt(JSON.parse(json).docs[0].content)).filter((n) => n)
      assert.deepStrictEqual(numbers, Array.from({ length: 120 }, (_, i) => i + 1))
      for (const [, event, json] of data) if (event === 'read' || event === 'typing') assert.strictEqual(JSON.parse(json).user, event === 'read' ? a.id : b.id)
      for (const frame of frames.slice(0, -1)) assert.match(frame, /^(retry: \d+|: ?|id: \S+|(id: \S+\n)?event: \w+\ndata: .*)$/s)
    }
    assert.ok(reader.of('read').length > 0)
  })

  test('conversations: the cookie of a page of another origin does not count', async ({ after }) => {
    const { url, a, b } = await opened(after, { args: ['--csrf', 'https://chat.example.com'] })
    await write(url, b, a)
    const mark = (Origin, path = 'read') => request(`${url}/api/parley/conversations/2/${path}`, { method: 'POST', headers: { Cookie: `payload-token=${a.token}`, Origin }, body: { message: 1 } })
    assert.strictEqual((await mark('https://evil.example.com')).status, 401)
    assert.strictEqual((await mark('https://evil.example.com', 'typing')).status, 401)
    assert.deepStrictEqual(brief((await one(url, a, b)).json), [2, 1, 1, 0, 0])
    assert.strictEqual((await mark('https://chat.example.com')).status, 200)
    assert.deepStrictEqual(brief((await one(url, a, b)).json), [2, 1, 0, 1, 0])
  })

  test('conversations: a conversation ends with its last message, and a user goes with his', async ({ after }) => {
    const { url, a, b, c } = await opened(after)
    const { id } = (await write(url, b, a)).json.doc
    await read(url, a, b, id)
    assert.strictEqual((await request(`${url}/api/users/2`, { method: 'DELETE', headers: bearer(c.token) })).status, 409)
    await request(`${url}/api/messages/${id}`, { method: 'DELETE' })
    assert.deepStrictEqual(brief((await one(url, a, b)).json), [2, null, 0, 0, 0])
    assert.strictEqual((await request(`${url}/api/users/2`, { method: 'DELETE', headers: bearer(c.token) })).status, 200)
    assert.strictEqual((await one(url, a, b)).status, 404)
    assert.deepStrictEqual((await list(url, a)).json.docs.map((d) => d.peer.id).sort(), [1, 3])
    assert.strictEqual((await list(url, a)).json.totalDocs, 2)
  })

  test('conversations: unread is counted to 1000', async ({ after }) => {
    const { url, a, b } = await opened(after)
    for (let i = 0; i < 1002; i += 50) await Promise.all(Array.from({ length: Math.min(50, 1002 - i) }, () => write(url, b, a)))
    const unread = async () => (await one(url, a, b)).json.unread
    assert.strictEqual(await unread(), 1000)
    await read(url, a, b, 1)
    assert.strictEqual(await unread(), 1000)
    await read(url, a, b, 3)
    assert.strictEqual(await unread(), 999)
  })

  test('conversations: the config says what this server is', async ({ after }) => {
    for (const [args, expected] of [[[], { messages: 'open', uploadBytes: 268435456, mail: false }], [['--messages', 'private', '--upload-bytes', '1000', '--mail-command', 'true'], { messages: 'private', uploadBytes: 1000, mail: true }]]) {
      const server = await start(binary, { args })
      after(server.stop)
      const { status, json, headers } = await request(`${server.url}/api/parley/config`)
      const { version, ...rest } = json
      assert.strictEqual(status, 200)
      assert.match(version, /^\d+\.\d+\.\d+$/)
      assert.deepStrictEqual(rest, { ...expected, maxContent: 40000, setupToken: false })
      assert.strictEqual((await request(`${server.url}/api/parley/config`, { headers: { 'If-None-Match': headers.etag } })).status, 304)
    }
  })

  test("conversations: answers and events are of the described form", async ({ after }) => {
    const { url, a, b } = await opened(after)
    const { Description } = require('./openapi.js')
    const description = new Description((await request(`${url}/api/openapi.json`)).json)
    const s = await listen(after, url, a)
    await write(url, b, a)
    const look = (method, path, answer) => assert.deepStrictEqual(description.flaws(description.find(method, path), answer), [], path)
    look('GET', '/api/parley/conversations', await list(url, a))
    look('GET', '/api/parley/conversations/2', await one(url, a, b))
    look('POST', '/api/parley/conversations/2/read', await read(url, a, b, 1))
    look('POST', '/api/parley/conversations/2/typing', await post(url, b, a, 'typing'))
    look('GET', '/api/parley/presence', await request(`${url}/api/parley/presence`, { headers: bearer(a.token) }))
    look('GET', '/api/parley/config', await request(`${url}/api/parley/config`))
    for (const name of ['read', 'typing', 'presence']) {
      const { event, data } = await s.first(name)
      assert.deepStrictEqual(description.eventFlaws(description.find('GET', '/api/parley/stream'), { event, data }), [], name)
    }
  })
}
