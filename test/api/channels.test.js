// Streams that do not want everything: filters, how much at the start, several collections, rights that end, slow readers, the server's end.
'use strict'
const assert = require('node:assert')
const net = require('node:net')
const { start, request, admin, say, stream, folder, remove, sleep, test } = require('../harness.js')

module.exports = (binary) => {
  const contents = (docs) => docs.map((d) => d.content)
  const bearer = (token) => ({ Authorization: `Bearer ${token}` })
  const where = (filter) => `where=${encodeURIComponent(JSON.stringify(filter))}`
  const patch = (url, id, body) => request(`${url}/api/messages/${id}`, { method: 'PATCH', body })
  const drop = (url, id) => request(`${url}/api/messages/${id}`, { method: 'DELETE' })
  const metric = async (url, line) => Number((await request(`${url}/api/parley/metrics`)).text.split('\n').find((l) => l.startsWith(line)).split(' ').pop())

  // A server with three users: 1 is the admin, 2 and 3 have the same password.
  async function opened(after, args = [], data) {
    const server = await start(binary, { args, data })
    after(server.stop)
    const { token } = await admin(server.url)
    const tokens = [token]
    for (const email of ['b@example.com', 'c@example.com']) {
      await request(`${server.url}/api/users`, { method: 'POST', headers: bearer(token), body: { email, password: 'secret-1' } })
      tokens.push((await login(server.url, email)).json.token)
    }
    return { server, url: server.url, tokens }
  }
  const login = (url, email, password = 'secret-1') => request(`${url}/api/users/login`, { method: 'POST', body: { email, password } })

  test('channels: a filter has the list\'s grammar, live and for what was missed', async ({ after }) => {
    const { url } = await opened(after)
    await say(url, 'an apple', { sender: 2 })
    await say(url, 'a pear', { sender: 3 })
    const filters = { 'from 2': { sender: { equals: 2 } }, apples: { content: { contains: 'APPLE' } }, both: { and: [{ sender: { equals: 2 } }, { content: { like: 'apple' } }] } }
    const streams = {}
    for (const [name, filter] of Object.entries(filters)) {
      streams[name] = await stream(`${url}/api/messages/sse?${where(filter)}`)
      after(streams[name].close)
      assert.deepStrictEqual(contents((await streams[name].first('message')).json), ['an apple'], name)
    }
    const begin = streams['from 2'].of('message')[0].id
    await say(url, 'apples of 3', { sender: 3 })
    await say(url, 'plums of 2', { sender: 2 })
    await say(url, 'apples of 2', { sender: 2 })
    const expected = { 'from 2': ['plums of 2', 'apples of 2'], apples: ['apples of 3', 'apples of 2'], both: ['apples of 2'] }
    for (const [name, texts] of Object.entries(expected)) {
      const docs = await streams[name].docs(texts.length + 1)
      assert.deepStrictEqual(contents(docs).slice(1), texts, name)
      const again = await stream(`${url}/api/messages/sse?${where(filters[name])}`, { 'Last-Event-ID': begin })
      after(again.close)
      assert.deepStrictEqual(contents(await again.docs(texts.length)), texts, `${name}, missed`)
    }
  })

  test('channels: what starts to match comes as a message, what ends to match as a delete, live and missed', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let { server, url } = await opened(() => {}, [], data)
    const address = () => `${server.url}/api/messages/sse?${where({ content: { contains: 'x' } })}`
    const s = await stream(address())
    const { epoch, head } = (await s.first('hello')).json
    const { id: a } = (await say(url, 'a')).json.doc
    const { id: b } = (await say(url, 'bx')).json.doc
    const { id: c } = (await say(url, 'c')).json.doc
    await patch(url, a, { content: 'ax' })
    await patch(url, b, { content: 'b' })
    await patch(url, b, { content: 'still b' })
    await drop(url, c)
    await drop(url, a)
    await say(url, 'the end, x')
    const seen = (stream) => stream.events.filter((e) => ['message', 'delete'].includes(e.event)).map((e) => [e.event, e.json[0].content ?? e.json[0].id])
    await s.until((x) => /the end/.test(x.raw), 'the end')
    s.close()
    assert.deepStrictEqual(seen(s), [['message', 'bx'], ['message', 'ax'], ['delete', b], ['delete', a], ['message', 'the end, x']])
    // From the database it is known what there is now; a delete of what was never shown does no harm.
    await server.stop()
    server = await start(binary, { data })
    after(server.stop)
    const again = await stream(address(), { 'Last-Event-ID': `${epoch}-${head}` })
    after(again.close)
    await again.until((x) => /the end/.test(x.raw), 'the end')
    assert.deepStrictEqual(seen(again).filter(([event]) => event === 'message'), [['message', 'the end, x']])
    assert.deepStrictEqual(seen(again).filter(([event]) => event === 'delete').map(([, id]) => id).sort(), [a, b, c])
  })

  test('channels: a document that was given to another sender and then deleted is missed as one delete', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let { server, url } = await opened(() => {}, [], data)
    const s = await stream(`${url}/api/messages/sse`)
    const { epoch, head } = (await s.first('hello')).json
    s.close()
    const { id } = (await say(url, 'first mine')).json.doc
    await patch(url, id, { sender: 2 })
    await drop(url, id)
    await say(url, 'the end')
    await server.stop()
    server = await start(binary, { data })
    after(server.stop)
    const again = await stream(`${server.url}/api/messages/sse`, { 'Last-Event-ID': `${epoch}-${head}` })
    after(again.close)
    assert.deepStrictEqual(contents(await again.docs(1)), ['the end'])
    assert.deepStrictEqual(again.of('delete').map((e) => e.json), [[{ id }]])
  })

  test('channels: what cannot be understood is a 400, never everything', async ({ after }) => {
    const { url } = await opened(after)
    const bad = ['sse?where[content][near]=1', 'sse?where[nothing][equals]=1', 'sse?where={', 'sse?limit=-1', 'sse?limit=abc', 'sse?limit=1&limit=2', 'sse?from=end', 'sse?from=start&limit=3',
      'sse?where[sender.email][equals]=a@b.c'].map((q) => `messages/${q}`)
    bad.push('parley/stream?collections=nothing', 'parley/stream?collections=messages,messages', 'parley/stream?collections=', 'parley/stream?collections=messages&where[media][alt][equals]=x',
      'parley/stream?where[sender][equals]=1', 'parley/stream?where=x')
    for (const path of bad) {
      const answer = await request(`${url}/api/${path}`)
      assert.strictEqual(answer.status, 400, path)
      assert.ok(answer.json.errors.length, path)
    }
    assert.strictEqual((await request(`${url}/api/users/sse`)).status, 403)
    assert.strictEqual((await request(`${url}/api/parley/stream?collections=users`)).status, 403)
  })

  test('channels: limit and from=start say how much comes first, the oldest event first, the newest document first inside', async ({ after }) => {
    const { url } = await opened(after)
    const all = Array.from({ length: 230 }, (_, i) => `m${i}`)
    for (const content of all) await say(url, content)
    const newestFirst = (texts) => texts.slice().reverse()
    const first = async (query, n) => {
      const s = await stream(`${url}/api/messages/sse?${query}`)
      after(s.close)
      await s.until((x) => x.lastId?.split('-').length === 2, 'an id of the end')
      await say(url, `live ${query}`)
      await s.docs(n + 1)
      assert.deepStrictEqual(contents(s.of('message').at(-1).json), [`live ${query}`])
      return s.of('message').slice(0, -1).map((e) => contents(e.json))
    }
    assert.deepStrictEqual(await first('limit=0', 0), [])
    assert.deepStrictEqual(await first('limit=3', 3), [['live limit=0', 'm229', 'm228']])
    const start = await first('from=start', 232)
    const pages = [all.slice(0, 100), all.slice(100, 200), [...all.slice(200), 'live limit=0', 'live limit=3']]
    assert.deepStrictEqual(start, pages.map(newestFirst))
    const some = await first('limit=150', 150)
    assert.deepStrictEqual(some.map((texts) => texts.length), [100, 50])
    assert.deepStrictEqual(some.flatMap(newestFirst), [...all, 'live limit=0', 'live limit=3', 'live from=start'].slice(-150))
    const filtered = await stream(`${url}/api/messages/sse?from=start&${where({ content: { in: ['m1', 'm150'] } })}`)
    after(filtered.close)
    assert.deepStrictEqual(contents((await filtered.first('message')).json), ['m150', 'm1'])
  })

  test('channels: one cut off inside the first look goes on where it was, and sees the changes since', async ({ after }) => {
    const { url } = await opened(after)
    const ids = []
    for (let i = 0; i < 250; i++) ids.push((await say(url, `m${i}`)).json.doc.id)
    const s = await stream(`${url}/api/messages/sse?from=start`)
    await s.until((x) => x.of('message').length >= 3, 'all events')
    const [page1, page2] = s.of('message')
    s.close()
    assert.match(page1.id, /^[0-9a-f]{8}-(\d+)-\1-0-\d+-2/)
    await patch(url, ids[10], { content: 'edited behind' })
    await patch(url, ids[240], { content: 'edited ahead' })
    await drop(url, ids[241])
    const { id: fresh } = (await say(url, 'new')).json.doc
    for (const [last, shown] of [[page1, 100], [page2, 200]]) {
      const again = await stream(`${url}/api/messages/sse?from=start`, { 'Last-Event-ID': last.id })
      after(again.close)
      await again.until((x) => /"content":"new"/.test(x.raw), 'the newest')
      const got = again.of('message').flatMap((e) => e.json.slice().reverse()).map((d) => d.id)
      const left = ids.slice(shown).filter((id) => id !== ids[240] && id !== ids[241])
      assert.deepStrictEqual(got, [...left, ids[10], ids[240], fresh])
      assert.deepStrictEqual(again.of('delete').map((e) => e.json[0].id), [ids[241]])
      assert.strictEqual(again.of('reset').length, 0)
    }
    for (const bad of [page1.id.replace(/^(\w+-\d+-\d+-)0/, '$19'), `${page1.id}${'x'.repeat(40)}`, page1.id.replace(/-0-(\d+)-.*/, '-0-$1-')]) {
      const reset = await stream(`${url}/api/messages/sse`, { 'Last-Event-ID': bad })
      after(reset.close)
      assert.strictEqual((await reset.first('reset')).json.reason, 'unknown', bad)
    }
  })

  test('channels: one stream for several collections names them, in the order of the changes', async ({ after }) => {
    const { url, tokens } = await opened(after)
    await say(url, 'before')
    const s = await stream(`${url}/api/parley/stream?collections=messages,users&where[messages][receiver][equals]=2`, bearer(tokens[0]))
    after(s.close)
    await s.until((x) => x.of('message').length === 1, 'the users')
    assert.deepStrictEqual(s.of('message').map((e) => [e.json.collection, e.json.docs.length]), [['users', 3]])
    await say(url, 'to 1', { receiver: 1 })
    const message = (await say(url, 'to 2', { receiver: 2 })).json.doc
    await request(`${url}/api/users/3`, { method: 'PATCH', headers: bearer(tokens[2]), body: { email: 'd@example.com' } })
    await drop(url, message.id)
    await s.until((x) => x.of('delete').length, 'a delete')
    const news = s.events.filter((e) => ['message', 'delete'].includes(e.event)).slice(1).map((e) => [e.event, e.json.collection, e.json.docs[0].id])
    assert.deepStrictEqual(news, [['message', 'messages', message.id], ['message', 'users', 3], ['delete', 'messages', message.id]])
    assert.ok(!/"(salt|hash|password|resetPasswordToken)"/.test(s.raw))
    const { id } = s.of('message')[0]
    const again = await stream(`${url}/api/parley/stream?collections=messages,users&where[messages][receiver][equals]=2`, { ...bearer(tokens[0]), 'Last-Event-ID': id })
    after(again.close)
    await again.until((x) => x.of('delete').length, 'a delete')
    assert.deepStrictEqual(again.events.filter((e) => ['message', 'delete'].includes(e.event)).map((e) => e.json.collection), ['messages', 'users', 'messages'])
    // Whoever is nobody gets what anyone may read.
    const anyone = await stream(`${url}/api/parley/stream?limit=0`)
    after(anyone.close)
    await anyone.first('hello')
    await request(`${url}/api/users/3`, { method: 'PATCH', headers: bearer(tokens[2]), body: { email: 'e@example.com' } })
    await say(url, 'for all')
    assert.deepStrictEqual((await anyone.first('message')).json.docs[0].content, 'for all')
  })

  test('channels: where messages are private each reader gets his own, live, missed and at the start', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let { server, url, tokens } = await opened(() => {}, ['--messages', 'private'], data)
    const write = (from, to, content) => request(`${url}/api/messages`, { method: 'POST', headers: bearer(tokens[from - 1]), body: { sender: from, receiver: to, content } })
    assert.strictEqual((await request(`${url}/api/messages/sse`)).status, 403)
    await write(1, 2, 'old 1-2')
    await write(2, 3, 'old 2-3')
    const open = (user, headers = {}) => stream(`${url}/api/messages/sse`, { ...bearer(tokens[user - 1]), ...headers })
    const live = [await open(1), await open(2), await open(3)]
    const starts = []
    for (const s of live) starts.push(contents((await s.first('message')).json))
    assert.deepStrictEqual(starts, [['old 1-2'], ['old 2-3', 'old 1-2'], ['old 2-3']])
    const cursor = live[0].of('message')[0].id
    const first = (await write(1, 2, '1-2')).json.doc.id
    await write(3, 2, '3-2')
    await request(`${url}/api/messages/${first}`, { method: 'PATCH', headers: bearer(tokens[0]), body: { receiver: 3 } })
    await write(3, 1, 'end for 1')
    await write(1, 2, 'end for 2')
    await write(2, 3, 'end for 3')
    const seen = (s) => s.events.filter((e) => ['message', 'delete'].includes(e.event)).flatMap((e) => e.json.map((d) => d.content ?? `-${d.id}`))
    const expected = [['1-2', '1-2', 'end for 1', 'end for 2'], ['1-2', '3-2', `-${first}`, 'end for 2', 'end for 3'], ['3-2', '1-2', 'end for 1', 'end for 3']]
    for (const [i, texts] of expected.entries()) {
      await live[i].until((x) => seen(x).length >= texts.length + starts[i].length, 'all')
      assert.deepStrictEqual(seen(live[i]).slice(starts[i].length), texts, `user ${i + 1}`)
      live[i].close()
    }
    await server.stop()
    server = await start(binary, { data, args: ['--messages', 'private'] })
    after(server.stop)
    url = server.url
    const missed = [['1-2', 'end for 1', 'end for 2'], [`-${first}`, '3-2', `-${first}`, 'end for 2', 'end for 3'], ['3-2', '1-2', 'end for 1', 'end for 3']]
    for (const [i, texts] of missed.entries()) {
      const s = await open(i + 1, { 'Last-Event-ID': cursor })
      after(s.close)
      await s.until((x) => /end for [123]".*end for [123]"/s.test(x.raw), 'the end')
      const told = seen(s)
      if (i === 1) assert.deepStrictEqual(told.filter((t) => !t.startsWith('-')), texts.filter((t) => !t.startsWith('-')))
      else assert.deepStrictEqual(told, texts, `user ${i + 1}`)
    }
  })

  test('channels: signing out, a new password and the end of an account end the streams with a bye', async ({ after }) => {
    const { url, tokens } = await opened(after)
    const other = (await login(url, 'b@example.com')).json.token
    const open = async (token) => {
      const s = await stream(`${url}/api/messages/sse`, token ? bearer(token) : {})
      after(s.close)
      await s.first('hello')
      return s
    }
    const over = async (s) => {
      assert.strictEqual((await s.first('bye')).json.reason, 'signed-out')
      await s.until((x) => x.closed, 'the end')
    }
    const nobody = await open()
    const adminStream = await open(tokens[0])
    const one = await open(tokens[1]), two = await open(other), third = await open(tokens[2])
    await request(`${url}/api/users/logout`, { method: 'POST', headers: bearer(tokens[1]) })
    await over(one)
    assert.ok(!two.closed)
    const changing = (await login(url, 'b@example.com')).json.token
    await request(`${url}/api/users/2`, { method: 'PATCH', headers: bearer(changing), body: { password: 'secret-2' } })
    await over(two)
    await request(`${url}/api/users/3`, { method: 'DELETE', headers: bearer(tokens[0]) })
    await over(third)
    await say(url, 'still here')
    for (const s of [nobody, adminStream]) assert.deepStrictEqual(contents(await s.docs(1)), ['still here'])
    assert.strictEqual(await metric(url, 'parley_streams_closed_total{reason="rights"}'), 3)
  })

  // Reads the answer's head and nothing more.
  function stalled(port, path) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`))
      socket.once('readable', () => resolve(socket))
      socket.on('error', reject)
    })
  }

  for (const [reason, args] of [['lag-seconds', ['--stream-lag-seconds', '1']], ['lag-bytes', ['--stream-lag-bytes', '500000', '--stream-lag-seconds', '0']]]) {
    test(`channels: a reader who takes nothing is closed for its ${reason}, and that shows`, async ({ after }) => {
      const { server, url } = await opened(after, args)
      const socket = await stalled(server.port, '/api/messages/sse')
      after(() => socket.destroy())
      const healthy = await stream(`${url}/api/messages/sse`)
      after(healthy.close)
      await healthy.first('hello')
      const big = 'y'.repeat(39000)
      let closed = 0
      for (let i = 0; i < 600 && !closed; i++) {
        await say(url, `${i} ${big}`)
        if (i % 20 === 19) closed = await metric(url, `parley_streams_closed_total{reason="${reason}"}`)
      }
      for (let i = 0; i < 50 && !closed; i++) {
        await sleep(100)
        closed = await metric(url, `parley_streams_closed_total{reason="${reason}"}`)
      }
      assert.strictEqual(closed, 1)
      assert.match(server.err, new RegExp(`a stream was closed: ${reason}`))
      assert.ok(!healthy.closed)
    })
  }

  test('channels: one that falls off a small log is served from the database and comes back, without a hole', async ({ after }) => {
    const { server, url } = await opened(after, ['--log-bytes', '65536', '--stream-lag-seconds', '0', '--stream-lag-bytes', '0'])
    for (const path of ['/api/messages/sse?limit=0', `/api/messages/sse?limit=0&${where({ sender: { equals: 1 } })}`, '/api/parley/stream?collections=messages&limit=0']) {
      const socket = await stalled(server.port, path)
      after(() => socket.destroy())
      socket.pause()
      const texts = []
      for (let i = 0; i < 150; i++) texts.push((await say(url, `${i} ${'z'.repeat(20000)}`)).json.doc.id)
      let got = ''
      socket.on('data', (d) => { got += d })
      socket.resume()
      const ids = () => [...got.matchAll(/data: (?:\[|\{"collection":"messages","docs":\[)\{"id":(\d+),/g)].map((m) => Number(m[1]))
      for (let i = 0; i < 600 && ids().length < texts.length; i++) await sleep(20)
      assert.deepStrictEqual(ids(), texts, path)
      socket.destroy()
    }
  })

  test('channels: on SIGTERM the streams end one after the other, each with a bye, and no new one begins', async ({ after }) => {
    const { server, url } = await opened(after, ['--drain', '2'])
    const streams = []
    for (let i = 0; i < 40; i++) {
      const s = await stream(`${url}/api/messages/sse`)
      after(s.close)
      await s.first('hello')
      s.until((x) => x.closed, 'the end').then(() => { s.endedAt = Date.now() })
      streams.push(s)
    }
    const ending = server.kill('SIGTERM')
    await streams[0].until(() => streams.some((s) => s.closed), 'a first end')
    assert.ok(streams.some((s) => !s.closed), 'all at once')
    const late = await request(`${url}/api/messages/sse`)
    assert.deepStrictEqual([late.status, late.json.errors[0].message], [503, 'The server is stopping.'])
    assert.ok(Number(late.headers['retry-after']) >= 2)
    assert.strictEqual((await say(url, 'while it drains')).status, 201)
    assert.deepStrictEqual(await ending, { code: 0, signal: null })
    for (const s of streams) assert.strictEqual((await s.first('bye')).json.reason, 'stopping')
  })

  test('channels: a limit of filters that must each be compared holds, and those found by a value do not count', async ({ after }) => {
    const { url } = await opened(after, ['--max-filters', '2'])
    const open = async (filter) => {
      const s = await stream(`${url}/api/messages/sse?${where(filter)}`)
      after(s.close)
      return s
    }
    for (const text of ['a', 'b', 'a']) assert.strictEqual((await open({ content: { contains: text } })).status, 200)
    for (const id of [1, 2, 3]) assert.strictEqual((await open({ sender: { equals: id } })).status, 200)
    const refused = await request(`${url}/api/messages/sse?${where({ content: { contains: 'c' } })}`)
    assert.strictEqual(refused.status, 503)
    assert.ok(Number(refused.headers['retry-after']) >= 2)
  })
}
