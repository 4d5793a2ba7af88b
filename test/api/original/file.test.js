// One database file, served by Parley and by the original in turn: either finds in it what the other one left.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, run, folder, remove, request, admin, ADMIN, say, stream, sleep, test } = require('../../harness.js')

const ORIGINAL = path.join(__dirname, 'server.mjs')
const BOB = { email: 'bob@example.com', password: 'bob-pass-1' }

module.exports = (binary) => {
  const secret = { PAYLOAD_SECRET: 'one secret for both' }
  const parley = (data, args) => start(binary, { data, args, env: secret })
  const original = (data, mode = 'production', args) => start(ORIGINAL, { data, args, env: { ...secret, NODE_ENV: mode } })

  const sqlite = async (data, sql) => {
    const r = await run('sqlite3', [path.join(data, 'parley.db')], { input: sql })
    assert.strictEqual(r.code, 0, r.err)
    return r.out
  }
  const schema = (data) => sqlite(data, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'parley%' ORDER BY name;")
  const ours = (data) => sqlite(data, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'parley%' ORDER BY name;")

  const ask = (server, method, route, body, token) => request(`${server.url}/api/${route}`, { method, body, headers: token ? { Authorization: `JWT ${token}` } : {} })
  const done = async (...args) => {
    const r = await ask(...args)
    assert.ok([200, 201].includes(r.status), `${args[1]} ${args[2]}: ${r.text}`)
    return r.json
  }
  const login = async (server, who) => (await done(server, 'POST', 'users/login', who)).token
  const me = async (server, token) => (await done(server, 'GET', 'users/me', undefined, token)).user?.email

  // What a server shows, to the letter, to everyone and to an account; but Parley keeps the sessions of others to itself.
  const ROUTES = [
    ...[0, 1, 2].flatMap((depth) => ['messages', 'users', 'media'].map((slug) => `${slug}?limit=0&depth=${depth}`)),
    'messages?limit=3&page=2&sort=content', 'messages?where[content][like]=e&sort=-id', 'messages?where[receiver.email][equals]=bob@example.com',
    'messages/count?where[sender][equals]=1', 'messages/2?depth=2', 'messages/4?depth=0', 'messages/9999', 'users/1', 'users/2', 'users/me', 'users/init',
  ]
  const shown = async (server, token) => {
    const id = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).id
    const foreign = (name, value) => {
      if (value?.collection !== 'users' || value.id === id) return value
      const { sessions, ...rest } = value
      return rest
    }
    const answers = {}
    for (const route of ROUTES) {
      for (const [who, key] of [['everyone', undefined], ['the account', token]]) {
        const { status, json } = await ask(server, 'GET', route, undefined, key)
        answers[`${route} to ${who}`] = `${status} ${JSON.stringify(json, foreign)}`
      }
    }
    return answers
  }

  const showsAs = async (server, token, before) => {
    const now = await shown(server, token)
    for (const [route, answer] of Object.entries(before)) assert.strictEqual(now[route], answer, route)
  }

  // The stream's place now, and what comes after it.
  const place = async (server) => {
    const s = await stream(`${server.url}/api/messages/sse`)
    const { id } = await s.first('message')
    s.close()
    return id
  }
  const since = async (server, cursor, docs, deletes) => {
    const s = await stream(`${server.url}/api/messages/sse`, { 'Last-Event-ID': cursor })
    const messages = await s.docs(docs)
    await s.until(() => s.of('delete').length >= deletes, `${deletes} deletes`)
    s.close()
    assert.strictEqual(s.of('reset').length, 0)
    return { messages: messages.map((d) => [d.id, d.content]).sort(([a], [b]) => a - b), deleted: s.of('delete').flatMap((e) => e.json.map((d) => d.id)) }
  }

  const uploads = async (server) => !/^Route not found/.test((await ask(server, 'POST', 'media', {})).json.message)
  const upload = async (server, token, name) => {
    const form = new FormData()
    form.append('file', new Blob([`the text of ${name}`], { type: 'text/plain' }), name)
    form.append('_payload', JSON.stringify({ alt: name }))
    const r = await fetch(`${server.url}/api/media`, { method: 'POST', headers: { Authorization: `JWT ${token}` }, body: form })
    assert.strictEqual(r.status, 201, await r.text())
  }
  // The files of all media can be read.
  const files = async (server) => {
    if (!await uploads(server)) return console.log('skipped  original: reading files, where a server takes no uploads')
    for (const { url, filename } of (await done(server, 'GET', 'media?limit=0')).docs) {
      const r = await request(server.url + url)
      assert.deepStrictEqual([r.status, r.text], [200, `the text of ${filename}`])
    }
  }

  // Parley's own view of who talks to whom: [peer, the newest message, unread, read] of the conversations that have one.
  const talks = async (server, token) => (await done(server, 'GET', 'parley/conversations', undefined, token)).docs
    .filter((c) => c.last).map((c) => [c.peer.id, c.last.id, c.unread, c.read])

  const TEXTS = ['plain', 'über 😀', 'two\nlines', '"quoted" \\ \t', '<b>&amp;</b>', '   ', '%_like', 'end']
  const fill = async (server) => {
    const { token } = await admin(server.url)
    await done(server, 'POST', 'users', BOB, token)
    for (const [i, content] of TEXTS.entries()) await done(server, 'POST', 'messages', { sender: 1 + (i % 2), receiver: 2 - (i % 2), content, timestamp: `2024-02-0${1 + (i % 3)}T12:00:00+01:00` })
    await done(server, 'PATCH', 'messages/2', { content: 'edited' })
    await done(server, 'DELETE', `messages/${TEXTS.length}`)
    if (await uploads(server)) await upload(server, token, 'first.txt')
    return token
  }

  test("original: it takes over Parley's file, and Parley takes it back", async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await parley(data)
    after(() => server.stop())
    const token = await fill(server)
    const cursor = await place(server)
    assert.deepStrictEqual(await talks(server, token), [[2, 7, 3, 0]])
    await done(server, 'POST', 'parley/conversations/2/read', { message: 4 }, token)
    const left = await shown(server, token)
    await server.stop()
    const tables = await schema(data)

    server = await original(data)
    await showsAs(server, token, left)
    await files(server)
    const theirs = await login(server, ADMIN)
    assert.strictEqual(await me(server, await login(server, BOB)), BOB.email)
    const again = (await done(server, 'POST', 'messages', { sender: 1, receiver: 2, content: 'written there' })).doc.id
    await done(server, 'PATCH', 'messages/1', { content: 'edited there' })
    await done(server, 'PATCH', 'messages?where[content][equals]=edited', { content: 'edited there with others' })
    await done(server, 'DELETE', 'messages/3')
    const copy = (await done(server, 'POST', 'messages/4/duplicate', {})).doc.id
    const dora = { email: 'dora@example.com', password: 'dora-pass-1' }
    await done(server, 'POST', 'users', dora, theirs)
    if ((await done(server, 'GET', 'media')).totalDocs) await upload(server, theirs, 'second.txt')
    const back = await shown(server, theirs)
    await server.stop()
    assert.strictEqual(await schema(data), tables)

    server = await parley(data)
    await showsAs(server, theirs, back)
    await files(server)
    assert.deepStrictEqual(await talks(server, token), [[2, copy, 2, 4]])
    assert.strictEqual(await me(server, token), ADMIN.email)
    assert.strictEqual(await me(server, await login(server, dora)), dora.email)
    assert.deepStrictEqual(await since(server, cursor, 4, 1), {
      messages: [[1, 'edited there'], [2, 'edited there with others'], [again, 'written there'], [copy, TEXTS[3]]],
      deleted: [3],
    })
    await done(server, 'DELETE', `messages/${copy}`)
    assert.strictEqual((await say(server.url, 'written here')).json.doc.id, copy + 1)
    const last = await shown(server, theirs)
    await server.stop()

    server = await original(data)
    await showsAs(server, theirs, last)
  })

  test('original: Parley opens its file in place, and it takes the file back', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await original(data, 'development')
    after(() => server.stop())
    const token = await fill(server)
    const left = await shown(server, token)
    await server.stop()
    const tables = await schema(data)

    server = await parley(data)
    await showsAs(server, token, left)
    await files(server)
    const mine = await login(server, BOB)
    assert.deepStrictEqual([await talks(server, token), await talks(server, mine)], [[[2, 7, 0, 7]], [[1, 7, 0, 7]]])
    const cursor = await place(server)
    const id = (await say(server.url, 'written here')).json.doc.id
    await done(server, 'PATCH', 'messages/4', { content: 'edited here' })
    await done(server, 'DELETE', 'messages/5')
    await done(server, 'PATCH', 'users/2', { email: 'robert@example.com' }, mine)
    await done(server, 'POST', 'users', { email: 'eve@example.com', password: 'eve-pass-1' }, mine)
    const worked = await shown(server, mine)
    await server.stop()
    assert.strictEqual(await schema(data), tables)

    server = await original(data)
    await showsAs(server, mine, worked)
    await files(server)
    assert.strictEqual(await me(server, await login(server, { email: 'eve@example.com', password: 'eve-pass-1' })), 'eve@example.com')
    await done(server, 'DELETE', 'messages/4')
    const next = (await done(server, 'POST', 'messages', { sender: 1, receiver: 1, content: 'written there' })).doc.id
    const back = await shown(server, mine)
    await server.stop()

    server = await parley(data)
    await showsAs(server, mine, back)
    assert.deepStrictEqual(await since(server, cursor, 2, 2), { messages: [[id, 'written here'], [next, 'written there']], deleted: [5, 4] })
    assert.deepStrictEqual(await talks(server, token), [[1, next, 2, 0], [2, 7, 0, 7]])
    const later = await place(server)
    await server.stop()

    // Nothing of Parley's tells of a message that it never saw change.
    server = await original(data)
    await done(server, 'DELETE', 'messages/1')
    await server.stop()
    server = await parley(data)
    const s = await stream(`${server.url}/api/messages/sse`, { 'Last-Event-ID': later })
    after(s.close)
    assert.strictEqual((await s.first('reset')).json.reason, 'foreign')
  })

  for (const [maker, make] of [['Parley', parley], ['the original', (data) => original(data, 'development')]]) {
    test(`original: in development mode it drops Parley's tables and nothing else of a file that ${maker} made`, async ({ after }) => {
      const data = folder()
      after(() => remove(data))
      let server = await make(data)
      after(() => server.stop())
      const token = await fill(server)
      await server.stop()
      server = await parley(data)
      const cursor = await place(server)
      const left = await shown(server, token)
      await server.stop()
      const [tables, mine] = [await schema(data), await ours(data)]
      assert.match(mine, /parley_log/)

      server = await original(data, 'development')
      await showsAs(server, token, left)
      await server.stop()
      assert.strictEqual(await schema(data), tables)
      assert.strictEqual(await ours(data), '')

      server = await parley(data)
      assert.strictEqual(await ours(data), mine)
      await showsAs(server, token, left)
      const s = await stream(`${server.url}/api/messages/sse`, { 'Last-Event-ID': cursor })
      after(s.close)
      const reset = await s.first('reset')
      assert.strictEqual(reset.json.reason, 'foreign')
      assert.notStrictEqual(reset.json.epoch, cursor.split('-')[0])
      assert.strictEqual((await s.docs(1)).length, TEXTS.length - 1)
      await say(server.url, 'goes on')
      await s.until(() => s.of('message').length === 2, 'the message after it')
    })
  }

  test('original: sessions, locks and forgotten passwords are the same on both sides', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const mail = ['--mail-command', `cat >> '${path.join(data, 'mail')}'`]
    const sides = { parley: () => parley(data, mail), original: () => original(data, 'production', mail) }
    let server = await sides.parley()
    after(() => server.stop())
    const go = async (side) => {
      await server.stop()
      server = await sides[side]()
    }
    const { token } = await admin(server.url)
    const account = (name) => ({ email: `${name}@example.com`, password: `${name}-pass-1` })
    for (const name of ['bob', 'ben', 'carl']) await done(server, 'POST', 'users', account(name), token)
    const carl = account('carl')

    for (const [here, there, one] of [['parley', 'original', account('bob')], ['original', 'parley', account('ben')]]) {
      await go(here)
      const [ended, kept] = [await login(server, one), await login(server, one)]
      await done(server, 'POST', 'users/logout', undefined, ended)
      const fresh = (await done(server, 'POST', 'users/refresh-token', undefined, kept)).refreshedToken
      for (let i = 0; i < 5; i++) await ask(server, 'POST', 'users/login', { ...carl, password: 'wrong' })
      await done(server, 'POST', 'users/forgot-password', { email: one.email })
      const found = () => fs.existsSync(path.join(data, 'mail')) && fs.readFileSync(path.join(data, 'mail'), 'utf8').match(/\b[0-9a-f]{40}\b/)
      for (let i = 0; i < 200 && !found(); i++) await sleep(50)
      const [reset] = found()
      fs.rmSync(path.join(data, 'mail'))

      await go(there)
      assert.deepStrictEqual([await me(server, ended), await me(server, kept), await me(server, fresh)], [undefined, one.email, one.email])
      assert.match((await ask(server, 'POST', 'users/login', carl)).text, /locked/)
      await done(server, 'POST', 'users/unlock', { email: carl.email }, fresh)
      await login(server, carl)
      await done(server, 'POST', 'users/reset-password', { token: reset, password: 'a new one' })
      assert.strictEqual(await me(server, fresh), undefined)
      assert.strictEqual((await ask(server, 'POST', 'users/login', one)).status, 401)
      await login(server, { ...one, password: 'a new one' })
    }
  })
}
