// The database file: Payload's own, and what another program did to it meanwhile.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, run, folder, remove, request, admin, say, stream, test } = require('../harness.js')

module.exports = (binary) => {
  const sqlite = async (file, sql) => {
    const r = await run('sqlite3', [file], { input: sql })
    assert.strictEqual(r.code, 0, r.err)
    return r.out
  }
  const SCHEMA = "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'parley%' ORDER BY name;"
  const recorded = (name) => fs.readFileSync(path.join(__dirname, 'payload', name), 'utf8')

  const hello = async (server) => {
    const s = await stream(`${server.url}/api/messages/sse`)
    const { json } = await s.first('hello')
    s.close()
    return json
  }

  test("file: a new one has exactly Payload 3.90.2's tables and indexes", async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    assert.strictEqual(await sqlite(path.join(server.data, 'parley.db'), SCHEMA), recorded('schema-3.90.2.sql'))
  })

  test('file: one of Payload 3.9.0 is opened in place; an old password is kept in the new form from its first login on', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const file = path.join(data, 'parley.db')
    await sqlite(file, recorded('seed-3.9.0.sql'))
    const server = await start(binary, { data })
    after(server.stop)
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).json.totalDocs, 8)
    const login = () => request(`${server.url}/api/users/login`, { method: 'POST', body: { email: 'ann@example.com', password: 'ann-pass-1' } })
    for (let i = 0; i < 2; i++) assert.strictEqual((await login()).status, 200)
    assert.match(await sqlite(file, 'SELECT hash FROM users ORDER BY id;'), /^pbkdf2-sha256-v1:[0-9a-f]{64}\n[0-9a-f]{1024}\n$/)
    assert.strictEqual((await say(server.url, 'new')).json.doc.id, 9)
  })

  test('file: what another program wrote meanwhile has its place in the stream', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    await admin(server.url)
    const ids = []
    for (const content of ['kept', 'edited', 'deleted', 'replaced']) ids.push((await say(server.url, content)).json.doc.id)
    await request(`${server.url}/api/messages/${ids[3]}`, { method: 'DELETE' })
    const first = await stream(`${server.url}/api/messages/sse`)
    const { id } = await first.first('message')
    first.close()
    await server.stop()
    const now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    await sqlite(path.join(data, 'parley.db'), `
      UPDATE messages SET content = 'edited elsewhere', updated_at = ${now} WHERE id = ${ids[1]};
      DELETE FROM messages WHERE id = ${ids[2]};
      INSERT INTO messages VALUES (${ids[3]}, 1, 1, 'an id used again', ${now}, ${now}, ${now});
      INSERT INTO messages VALUES (100, 1, 1, 'new elsewhere', ${now}, ${now}, ${now});`)
    server = await start(binary, { data })
    after(server.stop)
    const s = await stream(`${server.url}/api/messages/sse`, { 'Last-Event-ID': id })
    after(s.close)
    const docs = await s.docs(3)
    assert.deepStrictEqual(docs.map((d) => d.content).sort(), ['an id used again', 'edited elsewhere', 'new elsewhere'])
    assert.deepStrictEqual(s.of('delete').map((e) => e.json[0].id), [ids[2]])
    assert.strictEqual(s.of('reset').length, 0)
    assert.strictEqual((await say(server.url, 'next')).json.doc.id, 101)
  })

  test('file: a date that Payload kept as it was sent is shown as ISO text, and one that is none as it is', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    await admin(server.url)
    await server.stop()
    const dates = { '2024-02-01T12:00:00+01:00': '2024-02-01T11:00:00.000Z', '6 May 2024 10:00 GMT+0200': '2024-05-06T08:00:00.000Z', '2024-05-06': '2024-05-06T00:00:00.000Z', garbage: 'garbage' }
    const rows = Object.keys(dates).map((date, i) => `(${i + 1}, 1, 1, 'x', '${date}', '2024-01-0${i + 1}T00:00:00.000Z', '${date}')`)
    await sqlite(path.join(data, 'parley.db'), `INSERT INTO messages VALUES ${rows.join()};`)
    server = await start(binary, { data })
    after(server.stop)
    const { docs } = (await request(`${server.url}/api/messages?sort=id`)).json
    assert.deepStrictEqual(docs.map((d) => [d.timestamp, d.createdAt]), Object.values(dates).map((date) => [date, date]))
    const s = await stream(`${server.url}/api/messages/sse`)
    after(s.close)
    assert.deepStrictEqual((await s.docs(4)).map((d) => d.timestamp).sort(), Object.values(dates).sort())
  })

  test('file: of a document that is older than the log and is gone, readers are told to begin anew', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data, args: ['--keep-changes', '1'] })
    await admin(server.url)
    for (const content of ['gone', 'kept', 'in the log']) await say(server.url, content)
    const { epoch, head, oldest } = await hello(server)
    assert.strictEqual(oldest, head)
    await server.stop()
    await sqlite(path.join(data, 'parley.db'), 'DELETE FROM messages WHERE id = 1;')
    server = await start(binary, { data })
    after(server.stop)
    const s = await stream(`${server.url}/api/messages/sse?since=${epoch}-${head}`)
    after(s.close)
    assert.strictEqual((await s.first('reset')).json.reason, 'foreign')
    assert.deepStrictEqual((await s.docs(2)).map((d) => d.content), ['in the log', 'kept'])
  })

  test("file: without Parley's own tables it begins a new epoch, and no document suffers", async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    await admin(server.url)
    await say(server.url, 'kept')
    const first = await stream(`${server.url}/api/messages/sse`)
    const { id } = await first.first('message')
    first.close()
    await server.stop()
    await sqlite(path.join(data, 'parley.db'), 'DROP TABLE parley_log; DROP TABLE parley_ids; DROP TABLE parley_meta;')
    server = await start(binary, { data })
    after(server.stop)
    const s = await stream(`${server.url}/api/messages/sse`, { 'Last-Event-ID': id })
    after(s.close)
    assert.strictEqual((await s.first('reset')).json.reason, 'foreign')
    assert.deepStrictEqual((await s.docs(1)).map((d) => d.content), ['kept'])
  })

  test('file: nothing changes in it when it is opened again, but that one epoch more begins', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const EPOCH = /^INSERT INTO parley_epochs .*\n/gm
    const dump = async () => {
      const all = await sqlite(path.join(data, 'parley.db'), '.dump')
      return { rest: all.replace(EPOCH, ''), epochs: all.match(EPOCH) }
    }
    let server = await start(binary, { data })
    await admin(server.url)
    await say(server.url, 'one')
    await server.stop()
    const before = await dump()
    for (let i = 0; i < 2; i++) {
      server = await start(binary, { data })
      await server.stop()
    }
    const { rest, epochs } = await dump()
    assert.strictEqual(rest, before.rest)
    assert.deepStrictEqual([before.epochs.length, epochs.length, epochs[0]], [1, 3, before.epochs[0]])
  })
}
