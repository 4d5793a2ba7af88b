// Idempotency-Key: a POST that is sent again with its key is not done again.
'use strict'
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { start, run, folder, remove, request, raw, admin, ADMIN, test } = require('../harness.js')

module.exports = (binary) => {
  let server, first
  const key = () => crypto.randomUUID()
  const post = (route, k, body, headers = {}) =>
    request(`${server.url}/api/${route}`, { method: 'POST', body, headers: { ...(k !== undefined && { 'Idempotency-Key': k }), ...headers } })
  const message = (content, more = {}) => ({ sender: first.id, receiver: first.id, content, ...more })
  const count = async (content) => (await request(`${server.url}/api/messages/count?where[content][equals]=${encodeURIComponent(content)}`)).json.totalDocs
  const signed = (token) => ({ Authorization: `JWT ${token}` })
  const login = (k, password = ADMIN.password) => post('users/login', k, { email: ADMIN.email, password })
  const sql = async (dir, text) => {
    const r = await run('sqlite3', [path.join(dir, 'parley.db')], { input: text })
    assert.strictEqual(r.code, 0, r.err)
    return r.out.trim()
  }
  const same = (a, b) => {
    assert.strictEqual(b.status, a.status, b.text)
    assert.strictEqual(b.text, a.text)
    for (const name of ['content-type', 'set-cookie']) assert.deepStrictEqual(b.headers[name], a.headers[name])
  }
  const refused = (r, status, reason) => {
    assert.strictEqual(r.status, status, r.text)
    assert.deepStrictEqual(Object.keys(r.json), ['errors'])
    assert.match(r.json.errors[0].message, reason)
  }

  test('idempotency: a server for it', async () => {
    server = await start(binary)
    first = await admin(server.url)
  })

  test('idempotency: create', async () => {
    const k = key()
    const a = await post('messages', k, message('created once'))
    assert.strictEqual(a.status, 201, a.text)
    assert.strictEqual(a.headers['content-type'], 'application/json')
    for (let i = 0; i < 3; i++) same(a, await post('messages', k, message('created once')))
    assert.strictEqual(await count('created once'), 1)
    await post('messages', key(), message('created once'))
    assert.strictEqual(await count('created once'), 2)
    await post('messages', undefined, message('created once'))
    assert.strictEqual(await count('created once'), 3)
  })

  test('idempotency: the answer is what it was, whatever became of the document', async () => {
    const k = key()
    const a = await post('messages?depth=1', k, message('then changed'), signed(first.token))
    assert.strictEqual(a.json.doc.sender.email, ADMIN.email)
    await request(`${server.url}/api/messages/${a.json.doc.id}`, { method: 'PATCH', body: { content: 'changed' } })
    same(a, await post('messages?depth=1', k, message('then changed'), signed(first.token)))
    await request(`${server.url}/api/messages/${a.json.doc.id}`, { method: 'DELETE' })
    same(a, await post('messages?depth=1', k, message('then changed'), signed(first.token)))
    assert.strictEqual(await count('then changed'), 0)
  })

  test('idempotency: an answer with a key is the same as one without', async () => {
    const bare = ({ doc: { id, timestamp, updatedAt, createdAt, ...rest }, ...more }) => ({ ...more, doc: rest })
    for (const query of ['', '?depth=0', '?depth=2', '?select[content]=true', '?depth=1&populate[users][email]=true']) {
      for (const headers of [{}, signed(first.token)]) {
        const [a, b] = [await post(`messages${query}`, undefined, message('x'), headers), await post(`messages${query}`, key(), message('x'), headers)]
        assert.deepStrictEqual([b.status, Object.keys(b.json.doc), bare(b.json)], [a.status, Object.keys(a.json.doc), bare(a.json)])
        assert.deepStrictEqual(Object.keys(b.headers), Object.keys(a.headers))
      }
    }
  })

  test('idempotency: duplicate', async () => {
    const k = key()
    const { id } = (await post('messages', key(), message('copied once'))).json.doc
    const a = await post(`messages/${id}/duplicate`, k)
    assert.strictEqual(a.status, 200, a.text)
    same(a, await post(`messages/${id}/duplicate`, k))
    assert.strictEqual(await count('copied once'), 2)
  })

  test('idempotency: login gives the same token and cookie, and one session', async () => {
    const k = key()
    const sessions = async () => sql(server.data, 'SELECT count(*) FROM users_sessions')
    const before = Number(await sessions())
    const a = await login(k)
    assert.strictEqual(a.status, 200, a.text)
    assert.match(a.headers['set-cookie'][0], /^payload-token=ey/)
    same(a, await login(k))
    assert.strictEqual(Number(await sessions()), before + 1)
    assert.notStrictEqual((await login(key())).json.token, a.json.token)
  })

  test('idempotency: logout, which ends the session it is sent with', async () => {
    const k = key()
    const { token } = (await login(key())).json
    const a = await post('users/logout', k, undefined, signed(token))
    assert.strictEqual(a.status, 200, a.text)
    same(a, await post('users/logout', k, undefined, signed(token)))
    refused(await post('users/logout', key(), undefined, signed(token)), 400, /No User/)
  })

  test('idempotency: a retry after its session has ended is not another user\'s', async () => {
    const k = key()
    const { token } = (await login(key())).json
    const a = await post('messages', k, message('before the end'), signed(token))
    await post('users/logout', key(), undefined, signed(token))
    same(a, await post('messages', k, message('before the end'), signed(token)))
    const again = (await login(key())).json.token
    same(a, await post('messages', k, message('before the end'), signed(again)))
    assert.strictEqual(await count('before the end'), 1)
  })

  test('idempotency: a 400 is kept, though its reason has gone', async () => {
    const k = key()
    const to = message('too early', { receiver: first.id + 1 })
    const a = await post('messages', k, to)
    assert.strictEqual(a.status, 400, a.text)
    const made = await post('users', key(), { email: 'second@example.com', password: 'second-pass-1' }, signed(first.token))
    assert.strictEqual(made.json.doc.id, first.id + 1)
    same(a, await post('messages', k, to))
    assert.strictEqual((await post('messages', key(), to)).status, 201)
    const bad = key()
    const broken = await post('messages', bad, Buffer.from('{bad'), { 'Content-Type': 'application/json' })
    assert.strictEqual(broken.status, 400)
    same(broken, await post('messages', bad, Buffer.from('{bad'), { 'Content-Type': 'application/json' }))
  })

  test('idempotency: 401, 403 and 413 are not kept', async () => {
    const k = key()
    assert.strictEqual((await login(k, 'wrong')).status, 401)
    assert.strictEqual((await login(k)).status, 200)
    const user = { email: 'third@example.com', password: 'third-pass-1' }
    const ended = (await login(key())).json.token
    await post('users/logout', key(), undefined, signed(ended))
    const other = key()
    assert.strictEqual((await post('users', other, user, signed(ended))).status, 403)
    assert.strictEqual((await post('users', other, user, signed(first.token))).status, 201)
    const large = key()
    assert.strictEqual((await post('messages', large, Buffer.alloc(1100000, 32), { 'Content-Type': 'application/json' })).status, 413)
    assert.strictEqual((await post('messages', large, message('small'))).status, 201)
  })

  test('idempotency: another body, path or query is a 422, and the first answer stays', async () => {
    const k = key()
    const a = await post('messages', k, message('one of a kind'))
    for (const [route, body] of [['messages', message('another')], ['messages?depth=0', message('one of a kind')], [`messages/${a.json.doc.id}/duplicate`, message('one of a kind')], ['messages', undefined], ['users/login', message('one of a kind')]]) {
      refused(await post(route, k, body), 422, /sent with another request/)
    }
    same(a, await post('messages', k, message('one of a kind')))
    assert.strictEqual(await count('another'), 0)
    assert.strictEqual(await count('one of a kind'), 1)
  })

  for (const n of [2, 40]) {
    test(`idempotency: ${n} at once are one document`, async () => {
      for (let round = 0; round < 5; round++) {
        const k = key()
        const content = `${n} at once, ${round}`
        const [a, ...others] = await Promise.all(Array.from({ length: n }, () => post('messages', k, message(content))))
        assert.strictEqual(a.status, 201, a.text)
        for (const b of others) same(a, b)
        assert.strictEqual(await count(content), 1)
      }
    })
  }

  test('idempotency: a second waits for a first that takes long; another is told at once', async () => {
    const k = key()
    // A login takes long: its password is hashed 600,000 times.
    const all = await Promise.all([login(k), login(k), login(k), login(k, 'another-pass')])
    const done = all.slice(0, 3).filter((r) => r.status === 200)
    if (done.length) {
      for (const r of all.slice(0, 3)) same(done[0], r)
      assert.ok([401, 422].includes(all[3].status), all[3].text)
    } else {
      // The other one was first, and its 401 is not kept.
      for (const r of all.slice(0, 3)) assert.strictEqual(r.status, 422, r.text)
      assert.strictEqual(all[3].status, 401)
    }
  })

  test('idempotency: 50 keys at once are 50 documents', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => post('messages', key(), message('fifty keys'))))
    assert.strictEqual(new Set(all.map((r) => r.json.doc.id)).size, 50)
  })

  test('idempotency: each user has keys of its own, and all who are nobody have theirs together', async () => {
    const k = key()
    const second = (await post('users/login', key(), { email: 'second@example.com', password: 'second-pass-1' })).json
    const as = [{}, signed(first.token), signed(second.token)]
    const ids = []
    for (const headers of as) ids.push((await post('messages', k, message('whose key'), headers)).json.doc.id)
    assert.strictEqual(new Set(ids).size, 3)
    for (const [i, headers] of as.entries()) assert.strictEqual((await post('messages', k, message('whose key'), headers)).json.doc.id, ids[i])
    assert.strictEqual((await post('messages', k, message('whose key'), signed('a.b.c'))).json.doc.id, ids[0])
    // The same user by another token, and by the cookie.
    const { token } = (await login(key())).json
    for (const headers of [signed(token), { Cookie: `payload-token=${token}` }]) {
      assert.strictEqual((await post('messages', k, message('whose key'), headers)).json.doc.id, ids[1])
    }
  })

  test('idempotency: which keys there can be', async () => {
    const body = JSON.stringify(message('a key'))
    const send = async (k) => {
      const { text } = await raw(server.port, [`POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\nIdempotency-Key:`, Buffer.from(k, 'latin1'), `\r\n\r\n${body}`])
      return Number(text.split(' ')[1])
    }
    for (const k of ['x', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', ' a b ~', 'k'.repeat(255)]) assert.strictEqual(await send(k), 201, k)
    for (const k of ['', '  ', 'k'.repeat(256), 'k'.repeat(5000), 'k\xe9', 'k\xc3\xa9', 'a\tb', 'a\x7f', '\xff']) assert.strictEqual(await send(k), 400, JSON.stringify(k))
    refused(await post('messages', '', message('a key')), 400, /Idempotency-Key must be 1 to 255/)
    assert.strictEqual(await count('a key'), 4)
  })

  test('idempotency: multipart is the same under another boundary', async () => {
    const k = key()
    const form = (boundary, content) => post('messages', k, Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="_payload"\r\n\r\n${JSON.stringify(message(content))}\r\n--${boundary}--\r\n`), { 'Content-Type': `multipart/form-data; boundary=${boundary}` })
    const a = await form('one', 'in parts')
    assert.strictEqual(a.status, 201, a.text)
    same(a, await form('another-boundary', 'in parts'))
    refused(await form('one', 'in other parts'), 422, /another request/)
    assert.strictEqual(await count('in parts'), 1)
  })

  const form = (boundary, name, bytes, alt) => Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n`), Buffer.from(bytes),
    Buffer.from(`\r\n--${boundary}\r\nContent-Disposition: form-data; name="_payload"\r\n\r\n${JSON.stringify({ alt })}\r\n--${boundary}--\r\n`)])
  const upload = (k, name, bytes, alt, headers = signed(first.token)) => {
    const boundary = key()
    return post('media', k, form(boundary, name, bytes, alt), { ...headers, 'Content-Type': `multipart/form-data; boundary=${boundary}` })
  }
  const kept = (name) => fs.readdirSync(path.join(server.data, name)).sort()

  test('idempotency: an upload, which is known by what is in it', async () => {
    const k = key()
    const large = 'x'.repeat(3 << 20) // more than a body that is read at once may have
    const a = await upload(k, 'once.txt', large, 'one')
    assert.strictEqual(a.status, 201, a.text)
    for (let i = 0; i < 2; i++) same(a, await upload(k, 'once.txt', large, 'one'))
    for (const other of [['once.txt', large, 'two'], ['once.txt', `${large}x`, 'one'], ['other.txt', large, 'one'], ['once.txt', '', 'one']]) {
      refused(await upload(k, ...other), 422, /another request/)
    }
    const all = await Promise.all(Array.from({ length: 8 }, () => upload('eight', 'eight.txt', 'eight', 'eight')))
    assert.strictEqual(all[0].status, 201, all[0].text)
    for (const b of all) same(all[0], b)
    const d = key()
    const copy = await post(`media/${a.json.doc.id}/duplicate`, d, undefined, signed(first.token))
    assert.strictEqual(copy.status, 200, copy.text)
    same(copy, await post(`media/${a.json.doc.id}/duplicate`, d, undefined, signed(first.token)))
    assert.deepStrictEqual(kept('media'), ['eight.txt', 'once-1.txt', 'once.txt'])
    assert.deepStrictEqual(kept('media.part'), [])
    assert.strictEqual((await request(`${server.url}/api/media/count`)).json.totalDocs, 3)
  })

  test('idempotency: an upload that is refused', async () => {
    const before = kept('media')
    const scripted = key()
    const a = await upload(scripted, 'x.html', '<p>', 'page')
    assert.strictEqual(a.status, 400, a.text)
    same(a, await upload(scripted, 'x.html', '<p>', 'page'))
    refused(await upload(scripted, 'x.txt', '<p>', 'page'), 422, /another request/)
    const none = key()
    const b = await post('media', none, { alt: 'no file' }, signed(first.token))
    refused(b, 400, /No files were uploaded/)
    same(b, await post('media', none, { alt: 'no file' }, signed(first.token)))
    // Nobody may; whoever signs in then may, under the same key.
    const k = key()
    assert.strictEqual((await upload(k, 'who.txt', 'who', 'who', {})).status, 403)
    assert.strictEqual((await upload(k, 'who.txt', 'who', 'who')).status, 201)
    // What was cut off was never a request.
    const cut = key()
    const half = await post('media', cut, form('b', 'cut.txt', 'cut', 'cut').subarray(0, 120), { ...signed(first.token), 'Content-Type': 'multipart/form-data; boundary=b' })
    assert.strictEqual(half.status, 400, half.text)
    assert.strictEqual((await upload(cut, 'cut.txt', 'cut', 'cut')).status, 201)
    assert.deepStrictEqual(kept('media'), [...before, 'cut.txt', 'who.txt'].sort())
    assert.deepStrictEqual(kept('media.part'), [])
  })

  test('idempotency: a POST that is a GET takes no key', async () => {
    const k = key()
    const find = () => post('messages', k, Buffer.from('where[content][equals]=found'), { 'Content-Type': 'application/x-www-form-urlencoded', 'X-HTTP-Method-Override': 'GET' })
    assert.strictEqual((await find()).json.totalDocs, 0)
    await post('messages', k, message('found'))
    assert.strictEqual((await find()).json.totalDocs, 1)
  })

  test('idempotency: after a restart, and after kill -9', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const outer = [server, first]
    after(() => { [server, first] = outer })
    const k = key()
    server = await start(binary, { data })
    after(() => server.kill())
    first = await admin(server.url)
    const a = [await post('messages', k, message('kept')), await login('login'), await post('messages', 'bad', { content: 1 })]
    assert.deepStrictEqual(a.map((r) => r.status), [201, 200, 400])
    for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL']) {
      await server.kill(signal)
      server = await start(binary, { data })
      const b = [await post('messages', k, message('kept')), await login('login'), await post('messages', 'bad', { content: 1 })]
      a.forEach((r, i) => same(r, b[i]))
      refused(await post('messages', k, message('not kept')), 422, /another request/)
    }
    assert.strictEqual(await count('kept'), 1)
  })

  test('idempotency: what is kept cannot be read in the file, nor under another secret', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const outer = [server, first]
    after(() => { [server, first] = outer })
    server = await start(binary, { data, env: { PAYLOAD_SECRET: 'one secret' } })
    after(() => server.kill())
    first = await admin(server.url)
    const k = key()
    const a = await login(k)
    await post('messages', 'm', message('kept'))
    await server.kill()
    for (const name of fs.readdirSync(data).filter((n) => n.startsWith('parley.db'))) {
      const bytes = fs.readFileSync(path.join(data, name))
      for (const secret of [a.json.token, a.json.token.split('.')[2], 'Authentication Passed', ADMIN.password]) assert.ok(!bytes.includes(secret), `${name} holds ${secret}`)
    }
    server = await start(binary, { data, env: { PAYLOAD_SECRET: 'another secret' } })
    refused(await login(k), 409, /another secret/)
    refused(await post('messages', 'm', message('kept')), 409, /another secret/)
    assert.strictEqual(await count('kept'), 1)
    await server.kill()
    // A row in another's place opens there no more than anywhere.
    await sql(data, `UPDATE parley_answers SET sealed = (SELECT sealed FROM parley_answers WHERE key = '${k}') WHERE key = 'm'`)
    server = await start(binary, { data, env: { PAYLOAD_SECRET: 'one secret' } })
    same(a, await login(k))
    refused(await post('messages', 'm', message('kept')), 409, /cannot be read/)
  })

  test('idempotency: a key can be used again after its days, and the table without its file', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const outer = [server, first]
    after(() => { [server, first] = outer })
    server = await start(binary, { data })
    after(() => server.kill())
    first = await admin(server.url)
    const a = await post('messages', 'k', message('week'))
    await sql(data, `UPDATE parley_answers SET written = written - 1000 * (7 * 86400 - 60)`)
    same(a, await post('messages', 'k', message('week')))
    await sql(data, `UPDATE parley_answers SET written = written - 1000 * 60`)
    const b = await post('messages', 'k', message('another week'))
    assert.strictEqual(b.status, 201, b.text)
    same(b, await post('messages', 'k', message('another week')))
    await server.kill()
    await sql(data, 'DROP TABLE parley_answers')
    server = await start(binary, { data })
    const c = await post('messages', 'k', message('a third'))
    same(c, await post('messages', 'k', message('a third')))
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).json.totalDocs, 3)
  })

  test('idempotency: of an answer too large to be kept it is known that there was one', async () => {
    const k = key()
    await sql(server.data, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
      INSERT INTO users_sessions SELECT i, ${first.id}, 'made-up-' || i, '2026-01-02T03:04:05.678Z', '2999-01-02T03:04:05.678Z' FROM n;`)
    const { token } = (await login(key())).json
    const a = await post('messages?depth=1', k, message('large'), signed(token))
    assert.strictEqual(a.status, 201, a.text.slice(0, 300))
    assert.ok(a.bytes.length > 1 << 20)
    refused(await post('messages?depth=1', k, message('large'), signed(token)), 409, /too large to be kept/)
    refused(await post('messages?depth=1', k, message('larger'), signed(token)), 422, /another request/)
    assert.strictEqual(await count('large'), 1)
  })

  test('idempotency: its server stops', async () => {
    await server.stop()
  })
}
