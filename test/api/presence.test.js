// Who is there: those with a stream that asks for events, and a moment longer.
'use strict'
const assert = require('node:assert')
const { start, request, admin, stream, test } = require('../harness.js')

module.exports = (binary) => {
  const bearer = (token) => ({ Authorization: `Bearer ${token}` })

  async function opened(after, users) {
    const server = await start(binary)
    after(server.stop)
    const { url } = server
    const tokens = [(await admin(url)).token]
    for (let id = 2; id <= users; id++) {
      const body = { email: `u${id}@example.com`, password: 'secret-1' }
      await request(`${url}/api/users`, { method: 'POST', headers: bearer(tokens[0]), body })
      tokens.push((await request(`${url}/api/users/login`, { method: 'POST', body })).json.token)
    }
    const enter = async (token, query = 'events=presence') => {
      const s = await stream(`${url}/api/parley/stream?collections=messages&limit=0&${query}`, bearer(token))
      after(s.close)
      await s.first('hello')
      return s
    }
    const online = async () => (await request(`${url}/api/parley/presence`, { headers: bearer(tokens[0]) })).json.online.sort()
    return { server, url, tokens, enter, online }
  }
  const told = (s, user) => s.of('presence').map((e) => e.json).filter((p) => p.user === user).map((p) => p.online)
  const sees = (s, user, ...changes) => s.until(() => told(s, user).length >= changes.length, `${changes} of ${user}`).then(() => assert.deepStrictEqual(told(s, user), changes))

  test('presence: who comes and goes is told to those who ask', async ({ after }) => {
    const { url, tokens: [a, b, c], enter, online } = await opened(after, 3)
    assert.deepStrictEqual(await online(), [])
    const watcher = await enter(a), plain = await enter(c, ''), deaf = await enter(c, 'events=typing')
    await sees(watcher, 1, true)
    await sees(watcher, 3, true)
    assert.deepStrictEqual(await online(), [1, 3])
    const s = await enter(b, 'events=read')
    await sees(watcher, 2, true)
    assert.deepStrictEqual(await online(), [1, 2, 3])
    assert.match((await request(`${url}/api/parley/metrics`)).text, /^parley_users_online 3$/m)
    s.close()
    await sees(watcher, 2, true, false)
    assert.deepStrictEqual(await online(), [1, 3])
    assert.deepStrictEqual([plain, deaf].map((x) => x.of('presence')), [[], []])
    assert.ok(!/id: [^\n]*\nevent: presence/.test(watcher.raw))
  })

  test('presence: a stream that asks for nothing is nobody', async ({ after }) => {
    const { url, tokens: [a, b], enter, online } = await opened(after, 2)
    await enter(b, '')
    const original = await stream(`${url}/api/messages/sse?events=presence`, bearer(b))
    after(original.close)
    await original.first('hello')
    await enter(a)
    assert.deepStrictEqual(await online(), [1])
  })

  test('presence: a page that is loaded again is no news, and two streams are one user', async ({ after }) => {
    const { tokens: [a, b, c], enter, online } = await opened(after, 3)
    const watcher = await enter(a), leaves = await enter(c)
    let first = await enter(b)
    const second = await enter(b)
    await sees(watcher, 2, true)
    await sees(watcher, 3, true)
    second.close()
    for (let i = 0; i < 3; i++) {
      first.close()
      first = await enter(b)
    }
    leaves.close() // later than all of that: when he is gone, so is what they could have been told
    await sees(watcher, 3, true, false)
    assert.deepStrictEqual(told(watcher, 2), [true])
    assert.deepStrictEqual(await online(), [1, 2])
  })

  test('presence: who signs out, and who is removed, is gone', async ({ after }) => {
    const { url, tokens: [a, b, c], enter, online } = await opened(after, 3)
    const watcher = await enter(a)
    await enter(b)
    await enter(c)
    await sees(watcher, 2, true)
    await sees(watcher, 3, true)
    await request(`${url}/api/users/logout`, { method: 'POST', headers: bearer(b) })
    await request(`${url}/api/users/3`, { method: 'DELETE', headers: bearer(a) })
    await sees(watcher, 2, true, false)
    await sees(watcher, 3, true, false)
    assert.deepStrictEqual(await online(), [1])
  })

  test('presence: when somebody was last here is told once he is gone, unless he hides it', async ({ after }) => {
    const { url, tokens: [a, b, c], enter } = await opened(after, 3)
    const look = async (user, token = a) => (await request(`${url}/api/parley/presence/${user}`, { headers: bearer(token) })).json
    assert.deepStrictEqual(await look(2), { user: 2, online: false, lastSeen: null }, 'not since the server started')
    const watcher = await enter(a)
    let s = await enter(b)
    const hidden = await enter(c)
    await sees(watcher, 2, true)
    await sees(watcher, 3, true)
    assert.deepStrictEqual(await look(2), { user: 2, online: true, lastSeen: null })
    const hide = await request(`${url}/api/parley/profile`, { method: 'PATCH', headers: bearer(c), body: { showLastSeen: false } })
    assert.strictEqual(hide.status, 200)
    const before = Date.now()
    s.close()
    hidden.close()
    await sees(watcher, 2, true, false)
    await sees(watcher, 3, true, false)
    const { lastSeen, ...rest } = await look(2)
    assert.deepStrictEqual(rest, { user: 2, online: false })
    assert.ok(Date.parse(lastSeen) >= before - 1000 && Date.parse(lastSeen) < Date.now() - 3000, `${lastSeen}: when he left, not when that was told`)
    assert.strictEqual((await look(2)).lastSeen.slice(0, 19), lastSeen.slice(0, 19), 'asked again it is the same')
    assert.deepStrictEqual(await look(3), { user: 3, online: false, lastSeen: null })
    assert.deepStrictEqual(await look(3, c), { user: 3, online: false, lastSeen: null })
    assert.ok(!/lastSeen/.test(watcher.raw))
    s = await enter(b)
    assert.deepStrictEqual(await look(2), { user: 2, online: true, lastSeen: null })
    for (const none of [99, 0, 'x', '2x', '-1']) assert.strictEqual((await request(`${url}/api/parley/presence/${none}`, { headers: bearer(a) })).status, 404, `${none}`)
    s.close()
  })
}
