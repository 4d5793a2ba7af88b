// Odd cases of Payload's documents and lists that the recording does not hold; each was asked of Payload 3.90.2.
'use strict'
const assert = require('node:assert')
const { start, request, admin, ADMIN, say, test } = require('../harness.js')

module.exports = (binary) => {
  let server, auth, bob
  const get = async (path, headers) => (await request(server.url + path, { headers })).json
  const send = (method, path, body, headers) => request(server.url + path, { method, body, headers })
  const total = async (where) => (await get(`/api/messages/count?${where}`)).totalDocs

  test('documents: a server for them', async () => {
    server = await start(binary)
    auth = { Authorization: `JWT ${(await admin(server.url)).token}` }
    bob = (await send('POST', '/api/users', { email: 'bob@example.com', password: 'secret' }, auth)).json.doc.id
    for (const content of ['alpha one', 'Beta two']) await say(server.url, content, { timestamp: '2024-01-03T00:00:00.000Z' })
  })

  test('documents: one "false" makes a select leave out all that it names', async () => {
    const [doc] = (await get('/api/messages?select[content]=false&select[sender]=true')).docs
    assert.deepStrictEqual(Object.keys(doc), ['id', 'receiver', 'timestamp', 'updatedAt', 'createdAt'])
  })

  test('documents: any other value shows what it names; an empty select shows all', async () => {
    for (const value of ['true', '1', '0', 'yes']) assert.deepStrictEqual(Object.keys((await get(`/api/messages?select[content]=${value}`)).docs[0]), ['id', 'content'], value)
    assert.strictEqual(Object.keys((await get('/api/messages?select=')).docs[0]).length, 7)
    assert.deepStrictEqual(Object.keys((await get('/api/messages?select=content')).docs[0]), ['id'])
  })

  test('documents: an empty text is the number 0 to a number', async () => {
    assert.strictEqual(await total('where[id][greater_than]='), 2)
    assert.strictEqual(await total('where[id][equals]='), 0)
    assert.strictEqual(await total('where[id][contains]='), 0)
  })

  test('documents: in a list a text that is no date is equal to nothing', async () => {
    assert.strictEqual(await total('where[timestamp][in]=garbage'), 0)
    assert.strictEqual(await total('where[timestamp][in]=garbage,2024-01-03'), 2)
    assert.strictEqual(await total('where[timestamp][not_in]=garbage'), 2)
    assert.strictEqual(await total('where[timestamp][contains]=null'), 0)
  })

  test('documents: an empty answer through a relation is numbered from 0', async () => {
    const r = await request(`${server.url}/api/messages?where[sender.email][equals]=nobody`, { headers: auth })
    assert.deepStrictEqual(r.json, { docs: [], hasNextPage: false, hasPrevPage: false, limit: 10, nextPage: null, page: 1, pagingCounter: 0, prevPage: null, totalDocs: 0, totalPages: 0 })
  })

  test('documents: without pagination the page still counts, and totals are of what is shown', async () => {
    for (let i = 0; i < 3; i++) await say(server.url, `more ${i}`)
    const list = await get('/api/messages?pagination=false&limit=2&page=2&select[id]=true')
    assert.strictEqual(list.docs.length, 2)
    assert.deepStrictEqual([list.page, list.totalDocs, list.totalPages, list.pagingCounter], [2, 2, 1, 1])
    assert.strictEqual((await get('/api/messages?pagination=FALSE')).limit, 10)
  })

  test('documents: hidden fields can be neither asked for nor sorted by', async () => {
    for (const query of ['sort=hash', 'sort=-salt', 'where[hash][exists]=true', 'where[loginAttempts][equals]=0']) {
      const r = await request(`${server.url}/api/users?${query}`, { headers: auth })
      assert.strictEqual(r.status, 400, query)
      assert.strictEqual(r.json.errors[0].name, 'QueryError')
    }
    assert.strictEqual((await request(`${server.url}/api/messages?sort=sender.hash`, { headers: auth })).status, 400)
  })

  test('documents: a relation given as a document stands for its id', async () => {
    const create = (sender) => send('POST', '/api/messages', { sender, receiver: 1, content: 'x' })
    const message = async (sender) => (await create(sender)).json.errors[0].data.errors[0].message
    assert.strictEqual((await create({ id: bob, email: 'whatever' })).json.doc.sender, bob)
    assert.strictEqual(await message({ id: null }), 'This field is required.')
    assert.strictEqual(await message({ id: 'x' }), 'This relationship field has the following invalid relationships: x 0')
    assert.strictEqual(await message({ value: 1 }), 'This relationship field has the following invalid relationships: [object Object] 0')
    assert.strictEqual(await message([]), 'This field is required.')
  })

  test('documents: an empty list is no content', async () => {
    assert.strictEqual((await say(server.url, [])).status, 400)
    assert.strictEqual((await say(server.url, {})).json.doc.content, '{}')
  })

  test('documents: a number is a date when its digits read as one', async () => {
    assert.strictEqual((await say(server.url, 'x', { timestamp: 2024 })).json.doc.timestamp, '1970-01-01T00:00:02.024Z')
    assert.strictEqual((await say(server.url, 'x', { timestamp: 1700000000000 })).status, 400)
  })

  test('documents: empty times are as none', async () => {
    for (const empty of ['', 0, null, false]) assert.strictEqual((await say(server.url, 'x', { createdAt: empty, updatedAt: empty })).status, 201)
  })

  test('documents: a copy keeps its times but for createdAt, which may be given', async () => {
    const first = (await say(server.url, 'first', { createdAt: '2019-12-31T00:00:00.000Z', updatedAt: '2020-01-02T00:00:00.000Z' })).json.doc
    const copy = (await send('POST', `/api/messages/${first.id}/duplicate`, {})).json.doc
    assert.strictEqual(copy.updatedAt, '2020-01-02T00:00:00.000Z')
    assert.strictEqual(copy.timestamp, first.timestamp)
    assert.notStrictEqual(copy.createdAt, first.createdAt)
    const dated = (await send('POST', `/api/messages/${first.id}/duplicate`, { createdAt: '2020-01-01' })).json.doc
    assert.strictEqual(dated.createdAt, '2020-01-01T00:00:00.000Z')
  })

  test('documents: an empty password in a change is none', async () => {
    for (const password of ['', null]) assert.strictEqual((await send('PATCH', `/api/users/${bob}`, { password }, auth)).status, 200)
    assert.strictEqual((await send('POST', '/api/users/login', { email: 'bob@example.com', password: 'secret' })).status, 200)
  })

  test('documents: an e-mail that is taken names its table in a change', async () => {
    const r = await send('PATCH', `/api/users/${bob}`, { email: ADMIN.email }, auth)
    assert.deepStrictEqual(r.json.errors[0].data.errors, [{ message: 'Value must be unique', path: 'email', tableName: 'users' }])
  })

  test('documents: sessions are shown to their own user alone', async () => {
    const me = (await get('/api/users/me', auth)).user
    assert.strictEqual(me.sessions.length, 1)
    const users = (await get('/api/users?sort=id', auth)).docs
    assert.strictEqual(users[0].sessions.length, 1)
    assert.deepStrictEqual(users[1].sessions, [])
  })

  test('documents: a bulk write answers for each document', async () => {
    const r = await send('DELETE', `/api/users?where[id][in]=1,${bob}`, undefined, auth)
    assert.strictEqual(r.status, 400)
    assert.strictEqual(r.json.message, 'Unable to delete 2 out of 2 Users.')
    assert.strictEqual(r.json.errors.length, 2)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
  })
}
