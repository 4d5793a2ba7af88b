// What the reader may do, byte for byte as Payload 3.90.2 answered the same readers.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, test } = require('../harness.js')

module.exports = (binary) => {
  const ALL = '"create":true,"read":true,"update":true,"delete":true'
  const HIDDEN = ['resetPasswordToken', 'resetPasswordExpiration', 'salt', 'hash', 'resetPasswordRequestedAt', 'loginAttempts', 'lockUntil'].map((name) => `"${name}":{"read":true}`).join()
  const sessions = (rights) => `"sessions":{${rights},"fields":{"id":{${rights}},"createdAt":{${rights}},"expiresAt":{${rights}}}}`
  const user = (rights) => `{"fields":{"updatedAt":true,"createdAt":true,"email":true,${HIDDEN},${sessions(rights)}},${ALL},"unlock":true}`
  const everything = `{"fields":true,${ALL}}`
  const nobody = `{"fields":{${sessions('"read":true')}}}`
  const readable = `{"fields":{${['alt', 'updatedAt', 'createdAt', 'url', 'thumbnailURL', 'filename', 'mimeType', 'filesize', 'width', 'height', 'focalX', 'focalY'].map((name) => `"${name}":{"read":true}`).join()}},"read":true}`
  const own = (id) => `{"permission":true,"where":{"and":[{"user.value":{"equals":${id}}},{"user.relationTo":{"equals":"users"}}]}}`
  const internal = (id) => `"payload-locked-documents":${everything},"payload-preferences":{"fields":true,"create":true,"read":${own(id)},"update":${own(id)},"delete":${own(id)}},"payload-migrations":${everything}`

  let server, auth, bob
  const ask = (path, { signed = false, ...options } = {}) => request(server.url + path, { method: 'POST', headers: signed ? auth : {}, ...options })
  const same = async (answer, text) => {
    const r = await answer
    assert.deepStrictEqual([r.status, r.text], [200, text])
  }

  test('access: of everything, anonymous', async () => {
    server = await start(binary)
    auth = { Authorization: `JWT ${(await admin(server.url)).token}` }
    bob = (await request(`${server.url}/api/users`, { method: 'POST', body: { email: 'bob@example.com', password: 'secret' }, headers: auth })).json.doc.id
    await say(server.url, 'x')
    await same(ask('/api/access', { method: 'GET' }), `{"collections":{"users":${nobody},"media":${readable},"messages":${everything}}}`)
  })

  test("access: of everything, signed in: with Payload's own collections, and the admin panel last", async () => {
    await same(ask('/api/access', { method: 'GET', signed: true }),
      `{"collections":{"users":${user('"create":true')},"media":${everything},"messages":${everything},${internal(1)}},"canAccessAdmin":true}`)
  })

  test("access: preferences are the reader's own", async () => {
    const { token } = (await ask('/api/users/login', { body: { email: 'bob@example.com', password: 'secret' } })).json
    const { text } = await request(`${server.url}/api/access`, { headers: { Authorization: `JWT ${token}` } })
    assert.ok(text.endsWith(`${internal(bob)}},"canAccessAdmin":true}`))
  })

  test('access: of one collection', async () => {
    for (const [slug, anonymous, signed] of [['users', nobody, user('"create":true')], ['media', readable, everything], ['messages', everything, everything]]) {
      await same(ask(`/api/${slug}/access`), anonymous)
      await same(ask(`/api/${slug}/access`, { signed: true }), signed)
      await same(ask(`/api/${slug}/access`, { signed: true, body: {} }), signed)
    }
  })

  test("access: of one document: only one's own sessions can be read", async () => {
    await same(ask('/api/users/access/1'), '{"fields":{}}')
    await same(ask('/api/users/access/1', { signed: true }), user('"create":true,"read":true'))
    await same(ask('/api/users/access/01', { signed: true }), user('"create":true,"read":true'))
    await same(ask(`/api/users/access/${bob}`, { signed: true }), user('"create":true'))
    for (const signed of [false, true]) await same(ask('/api/messages/access/1', { signed }), everything)
  })

  // Payload takes "abc" and 0 for no document in particular, and 1%2F2 for 1.
  test('access: of a document that is not there', async () => {
    for (const id of [99, 'abc', '0', '-1', '1.5', '1%2F2']) {
      for (const signed of [false, true]) assert.strictEqual((await ask(`/api/users/access/${id}`, { signed })).status, 404, id)
    }
  })

  test('access: broken JSON and other routes', async () => {
    assert.deepStrictEqual((await ask('/api/messages/access', { body: Buffer.from('{bad'), headers: { 'Content-Type': 'application/json' } })).json, { errors: [{ message: 'Invalid JSON' }] })
    assert.strictEqual((await ask('/api/access')).json.message, 'Route not found "/api/access"')
    assert.strictEqual((await ask('/api/nothing/access', { signed: true })).json.message, 'Route not found "/api/nothing/access"')
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
  })
}
