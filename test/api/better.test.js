// Where the original answers 500, loses something or guesses, and this server does not; and odd answers of its that are kept because
// clients have them. What is not here is in the recorded cases and in the other files.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, stream, test } = require('../harness.js')

module.exports = (binary) => {
  let server, auth, bob
  const send = (method, path, body, headers) => request(server.url + path, { method, body, headers })
  const list = async (query) => (await request(`${server.url}/api/messages?${query}`)).json
  const total = async (where) => (await request(`${server.url}/api/messages/count?${where}`)).json.totalDocs
  const open = async (after) => {
    const s = await stream(`${server.url}/api/messages/sse`)
    after(s.close)
    await s.first('hello')
    return s
  }
  const live = (s) => s.of('message').flatMap((event) => event.json).map((doc) => doc.content)

  test('better: a server for it', async () => {
    server = await start(binary)
    auth = { Authorization: `JWT ${(await admin(server.url)).token}` }
    bob = (await send('POST', '/api/users', { email: 'bob@example.com', password: 'secret' }, auth)).json.doc.id
  })

  // ---- the stream --------------------------------------------------------------------------------------------------------------

  test('better: sixty messages at once arrive, each once and in order', async ({ after }) => {
    const s = await open(after)
    const sent = await Promise.all(Array.from({ length: 60 }, (_, i) => say(server.url, `burst ${i}`)))
    const docs = await s.docs(60)
    assert.deepStrictEqual(docs.map((doc) => doc.id), sent.map((r) => r.json.doc.id).sort((a, b) => a - b))
  })

  test('better: whatever updatedAt says, a message arrives, and so do those behind it', async ({ after }) => {
    await request(`${server.url}/api/messages?where[id][exists]=true`, { method: 'DELETE' })
    const s = await open(after)
    const times = { old: '1999-01-01T00:00:00.000Z', future: '2999-01-01T00:00:00.000Z', now: undefined, 'same time, first': '2026-01-01T00:00:00.000Z', 'same time, second': '2026-01-01T00:00:00.000Z' }
    for (const [content, updatedAt] of Object.entries(times)) assert.strictEqual((await say(server.url, content, { updatedAt })).status, 201)
    await s.docs(5)
    assert.deepStrictEqual(live(s), Object.keys(times))
  })

  test('better: an empty change moves updatedAt and sends the message again', async ({ after }) => {
    const { id, updatedAt } = (await say(server.url, 'unchanged', { updatedAt: '2020-01-01T00:00:00.000Z' })).json.doc
    const s = await open(after)
    await s.first('message')
    const changed = (await send('PATCH', `/api/messages/${id}`, {})).json.doc
    assert.ok(changed.updatedAt > updatedAt)
    const again = await s.until(() => s.of('message')[1], 'the message again')
    assert.deepStrictEqual(again.json.map((doc) => [doc.id, doc.content, doc.updatedAt]), [[id, 'unchanged', changed.updatedAt]])
  })

  // ---- statuses ----------------------------------------------------------------------------------------------------------------

  test('better: ids that are none, in any method, and what is not there', async () => {
    for (const id of ['abc', '0', '-1', '1.5', '1%2F2', '99999', '9'.repeat(30)]) {
      for (const [method, path, body] of [['GET', `messages/${id}`], ['PATCH', `messages/${id}`, { content: 'x' }], ['DELETE', `messages/${id}`], ['POST', `messages/${id}/duplicate`, {}], ['GET', `users/${id}`], ['PATCH', `users/${id}`, {}], ['DELETE', `users/${id}`]]) {
        const r = await send(method, `/api/${path}`, body, auth)
        assert.strictEqual(r.status, 404, `${method} ${path}`)
        assert.deepStrictEqual(r.json, { errors: [{ message: 'Not Found' }] }, `${method} ${path}`)
      }
    }
    assert.strictEqual((await send('GET', '/api/media/file/nothing.png')).status, 404)
  })

  test('better: a user with messages cannot go, and says so', async () => {
    for (const [sender, receiver] of [[bob, 1], [1, bob]]) {
      const { id } = (await say(server.url, 'kept', { sender, receiver })).json.doc
      const r = await send('DELETE', `/api/users/${bob}`, undefined, auth)
      assert.strictEqual(r.status, 409)
      assert.match(r.json.errors[0].message, /^This User cannot be deleted/)
      assert.strictEqual((await send('GET', `/api/messages/${id}`)).json.content, 'kept')
      await send('DELETE', `/api/messages/${id}`)
    }
  })

  test('better: a user that is not there is a 400 that names the field, in every way of writing', async () => {
    const { id } = (await say(server.url, 'mine')).json.doc
    const nobody = 'This relationship field has the following invalid relationships: 99999 0'
    for (const [method, path] of [['POST', ''], ['PATCH', `/${id}`], ['POST', `/${id}/duplicate`]]) {
      const r = await send(method, `/api/messages${path}`, { sender: 99999, receiver: 1, content: 'x' })
      assert.strictEqual(r.status, 400)
      assert.deepStrictEqual(r.json.errors[0].data.errors, [{ label: 'Sender', message: nobody, path: 'sender' }])
    }
    const many = await send('PATCH', `/api/messages?where[id][equals]=${id}`, { sender: 99999 })
    assert.deepStrictEqual([many.status, many.json.errors], [400, [{ id, isPublic: true, message: 'The following field is invalid: Sender' }]])
    assert.strictEqual((await send('GET', `/api/messages/${id}`)).json.sender, 1)
  })

  test('better: a body that is missing, of another type or no object is a 400', async () => {
    const { id } = (await say(server.url, 'whole')).json.doc
    const raw = (method, path, text, type) => request(`${server.url}/api/${path}`, { method, body: text === undefined ? undefined : Buffer.from(text), headers: type ? { 'Content-Type': type } : {} })
    for (const [method, path] of [['POST', 'messages'], ['PATCH', `messages/${id}`], ['PATCH', `messages?where[id][equals]=${id}`]]) {
      assert.strictEqual((await raw(method, path)).status, 400, path)
      assert.strictEqual((await raw(method, path, 'content=x', 'text/plain')).status, 400, path)
      assert.strictEqual((await raw(method, path, 'content=x', 'application/x-www-form-urlencoded')).status, 400, path)
    }
    for (const [method, path] of [['POST', 'messages'], ['PATCH', `messages/${id}`], ['PATCH', `messages?where[id][equals]=${id}`], ['POST', `messages/${id}/duplicate`], ['POST', 'users/login'], ['POST', 'users/forgot-password'], ['POST', 'users/unlock']]) {
      for (const text of ['null', '"x"', '5', 'true']) assert.strictEqual((await raw(method, path, text, 'application/json')).status, 400, `${path} ${text}`)
    }
    assert.strictEqual((await send('GET', `/api/messages/${id}`)).json.content, 'whole')
  })

  test('better: a time that is none is a 400, wherever it is given', async () => {
    const { id } = (await say(server.url, 'dated')).json.doc
    for (const time of ['bad', '2024-13-45', true, {}, []]) {
      for (const name of ['createdAt', 'timestamp']) {
        for (const r of [await say(server.url, 'x', { [name]: time }), await send('PATCH', `/api/messages/${id}`, { [name]: time })]) {
          assert.strictEqual(r.status, 400, `${name} ${time}`)
          assert.strictEqual(r.json.errors[0].data.errors[0].path, name)
        }
      }
      assert.strictEqual((await say(server.url, 'x', { updatedAt: time })).status, 400, `updatedAt ${time}`)
    }
    assert.strictEqual((await request(`${server.url}/api/messages?limit=0`)).status, 200)
  })

  // ---- lists -------------------------------------------------------------------------------------------------------------------

  test('better: numbers in a query that are none are as not given', async () => {
    for (const query of ['limit=abc', 'limit=-1', 'limit=1.5', 'limit=NaN', 'limit=Infinity', 'limit=1&limit=2', 'limit[]=1', 'limit[a]=1', `limit=${'9'.repeat(20)}`, 'page=abc', 'page=-1', 'page=1.5', 'page=1&page=2', 'page[]=2', 'depth=abc', 'depth=-1', 'depth=1&depth=2']) {
      const { limit, page, pagingCounter, totalPages, totalDocs, docs } = await list(query)
      assert.deepStrictEqual({ query, limit, page, pagingCounter, totalPages, shown: docs.length }, { query, limit: 10, page: 1, pagingCounter: 1, totalPages: Math.ceil(totalDocs / 10), shown: Math.min(10, totalDocs) })
    }
  })

  test('better: an error of a where names what was sent and nothing of the language', async () => {
    for (const [where, path] of [['[content]=x', 'content'], ['[content][trim]=x', 'content.trim'], ['[content][constructor]=x', 'content.constructor'], ['[__proto__][equals]=x', '__proto__'], ['[toString][equals]=x', 'toString']]) {
      const r = await request(`${server.url}/api/messages?where${where}`)
      assert.strictEqual(r.status, 400)
      assert.deepStrictEqual(r.json, { errors: [{ name: 'QueryError', data: [{ path }], message: `The following path cannot be queried: ${path}` }] })
    }
    for (const operator of ['all', 'within', 'intersects', 'near']) assert.strictEqual((await request(`${server.url}/api/messages?where[content][${operator}]=x`)).status, 400, operator)
  })

  test('better: not_like is the opposite of like, and no value has wildcards', async () => {
    await send('DELETE', '/api/messages?where[id][exists]=true')
    for (const content of ['alpha one', 'Alpha two', 'gamma 100%', 'under_score']) await say(server.url, content)
    const some = async (operator, value) => total(`where[content][${operator}]=${encodeURIComponent(value)}`)
    for (const [value, like] of [['alpha', 2], ['one alpha', 1], ['%', 1], ['_', 1], ['a%a', 0], ['u_der', 0], ['100%', 1], ['\\', 0]]) {
      assert.strictEqual(await some('like', value), like, `like ${value}`)
      if (!value.includes(' ')) {
        assert.strictEqual(await some('contains', value), like, `contains ${value}`)
        assert.strictEqual(await some('not_like', value), 4 - like, `not_like ${value}`)
      }
    }
    assert.strictEqual(await some('contains', 'one alpha'), 0)
  })

  test('better: sessions are not shown with a message either', async () => {
    const { token, user } = (await send('POST', '/api/users/login', { email: 'bob@example.com', password: 'secret' })).json
    assert.strictEqual(user.sessions.length, 1)
    const { id } = (await say(server.url, 'from bob', { sender: bob })).json.doc
    const sender = async (headers) => (await send('GET', `/api/messages/${id}`, undefined, headers)).json.sender
    assert.deepStrictEqual((await sender(auth)).sessions, [])
    assert.strictEqual((await sender({ Authorization: `JWT ${token}` })).sessions.length, 1)
  })

  // ---- odd but kept ------------------------------------------------------------------------------------------------------------

  test('better: 0 and false are no content, a text of spaces is', async () => {
    for (const content of [0, false, '', null]) {
      const r = await say(server.url, content)
      assert.deepStrictEqual(r.json.errors[0].data.errors, [{ label: 'Content', message: 'This field is required.', path: 'content' }])
    }
    assert.strictEqual((await say(server.url, ' ')).json.doc.content, ' ')
  })

  test('better: a bulk change with where={} changes everything, with none nothing', async () => {
    const all = await total('')
    const r = await send('PATCH', '/api/messages?where=%7B%7D', { content: 'everything' })
    assert.strictEqual(r.json.message, `Updated ${all} Messages successfully.`)
    assert.strictEqual(await total('where[content][equals]=everything'), all)
    for (const query of ['', '?where=']) {
      for (const [method, message] of [['PATCH', 'update'], ['DELETE', 'delete']]) {
        const none = await send(method, `/api/messages${query}`, { content: 'nothing' })
        assert.deepStrictEqual([none.status, none.json], [400, { errors: [{ message: `Missing 'where' query of documents to ${message}.` }] }])
      }
    }
    assert.strictEqual(await total('where[content][equals]=everything'), all)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
  })
}
