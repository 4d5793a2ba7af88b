// Which sessions a new password ends, and what the token of an ended one is good for: both as in the original.
'use strict'
const assert = require('node:assert')
const { start, request, admin, test } = require('../harness.js')

module.exports = (binary) => {
  let url, a
  const signed = (token) => ({ Authorization: `JWT ${token}` })
  const patch = (path, body, token) => request(`${url}/api/users${path}`, { method: 'PATCH', body, headers: signed(token) })
  const alive = async (...tokens) => Promise.all(tokens.map(async (token) => Boolean((await request(`${url}/api/users/me`, { headers: signed(token) })).json.user)))
  const user = async (email) => (await request(`${url}/api/users`, { method: 'POST', body: { email, password: 'abc' }, headers: signed(a) })).json.doc.id
  const login = async (email, password = 'abc') => (await request(`${url}/api/users/login`, { method: 'POST', body: { email, password } })).json.token

  test('sessions: a new password ends all of its user but the one that set it', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    url = server.url
    a = (await admin(url)).token
    const id = await user('b@example.com')
    const [b1, b2] = [await login('b@example.com'), await login('b@example.com')]
    assert.deepStrictEqual(await alive(b1, b2), [true, true])
    assert.strictEqual((await patch(`/${id}`, { email: 'b@example.com' }, b1)).status, 200)
    assert.deepStrictEqual(await alive(b1, b2), [true, true], 'no new password')
    const answer = await patch(`/${id}`, { password: 'abcd' }, b1)
    assert.deepStrictEqual(answer.json.doc.sessions.length, 1)
    assert.deepStrictEqual(await alive(a, b1, b2), [true, true, false])
    await patch(`/${id}`, { password: 'abcde' }, a)
    assert.deepStrictEqual(await alive(a, b1, b2), [true, false, false], 'set by somebody else')
    const c = await user('c@example.com')
    const [b3, c1, c2] = [await login('b@example.com', 'abcde'), await login('c@example.com'), await login('c@example.com')]
    assert.strictEqual((await patch(`?where[id][in]=${id},${c}`, { password: 'abcdef' }, c1)).status, 200)
    assert.deepStrictEqual(await alive(a, b3, c1, c2), [true, false, true, false])
  })

  // A browser goes on sending the cookie of a session that has ended: it shuts nobody out of what is open to all, and opens nothing.
  test('sessions: the token of an ended one is as none', async ({ after }) => {
    for (const [messages, said] of [['open', 201], ['private', 403]]) {
      const server = await start(binary, { args: ['--messages', messages] })
      after(server.stop)
      url = server.url
      a = (await admin(url)).token
      const [b, c] = [await user('b@example.com'), await user('c@example.com')]
      const ended = [await login('b@example.com'), await login('c@example.com')]
      const say = (token) => request(`${url}/api/messages`, { method: 'POST', body: { sender: b, receiver: 1, content: 'x' }, headers: signed(token) })
      assert.strictEqual((await request(`${url}/api/users/${c}`, { method: 'DELETE', headers: signed(ended[1]) })).status, 200)
      assert.strictEqual((await say(ended[0])).status, 201)
      assert.strictEqual((await request(`${url}/api/users/logout`, { method: 'POST', headers: signed(ended[0]) })).status, 200)
      assert.deepStrictEqual(await alive(...ended), [false, false])
      for (const token of ended) {
        assert.strictEqual((await say(token)).status, said, messages)
        assert.strictEqual((await request(`${url}/api/users`, { headers: signed(token) })).status, 403)
      }
    }
  })
}
