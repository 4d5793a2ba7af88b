// Names: what users say of themselves, who is told of it, and where it lasts.
'use strict'
const assert = require('node:assert')
const path = require('node:path')
const { start, run, request, admin, say, stream, folder, remove, test } = require('../harness.js')

module.exports = (binary) => {
  const bearer = (token) => ({ Authorization: `Bearer ${token}` })
  const profile = (url, who) => request(`${url}/api/parley/profile`, { headers: bearer(who.token) })
  const change = (url, who, body) => request(`${url}/api/parley/profile`, { method: 'PATCH', headers: bearer(who.token), body })
  const people = (url, who, query = '') => request(`${url}/api/parley/people${query}`, { headers: bearer(who.token) })
  const sqlite = async (data, sql) => {
    const { code, out, err } = await run('sqlite3', [path.join(data, 'parley.db'), sql])
    assert.strictEqual(code, 0, err)
    return out.trim()
  }

  async function join(url, first, email) {
    const body = { email, password: 'secret-1' }
    const { json } = await request(`${url}/api/users`, { method: 'POST', headers: bearer(first.token), body })
    return { id: json.doc.id, token: (await request(`${url}/api/users/login`, { method: 'POST', body })).json.token }
  }

  async function opened(after, options) {
    const server = await start(binary, options)
    after(server.stop)
    const a = await admin(server.url)
    return { server, url: server.url, a, b: await join(server.url, a, 'bob@example.com') }
  }

  const BOB = { id: 2, email: 'bob@example.com', name: null, collection: 'users' }

  test('profile: a name is chosen, shown to all who are signed in, and taken back', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const { status, json, headers } = await profile(url, b)
    assert.deepStrictEqual([status, json, headers['cache-control']], [200, { ...BOB, showLastSeen: true }, 'no-store'])
    const named = await change(url, b, { name: '  Bob \u200b the <b>Builder</b>\n' })
    const name = 'Bob \u200b the <b>Builder</b>'
    assert.deepStrictEqual([named.status, named.json], [200, { ...BOB, name, showLastSeen: true }])
    assert.deepStrictEqual((await profile(url, b)).json, named.json)
    const conversations = (await request(`${url}/api/parley/conversations`, { headers: bearer(a.token) })).json
    assert.deepStrictEqual(conversations.docs.map(({ peer }) => peer.name).sort(), [name, null])
    assert.strictEqual((await request(`${url}/api/parley/conversations/2`, { headers: bearer(a.token) })).json.peer.name, name)
    assert.deepStrictEqual((await people(url, a)).json.docs, [{ id: 1, email: 'admin@example.com', name: null, collection: 'users' }, { ...BOB, name }])
    assert.deepStrictEqual((await change(url, b, { showLastSeen: false })).json, { ...BOB, name, showLastSeen: false }, 'the rest stays')
    assert.deepStrictEqual((await change(url, a, { name })).json.name, name, 'two may have one name')
    for (const none of ['', ' \u3000', '\u200b', null]) {
      await change(url, b, { name: 'Bob' })
      assert.strictEqual((await change(url, b, { name: none })).json.name, null, JSON.stringify(none))
    }
    assert.deepStrictEqual((await profile(url, b)).json, { ...BOB, showLastSeen: false })
    const { json: user } = await request(`${url}/api/users/2`, { headers: bearer(a.token) })
    assert.deepStrictEqual(Object.keys(user).sort(), ['collection', 'createdAt', 'email', 'id', 'sessions', 'updatedAt'], "Payload's document is as it was")
  })

  test('profile: what is no name is refused, and the old one stays', async ({ after }) => {
    const { url, b } = await opened(after)
    await change(url, b, { name: 'Bob' })
    const long = 'x'.repeat(65)
    for (const [name, message] of [['a\nb', /control/], ['a\u0007', /control/], ['\u202eevil', /control/], ['a\u2067b', /control/], [long, /at most 64/], [`${'😀'.repeat(65)}`, /at most 64/], [5, /a text/], [['Bob'], /a text/], [{}, /a text/]]) {
      const { status, json } = await change(url, b, { name, showLastSeen: false })
      assert.strictEqual(status, 400, JSON.stringify(name))
      const [{ name: kind, data }] = json.errors
      assert.deepStrictEqual([kind, data.errors.map((e) => e.path)], ['ValidationError', ['name']])
      assert.match(data.errors[0].message, message)
    }
    assert.strictEqual((await change(url, b, { showLastSeen: 'yes' })).json.errors[0].data.errors[0].path, 'showLastSeen')
    for (const body of ['{', '{"name":"\\u0000"}', '{"name":"a","name":"b"}', '']) {
      const { status } = await request(`${url}/api/parley/profile`, { method: 'PATCH', headers: { ...bearer(b.token), 'Content-Type': 'application/json' }, body })
      assert.strictEqual(status, body ? 400 : 200, body)
    }
    assert.deepStrictEqual((await profile(url, b)).json, { ...BOB, name: 'Bob', showLastSeen: true })
    for (const name of ['😀'.repeat(64), 'ش'.repeat(64), '</script><img src=x onerror=alert(1)>', '"\\']) assert.strictEqual((await change(url, b, { name })).json.name, name)
  })

  test('profile: without a session there are no people and no profile; with one, only one\'s own is changed', async ({ after }) => {
    const { url, a, b } = await opened(after)
    for (const [method, address] of [['GET', 'people'], ['GET', 'profile'], ['PATCH', 'profile'], ['GET', 'presence/1']]) {
      const { status } = await request(`${url}/api/parley/${address}`, { method, ...(method === 'PATCH' && { body: { name: 'x' } }) })
      assert.strictEqual(status, 401, address)
    }
    await change(url, b, { name: 'Bob', id: 1, user: 1 })
    assert.strictEqual((await profile(url, a)).json.name, null)
  })

  test('profile: the cookie counts for pages of listed origins alone', async ({ after }) => {
    const { url, b } = await opened(after, { args: ['--csrf', 'https://chat.example.com'] })
    const send = (headers) => request(`${url}/api/parley/profile`, { method: 'PATCH', headers: { Cookie: `payload-token=${b.token}`, ...headers }, body: { name: 'x' } })
    assert.strictEqual((await send({ Origin: 'https://evil.example.com' })).status, 401)
    assert.strictEqual((await send({ 'Sec-Fetch-Site': 'cross-site' })).status, 401)
    assert.strictEqual((await profile(url, b)).json.name, null)
    assert.strictEqual((await send({ Origin: 'https://chat.example.com' })).status, 200)
  })

  test('profile: people are looked for by address and name, page by page, or by their ids', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const others = []
    for (const email of ['eve@example.com', 'dan@example.com', 'carl_x@example.com']) others.push(await join(url, a, email))
    await change(url, b, { name: 'Zoë 100%' })
    const ids = async (query) => { const { json } = await people(url, a, query); return [json.totalDocs, ...json.docs.map(({ id }) => id)] }
    assert.deepStrictEqual(await ids(''), [5, 1, 2, 5, 4, 3])
    assert.deepStrictEqual(await ids('?search=ZO'), [1, 2])
    assert.deepStrictEqual(await ids('?search=BOB%40'), [1, 2])
    assert.deepStrictEqual(await ids(`?search=${encodeURIComponent('0%')}`), [1, 2])
    assert.deepStrictEqual(await ids(`?search=${encodeURIComponent('%')}`), [1, 2], 'no wildcard')
    assert.deepStrictEqual(await ids('?search=_'), [1, 5])
    assert.deepStrictEqual(await ids('?search='), [5, 1, 2, 5, 4, 3])
    assert.deepStrictEqual(await ids('?search=nobody'), [0])
    assert.deepStrictEqual(await ids('?limit=2&page=2'), [5, 5, 4])
    assert.deepStrictEqual(await ids('?ids=3,2,99,2'), [2, 2, 3])
    assert.deepStrictEqual(await ids('?ids=3,2&search=zo'), [1, 2])
    for (const bad of ['', 'x', '1,', '1;2', '1.5', `1${',1'.repeat(500)}`]) assert.strictEqual((await people(url, a, `?ids=${bad}`)).status, 400, bad)
    assert.strictEqual((await people(url, a, `?ids=1${',1'.repeat(499)}`)).status, 200)
    for (const [query, limit] of [['', 50], ['?limit=0', 500], ['?limit=9999', 500], ['?limit=-1', 50]]) assert.strictEqual((await people(url, a, query)).json.limit, limit)
  })

  test('profile: another name is told to those who ask, once, and nothing else is', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const listen = async (events) => {
      const s = await stream(`${url}/api/parley/stream?collections=messages&limit=0${events}`, bearer(a.token))
      after(s.close)
      await s.first('hello')
      return s
    }
    const [hears, deaf] = [await listen('&events=profile'), await listen('&events=typing')]
    await change(url, b, { name: 'Bob' })
    await change(url, b, { name: 'Bob' })
    await change(url, b, { showLastSeen: false })
    await change(url, b, { name: 'x'.repeat(65) })
    await change(url, b, { name: 'Bobby' })
    await change(url, b, { name: null })
    await hears.until(() => hears.of('profile').at(-1)?.json.name === null, 'the last name')
    await say(url, 'the end')
    for (const s of [hears, deaf]) await s.until(() => s.raw.includes('the end'))
    assert.deepStrictEqual(hears.of('profile').map((e) => e.json), ['Bob', 'Bobby', null].map((name) => ({ ...BOB, name })))
    assert.ok(!/id: [^\n]*\nevent: profile/.test(hears.raw))
    assert.deepStrictEqual(deaf.of('profile'), [])
    assert.strictEqual((await stream(`${url}/api/parley/stream?events=profile`)).status, 401)
  })

  test('profile: names that are given at once are told in the order in which they are kept', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const s = await stream(`${url}/api/parley/stream?collections=messages&limit=0&events=profile`, bearer(a.token))
    after(s.close)
    await s.first('hello')
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => change(url, b, { name: `${round} ${i}` })))
      const kept = (await profile(url, b)).json.name
      await change(url, b, { name: `${round} over` })
      await s.until(() => s.of('profile').at(-1)?.json.name === `${round} over`, 'the last name of the round')
      assert.strictEqual(s.of('profile').at(-2).json.name, kept)
    }
  })

  test('profile: a name that was answered outlives kill -9', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const { server, url, b } = await opened(after, { data })
    await change(url, b, { name: 'Bob the Builder', showLastSeen: false })
    await server.kill('SIGKILL')
    const again = await start(binary, { data })
    after(again.stop)
    assert.deepStrictEqual((await profile(again.url, b)).json, { ...BOB, name: 'Bob the Builder', showLastSeen: false })
  })

  test('profile: it goes with the user, and what signed in goes with the session', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const { server, url, a, b } = await opened(after, { data })
    await request(`${url}/api/users/login`, { method: 'POST', headers: { 'User-Agent': 'curl/8' }, body: { email: 'bob@example.com', password: 'secret-1' } })
    await change(url, b, { name: 'Bob' })
    assert.strictEqual(await sqlite(data, 'SELECT user, name, shows_seen FROM parley_profiles; SELECT agent FROM parley_sessions'), '2|Bob|1\ncurl/8')
    assert.strictEqual((await request(`${url}/api/users/2`, { method: 'DELETE', headers: bearer(a.token) })).status, 200)
    assert.strictEqual((await profile(url, b)).status, 401)
    assert.deepStrictEqual((await people(url, a)).json.docs.map(({ id }) => id), [1])
    await server.stop()
    assert.strictEqual(await sqlite(data, 'SELECT count(*) FROM parley_profiles; SELECT count(*) FROM parley_sessions'), '0\n0')
  })

  test('profile: a file of an older version is upgraded in place', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const first = await opened(after, { data })
    await say(first.url, 'before')
    await first.server.stop()
    await sqlite(data, "DROP TABLE parley_profiles; DROP TABLE parley_sessions; UPDATE parley_meta SET value = '4' WHERE name = 'version'")
    for (let opening = 0; opening < 2; opening++) {
      const server = await start(binary, { data })
      after(server.stop)
      assert.deepStrictEqual((await profile(server.url, first.b)).json, { ...BOB, name: opening ? 'Bob' : null, showLastSeen: true })
      await change(server.url, first.b, { name: 'Bob' })
      const { json } = await request(`${server.url}/api/parley/sessions`, { headers: bearer(first.b.token) })
      assert.deepStrictEqual(json.docs.map(({ userAgent, current }) => [userAgent, current]), [[null, true]])
      assert.strictEqual((await request(`${server.url}/api/messages/count`)).json.totalDocs, 1)
      await server.stop()
      assert.strictEqual(await sqlite(data, "SELECT value FROM parley_meta WHERE name = 'version'"), '5')
    }
  })

  test('profile: answers and events are of the described form', async ({ after }) => {
    const { url, a, b } = await opened(after)
    const { Description } = require('./openapi.js')
    const description = new Description((await request(`${url}/api/openapi.json`)).json)
    const s = await stream(`${url}/api/parley/stream?collections=messages&limit=0&events=profile`, bearer(a.token))
    after(s.close)
    await s.first('hello')
    const look = (method, address, answer) => assert.deepStrictEqual(description.flaws(description.find(method, address), answer), [], address)
    look('PATCH', '/api/parley/profile', await change(url, b, { name: 'Bob' }))
    look('PATCH', '/api/parley/profile', await change(url, b, { name: 5 }))
    look('GET', '/api/parley/profile', await profile(url, b))
    look('GET', '/api/parley/people', await people(url, b, '?search=bob'))
    look('GET', '/api/parley/people', await people(url, b, '?ids=x'))
    look('GET', '/api/parley/presence/1', await request(`${url}/api/parley/presence/1`, { headers: bearer(b.token) }))
    look('GET', '/api/parley/sessions', await request(`${url}/api/parley/sessions`, { headers: bearer(b.token) }))
    const { event, data } = await s.first('profile')
    assert.deepStrictEqual(description.eventFlaws(description.find('GET', '/api/parley/stream'), { event, data }), [])
  })
}
