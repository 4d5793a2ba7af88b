// --messages private: who sees which messages, by every way that leads to them, and who may write what.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, run, request, admin, multipart, test } = require('../harness.js')

module.exports = (binary) => {
  const FORBIDDEN = [403, '{"errors":[{"message":"You are not allowed to perform this action."}]}']
  const NOT_FOUND = [404, '{"errors":[{"message":"Not Found"}]}']
  let server
  const who = { nobody: {} } // the headers of each
  const ids = {}
  const ask = (name, method, path, body, headers = {}) => request(server.url + path, { method, body, headers: { ...who[name], ...headers } })
  const get = (name, path, headers) => ask(name, 'GET', path, undefined, headers)
  const same = async (answer, [status, text]) => {
    const r = await answer
    assert.deepStrictEqual([r.status, r.text], [status, text])
  }
  const say = (name, from, to, content, more = {}) =>
    ask(name, 'POST', '/api/messages?depth=0', { sender: ids[from], receiver: ids[to], content, ...more })
  // The contents of a list that a query finds.
  const contents = async (name, query = '') => {
    const r = await get(name, `/api/messages?sort=id&depth=0&limit=0${query}`)
    assert.strictEqual(r.status, 200, r.text)
    return r.json.docs.map((d) => d.content).join(' ')
  }
  // Message 1 is ann's to ben, 2 ben's to cat, 3 cat's to ann.
  const fresh = async (args = ['--messages', 'private']) => {
    server = await start(binary, { args })
    const first = await admin(server.url)
    ids.ann = first.id
    who.ann = { Authorization: `JWT ${first.token}` }
    for (const name of ['ben', 'cat']) {
      const account = { email: `${name}@example.com`, password: 'secret' }
      ids[name] = (await ask('ann', 'POST', '/api/users', account)).json.doc.id
      who[name] = { Authorization: `JWT ${(await ask('nobody', 'POST', '/api/users/login', account)).json.token}` }
    }
    for (const [from, to] of [['ann', 'ben'], ['ben', 'cat'], ['cat', 'ann']]) assert.strictEqual((await say(from, from, to, `${from}-${to}`)).status, 201)
  }
  const all = async () => [await contents('ann'), await contents('ben'), await contents('cat')]
  const UNTOUCHED = ['ann-ben cat-ann', 'ann-ben ben-cat', 'ben-cat cat-ann']
  const untouched = async () => assert.deepStrictEqual(await all(), UNTOUCHED)

  test('private: a list holds what one wrote or received', async () => {
    await fresh()
    await untouched()
    const page = (await get('ann', '/api/messages?limit=1&sort=-id')).json
    assert.deepStrictEqual([page.totalDocs, page.totalPages, page.docs[0].content], [2, 2, 'cat-ann'])
    assert.strictEqual((await get('ann', '/api/messages?pagination=false')).json.totalDocs, 2)
  })

  test('private: who is not signed in reads, counts, streams and writes nothing', async () => {
    for (const path of ['', '/count', '/1', '/99', '/sse', '?where[id][equals]=1']) await same(get('nobody', `/api/messages${path}`), FORBIDDEN)
    for (const token of ['JWT x', 'Bearer ']) await same(get('nobody', '/api/messages', { Authorization: token }), FORBIDDEN)
    await same(say('nobody', 'ann', 'ben', 'x'), FORBIDDEN)
    await same(ask('nobody', 'POST', '/api/messages', {}), FORBIDDEN)
    for (const path of ['/1', '?where[id][exists]=true']) {
      await same(ask('nobody', 'PATCH', `/api/messages${path}`, { content: 'x' }), FORBIDDEN)
      await same(ask('nobody', 'DELETE', `/api/messages${path}`), FORBIDDEN)
    }
    await same(ask('nobody', 'POST', '/api/messages/1/duplicate', {}), FORBIDDEN)
    await untouched()
  })

  test('private: a message of others is not there', async () => {
    assert.strictEqual((await get('ann', '/api/messages/1')).json.content, 'ann-ben')
    assert.strictEqual((await get('ben', '/api/messages/1')).json.content, 'ann-ben')
    for (const id of ['1', '01', '99', 'x', '1%20']) await same(get('cat', `/api/messages/${id}`), NOT_FOUND)
  })

  test('private: the sender and the receiver are populated, as ever', async () => {
    const { sender, receiver } = (await get('ben', '/api/messages/1')).json
    assert.deepStrictEqual([sender.email, receiver.email], ['admin@example.com', 'ben@example.com'])
  })

  test('private: counts are of what one may read', async () => {
    for (const [query, n] of [['', 2], ['?where=', 2], ['?where={}', 2], ['?where[sender][equals]=2', 0], ['?where[id][exists]=true', 2]])
      assert.deepStrictEqual((await get('ann', `/api/messages/count${query}`)).json, { totalDocs: n }, query)
  })

  test('private: no query widens what one may read', async () => {
    const queries = ['&where=', '&where={}', '&where[or][]=', '&where[or][0][id][exists]=true', '&where[or][0][id][exists]=true&where[or][1][sender][exists]=true',
      '&where[id][not_equals]=0', '&where[id][in]=1,2,3', '&where[id][not_in]=', '&where[content][like]=', '&where[content][contains]=a', '&where={"or":[]}', '&where={"or":[{}]}',
      '&where={"or":[{"or":[]},{"id":{"exists":true}}]}', '&where={"and":[{"or":[{"id":{"exists":true}},{"sender":{"not_equals":null}}]}]}',
      '&where[sender.email][exists]=true', '&where[receiver.email][like]=example', '&where[or][0][sender.id][exists]=true', '&pagination=false', '&page=1&limit=100',
      '&sort=sender.email,id', '&sender=2', '&overrideAccess=true', '&user=2', '&trash=true&draft=true', '&select[content]=true', '&depth=10']
    for (const query of queries) {
      const got = (await contents('ann', query)).split(' ').sort().join(' ')
      assert.strictEqual(got, 'ann-ben cat-ann', query)
    }
    for (const query of ['&where[id][equals]=2', '&where[sender][equals]=2', '&where[content][contains]=ben-', '&where[sender.email][equals]=ben@example.com',
      '&where[or][0][sender][equals]=2&where[or][1][id][equals]=2', '&where={"or":[{"and":[{"id":{"equals":2}}]}]}'])
      assert.strictEqual(await contents('ann', query), '', query)
    for (const query of ['&where[sender.hash][exists]=true', '&where[sender][email][equals]=x', '&where[nope][equals]=1'])
      assert.strictEqual((await get('ann', `/api/messages?${query}`)).status, 400, query)
  })

  test('private: a GET in the form of a POST, and a HEAD, see no more', async () => {
    const form = (name, query) => ask(name, 'POST', '/api/messages', query, { 'X-HTTP-Method-Override': 'GET', 'Content-Type': 'application/x-www-form-urlencoded' })
    assert.strictEqual((await form('ann', 'where[id][exists]=true&limit=0')).json.totalDocs, 2)
    await same(form('nobody', 'limit=0'), FORBIDDEN)
    assert.strictEqual((await ask('cat', 'HEAD', '/api/messages/1')).status, 404)
    assert.strictEqual((await ask('nobody', 'HEAD', '/api/messages')).status, 403)
    assert.strictEqual((await ask('nobody', 'HEAD', '/api/messages/sse')).status, 403)
  })

  test('private: what one reader was shown is not kept for another', async () => {
    for (const path of ['/api/messages', '/api/messages/1', '/api/messages/count?where[content][like]=ann']) {
      const mine = await get('ann', path), { etag } = mine.headers
      assert.deepStrictEqual([mine.headers['cache-control'], mine.headers.vary], ['private, no-cache', 'Authorization, Cookie, Origin'])
      assert.strictEqual((await get('ann', path, { 'If-None-Match': etag })).status, 304)
      const others = await get('cat', path, { 'If-None-Match': etag })
      assert.notStrictEqual(others.status, 304, path)
      const none = await get('nobody', path, { 'If-None-Match': etag })
      assert.deepStrictEqual([none.status, none.headers['cache-control'], none.headers.etag], [403, 'no-store', undefined])
    }
    assert.strictEqual((await get('cat', '/api/messages/1')).headers['cache-control'], 'no-store')
  })

  test("private: nobody writes in another's name", async () => {
    for (const from of ['ben', 'cat']) await same(say('ann', from, 'ann', 'forged'), FORBIDDEN)
    await same(ask('ann', 'POST', '/api/messages', { sender: { id: ids.ben }, receiver: ids.ann, content: 'forged' }), FORBIDDEN)
    const parts = multipart('x', [{ name: '_payload', data: JSON.stringify({ sender: ids.ben, receiver: ids.ann, content: 'forged' }) }])
    await same(ask('ann', 'POST', '/api/messages', parts, { 'Content-Type': 'multipart/form-data; boundary=x' }), FORBIDDEN)
    await same(ask('ann', 'PATCH', '/api/messages/1', { sender: ids.ben }), FORBIDDEN)
    await same(ask('ann', 'PATCH', '/api/messages/1', { sender: ids.ben, content: 'forged' }), FORBIDDEN)
    const bulk = await ask('ann', 'PATCH', '/api/messages?where[id][exists]=true', { sender: ids.ben })
    assert.strictEqual(bulk.status, 400)
    assert.deepStrictEqual(bulk.json, { docs: [], errors: [{ id: 1, isPublic: true, message: 'You are not allowed to perform this action.' }], message: 'Unable to update 1 out of 1 Message.' })
    await untouched()
  })

  test('private: a message that may be read, but is not its own, is neither changed nor deleted nor copied', async () => {
    for (const [name, id] of [['ben', 1], ['cat', 1], ['ann', 2], ['ann', 99]]) {
      await same(ask(name, 'PATCH', `/api/messages/${id}`, { content: 'x' }), FORBIDDEN)
      await same(ask(name, 'PATCH', `/api/messages/${id}`, { content: '' }), FORBIDDEN)
      await same(ask(name, 'PATCH', `/api/messages/${id}`, { sender: ids[name] }), FORBIDDEN)
      await same(ask(name, 'DELETE', `/api/messages/${id}`), FORBIDDEN)
      await same(ask(name, 'POST', `/api/messages/${id}/duplicate`, {}), FORBIDDEN)
    }
    for (const [name, id] of [['cat', 1], ['ann', 2], ['ann', 99]]) await same(ask(name, 'POST', `/api/messages/${id}/duplicate`, { sender: ids[name] }), FORBIDDEN)
    await untouched()
  })

  test("private: bulk writes meet one's own", async () => {
    const changed = await ask('ann', 'PATCH', '/api/messages?depth=0&where[id][exists]=true', { content: 'mine' })
    assert.deepStrictEqual([changed.status, changed.json.message, changed.json.docs.map((d) => d.id)], [200, 'Updated 1 Message successfully.', [1]])
    await ask('ann', 'PATCH', '/api/messages/1', { content: 'ann-ben' })
    for (const query of ['where[sender][equals]=2', 'where[or][0][id][equals]=2&where[or][1][id][equals]=3', 'where[id][in]=2,3,99'])
      assert.strictEqual((await ask('ann', 'DELETE', `/api/messages?${query}`)).json.message, 'Deleted 0 Messages successfully.', query)
    await untouched()
    const gone = await ask('cat', 'DELETE', '/api/messages?depth=0&where={}')
    assert.deepStrictEqual(gone.json.docs.map((d) => d.content), ['cat-ann'])
    assert.deepStrictEqual(await all(), ['ann-ben', 'ann-ben ben-cat', 'ben-cat'])
    await say('cat', 'cat', 'ann', 'cat-ann')
    await untouched()
  })

  test('private: one changes, copies, forwards and deletes what one wrote', async () => {
    const { id } = (await say('ann', 'ann', 'ben', 'one')).json.doc
    assert.strictEqual((await ask('ann', 'PATCH', `/api/messages/${id}`, { content: 'two' })).json.doc.content, 'two')
    const copy = (await ask('ann', 'POST', `/api/messages/${id}/duplicate`, {})).json.doc
    const forwarded = (await ask('ben', 'POST', `/api/messages/${id}/duplicate`, { sender: ids.ben, receiver: ids.cat })).json.doc
    assert.strictEqual(await contents('cat', '&where[content][equals]=two'), 'two')
    for (const [name, gone] of [['ann', id], ['ann', copy.id], ['ben', forwarded.id]]) assert.strictEqual((await ask(name, 'DELETE', `/api/messages/${gone}`)).status, 200)
    await untouched()
  })

  test('private: a message that goes to another receiver leaves the first', async () => {
    const { id } = (await say('ann', 'ann', 'ben', 'moved')).json.doc
    assert.strictEqual((await ask('ann', 'PATCH', `/api/messages/${id}`, { receiver: ids.cat })).status, 200)
    await same(get('ben', `/api/messages/${id}`), NOT_FOUND)
    assert.strictEqual((await get('cat', `/api/messages/${id}`)).status, 200)
    await ask('ann', 'DELETE', `/api/messages/${id}`)
    const log = await run('sqlite3', [path.join(server.data, 'parley.db'), 'SELECT op, parties FROM parley_log ORDER BY seq DESC LIMIT 3'])
    assert.strictEqual(log.out, `d|{"sender":${ids.ann},"receiver":${ids.cat}}\nu|{"sender":${ids.ann},"receiver":${ids.ben}}\nc|\n`)
    await untouched()
  })

  test('private: a key given again is answered to its own user alone', async () => {
    const send = (name) => ask(name, 'POST', '/api/messages?depth=0', { sender: ids.ann, receiver: ids.ben, content: 'once' }, { 'Idempotency-Key': 'k' })
    const first = await send('ann')
    assert.deepStrictEqual([(await send('ann')).text, first.status], [first.text, 201])
    await same(send('ben'), FORBIDDEN)
    await same(send('nobody'), FORBIDDEN)
    await ask('ann', 'DELETE', `/api/messages/${first.json.doc.id}`)
  })

  // As Payload 3.90.2 told of the same rules, written as functions that return queries.
  test('private: the rights are told as queries', async () => {
    const party = `{"permission":true,"where":{"or":[{"sender":{"equals":${ids.ann}}},{"receiver":{"equals":${ids.ann}}}]}}`
    const author = `{"permission":true,"where":{"sender":{"equals":${ids.ann}}}}`
    const whole = `{"fields":true,"create":true,"read":${party},"update":${author},"delete":${author}}`
    const readable = `{"fields":{${['sender', 'receiver', 'content', 'timestamp', 'updatedAt', 'createdAt'].map((name) => `"${name}":{"read":true}`)}},"read":${party}}`
    await same(ask('ann', 'POST', '/api/messages/access'), [200, whole])
    await same(ask('ann', 'POST', '/api/messages/access/1'), [200, whole])
    await same(ask('ann', 'POST', '/api/messages/access/2'), [200, '{"fields":{}}'])
    await same(ask('ann', 'POST', `/api/messages/access/${(await get('ann', '/api/messages?where[content][equals]=cat-ann')).json.docs[0].id}`), [200, readable])
    await same(ask('ann', 'POST', '/api/messages/access/99'), NOT_FOUND)
    await same(ask('nobody', 'POST', '/api/messages/access'), [200, '{"fields":{}}'])
    assert.ok((await get('ann', '/api/access')).text.includes(`"messages":${whole}`))
    assert.deepStrictEqual(Object.keys((await get('nobody', '/api/access')).json.collections), ['users'])
  })

  test("private: nobody comes to another's messages by changing his account", async () => {
    for (const id of [ids.ann, ids.cat]) {
      await same(ask('ben', 'PATCH', `/api/users/${id}`, { password: 'stolen' }), FORBIDDEN)
      await same(ask('ben', 'PATCH', `/api/users/${id}`, { email: 'ben2@example.com' }), FORBIDDEN)
      await same(ask('ben', 'DELETE', `/api/users/${id}`), FORBIDDEN)
    }
    const bulk = await ask('ben', 'PATCH', '/api/users?where[id][exists]=true', { password: 'another' })
    assert.deepStrictEqual([bulk.status, bulk.json.docs.map((d) => d.id)], [200, [ids.ben]])
    const login = (email, password) => ask('nobody', 'POST', '/api/users/login', { email, password })
    assert.deepStrictEqual([(await login('cat@example.com', 'another')).status, (await login('cat@example.com', 'secret')).status, (await login('ben@example.com', 'another')).status], [401, 200, 200])
    assert.strictEqual((await get('ben', '/api/users')).json.totalDocs, 3)
    const access = (await ask('ben', 'POST', '/api/users/access')).json
    assert.deepStrictEqual([access.read, access.update.where], [true, { id: { equals: ids.ben } }])
  })

  test('private: files are read by those who are signed in, and kept by their own caches alone', async () => {
    const form = multipart('x', [{ name: 'file', filename: 'a.txt', type: 'text/plain', data: 'hello' }, { name: '_payload', data: '{"alt":"x"}' }])
    assert.strictEqual((await ask('ann', 'POST', '/api/media', form, { 'Content-Type': 'multipart/form-data; boundary=x' })).status, 201)
    for (const path of ['', '/1', '/count', '/file/a.txt', '/file/none.txt']) await same(get('nobody', `/api/media${path}`), FORBIDDEN)
    const file = await get('ben', '/api/media/file/a.txt')
    assert.deepStrictEqual([file.text, file.headers['cache-control'], file.headers.vary], ['hello', 'private, no-cache', 'Authorization, Cookie, Origin'])
  })

  test("private: the API's description says who is answered", async () => {
    const { paths } = (await get('nobody', '/api/openapi.json')).json
    const open = ({ security }) => Boolean(security)
    for (const [path, method] of [['/api/messages', 'get'], ['/api/messages', 'post'], ['/api/messages/{id}', 'patch'], ['/api/messages/{id}', 'delete'], ['/api/media/file/{filename}', 'get']]) {
      assert.strictEqual(open(paths[path][method]), false, path)
      assert.ok(paths[path][method].responses[403], path)
    }
    assert.strictEqual(open(paths['/api/users/login'].post), true)
    await server.stop()
  })

  test('private: an open server is as open as before, and a file goes from one to the other', async ({ after }) => {
    await fresh([])
    const { data } = server
    const copy = fs.mkdtempSync(`${data}-copy-`)
    after(() => fs.rmSync(copy, { recursive: true, force: true }))
    assert.strictEqual(await contents('nobody'), 'ann-ben ben-cat cat-ann')
    assert.strictEqual((await say('nobody', 'ann', 'ben', 'anyone')).status, 201)
    await server.kill()
    fs.cpSync(data, copy, { recursive: true })
    await server.stop()
    server = await start(binary, { data: copy, env: { PARLEY_MESSAGES: 'private' } })
    after(() => server.stop())
    assert.strictEqual(await contents('cat'), 'ben-cat cat-ann')
    await same(get('nobody', '/api/messages'), FORBIDDEN)
  })

  test('private: the option has two words', async () => {
    const r = await run(binary, ['--messages', 'secret'])
    assert.deepStrictEqual([r.code !== 0, /--messages must be one of open\|private/.test(r.err)], [true, true])
  })
}
