// Which sessions a new password ends, and what the token of an ended one is good for, as in the original; whose sessions there
// are, and ending one of them.
'use strict'
const assert = require('node:assert')
const path = require('node:path')
const { start, run, request, admin, stream, ADMIN, test } = require('../harness.js')

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

  const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'

  async function twoUsers(after) {
    const server = await start(binary)
    after(server.stop)
    url = server.url
    a = (await admin(url)).token
    await user('b@example.com')
    const enter = async (agent) => (await request(`${url}/api/users/login`, { method: 'POST', headers: agent === undefined ? {} : { 'User-Agent': agent }, body: { email: 'b@example.com', password: 'abc' } })).json.token
    const list = async (token) => (await request(`${url}/api/parley/sessions`, { headers: signed(token) })).json.docs
    const end = (token, id, headers = signed(token)) => request(`${url}/api/parley/sessions/${id}`, { method: 'DELETE', headers })
    return { server, enter, list, end }
  }

  test('sessions: one sees one\'s own, with what signed in, and no other\'s', async ({ after }) => {
    const { enter, list } = await twoUsers(after)
    const tokens = [await enter(CHROME), await enter('curl/8.0'), await enter(), await enter(`${'x'.repeat(300)}`), await enter('\u00ff<b>')]
    const docs = await list(tokens[1])
    assert.deepStrictEqual(docs.map(({ userAgent, current }) => [userAgent, current]),
      [['curl/8.0', true], ['\u00ff<b>', false], ['x'.repeat(256), false], [null, false], [CHROME, false]])
    for (const { id, createdAt, expiresAt } of docs) {
      assert.match(id, /^[0-9a-f-]{36}$/)
      assert.strictEqual(Date.parse(expiresAt) - Date.parse(createdAt), 7200_000)
    }
    const { json } = await request(`${url}/api/users/me`, { headers: signed(tokens[0]) })
    assert.deepStrictEqual(json.user.sessions.map(({ id }) => id).sort(), docs.map(({ id }) => id).sort())
    assert.deepStrictEqual(Object.keys(json.user.sessions[0]), ['id', 'createdAt', 'expiresAt'], "Payload's own list is as it was")
    assert.deepStrictEqual((await list(a)).map(({ current }) => current), [true])
    assert.strictEqual((await request(`${url}/api/parley/sessions`)).status, 401)
  })

  test('sessions: of very many the newest are shown, and always the one that asks', async ({ after }) => {
    const { server, enter, list } = await twoUsers(after)
    const first = await enter('first')
    const { code, err } = await run('sqlite3', ['-cmd', '.timeout 10000', path.join(server.data, 'parley.db'),
      'WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 104) ' +
      "INSERT INTO users_sessions SELECT i + 2, 2, 'more-' || i, NULL, '2999-01-01T00:00:00.000Z' FROM n"])
    assert.strictEqual(code, 0, err)
    const docs = await list(first)
    assert.strictEqual(docs.length, 100)
    assert.deepStrictEqual([docs[0].userAgent, docs[1].id, docs[1].createdAt, docs[99].id], ['first', 'more-104', null, 'more-6'])
  })

  test('sessions: ending one ends it, its streams with a bye, and no other', async ({ after }) => {
    const { enter, list, end } = await twoUsers(after)
    const [here, there, third] = [await enter('here'), await enter('there'), await enter('third')]
    const listen = async (token) => {
      const s = await stream(`${url}/api/parley/stream?collections=messages&limit=0&events=presence`, signed(token))
      after(s.close)
      await s.first('hello')
      return s
    }
    const streams = [await listen(here), await listen(there)]
    const { id } = (await list(here)).find(({ userAgent }) => userAgent === 'there')
    const { status, text } = await end(here, id)
    assert.deepStrictEqual([status, text], [204, ''])
    assert.deepStrictEqual((await streams[1].first('bye')).json, { reason: 'signed-out' })
    await streams[1].until(() => streams[1].closed)
    assert.deepStrictEqual(await alive(here, there, third, a), [true, false, true, true])
    assert.deepStrictEqual(streams[0].of('bye'), [])
    assert.deepStrictEqual((await list(here)).map(({ userAgent }) => userAgent), ['here', 'third'])
    assert.strictEqual((await end(here, id)).status, 404, 'it is gone')
    const own = (await list(third)).find(({ current }) => current)
    assert.strictEqual((await end(third, own.id)).status, 204)
    assert.deepStrictEqual(await alive(here, third), [true, false])
  })

  test('sessions: nobody ends another\'s', async ({ after }) => {
    const { enter, list, end } = await twoUsers(after)
    const b = await enter('b')
    const [{ id }] = await list(b)
    for (const who of [a]) assert.deepStrictEqual((await end(who, id)).json, (await end(who, 'no-such-session')).json)
    assert.strictEqual((await end(a, id)).status, 404)
    assert.strictEqual((await end('', id, {})).status, 401)
    assert.strictEqual((await end('', id, { Authorization: 'JWT x.y.z' })).status, 401)
    assert.deepStrictEqual(await alive(a, b), [true, true])
  })

  test('sessions: the cookie ends one for pages of listed origins alone', async ({ after }) => {
    const server = await start(binary, { args: ['--csrf', 'https://chat.example.com'] })
    after(server.stop)
    const { token } = await admin(server.url)
    const other = (await request(`${server.url}/api/users/login`, { method: 'POST', body: ADMIN })).json.token
    const { json } = await request(`${server.url}/api/parley/sessions`, { headers: signed(token) })
    const { id } = json.docs.find(({ current }) => !current)
    const end = (headers) => request(`${server.url}/api/parley/sessions/${id}`, { method: 'DELETE', headers: { Cookie: `payload-token=${token}`, ...headers } })
    assert.strictEqual((await end({ Origin: 'https://evil.example.com' })).status, 401)
    assert.strictEqual((await end({})).status, 401)
    assert.strictEqual((await end({ Origin: 'https://chat.example.com' })).status, 204)
    assert.strictEqual((await request(`${server.url}/api/users/me`, { headers: signed(other) })).json.user, null)
  })
}
