// Answers that are given again: never an old one, never another reader's.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, test } = require('../harness.js')

module.exports = (binary) => {
  let server, auth
  const get = (path, headers = {}) => request(server.url + path, { headers })
  const post = (path, body, headers = auth) => request(server.url + path, { method: 'POST', body, headers })

  test('cache: a server for it', async () => {
    server = await start(binary)
    auth = { Authorization: `JWT ${(await admin(server.url)).token}` }
  })

  test('cache: who has written sees it, whoever reads meanwhile', async () => {
    let reading = true
    const readers = Array.from({ length: 4 }, async () => {
      while (reading) for (const path of ['/api/messages', '/api/messages/count', '/api/messages?limit=1']) await get(path)
    })
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      let least = 0
      for (let i = 0; i < 50; i++) {
        const { json: { doc } } = await say(server.url, `${writer} ${i}`)
        const [list, count, one] = [await get('/api/messages?limit=0'), await get('/api/messages/count'), await get(`/api/messages/${doc.id}`)]
        assert.ok(list.json.docs.some((d) => d.id === doc.id), `message ${doc.id} in the list`)
        assert.ok(count.json.totalDocs > least, `${count.json.totalDocs} after ${least}`)
        assert.strictEqual(one.json.content, doc.content)
        least = count.json.totalDocs
      }
    })
    await Promise.all(writers)
    reading = false
    await Promise.all(readers)
  })

  test('cache: a change of what a relation leads to shows', async () => {
    const path = '/api/messages?limit=1&depth=1'
    const email = async () => (await get(path, auth)).json.docs[0].sender.email
    const { json: { doc: { id } } } = await post('/api/users', { email: 'before@example.com', password: 'some-pass-1' })
    await say(server.url, 'by another', { sender: id })
    assert.strictEqual(await email(), 'before@example.com')
    await request(`${server.url}/api/users/${id}`, { method: 'PATCH', body: { email: 'after@example.com' }, headers: auth })
    assert.strictEqual(await email(), 'after@example.com')
  })

  test('cache: each reader has his own', async () => {
    const other = { Authorization: `JWT ${(await post('/api/users/login', { email: 'after@example.com', password: 'some-pass-1' }, {})).json.token}` }
    const sessions = (r) => r.json.docs.map((d) => d.sessions.length > 0)
    for (let i = 0; i < 2; i++) {
      assert.strictEqual((await get('/api/users')).status, 403)
      assert.deepStrictEqual(sessions(await get('/api/users?sort=id', auth)), [true, false])
      assert.deepStrictEqual(sessions(await get('/api/users?sort=id', other)), [false, true])
      assert.strictEqual(typeof (await get('/api/messages?limit=1&depth=1')).json.docs[0].sender, 'number')
      assert.strictEqual((await get('/api/messages?limit=1&depth=1', other)).json.docs[0].sender.email, 'after@example.com')
    }
    await post('/api/users/logout', undefined, other)
    assert.strictEqual((await get('/api/users?sort=id', other)).status, 403)
  })

  test('cache: what is refused is refused again', async () => {
    for (let i = 0; i < 2; i++) {
      assert.strictEqual((await get('/api/messages?where[nothing][equals]=1')).status, 400)
      assert.strictEqual((await get('/api/messages/1000000')).status, 404)
    }
  })

  test('cache: the server for it ends', () => server.stop())

  for (const bytes of ['0', '2000']) {
    test(`cache: with room for ${bytes} bytes`, async () => {
      server = await start(binary, { args: ['--cache-bytes', bytes] })
      await admin(server.url)
      for (let i = 1; i < 30; i++) {
        await say(server.url, 'x')
        for (const path of ['/api/messages?depth=0', `/api/messages/${i}?depth=0`, '/api/messages/count', '/api/messages/count']) {
          const { json } = await get(path)
          assert.strictEqual(json.totalDocs ?? json.id, i, path)
        }
      }
      await server.stop()
    })
  }
}
