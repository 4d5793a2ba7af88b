// What a reader that comes back may send as its cursor, and what the stream says to it at once: that it cannot be honoured, and why, or what
// was missed.
'use strict'
const assert = require('node:assert')
const { folder, remove, start, request, admin, say, stream, raw, test } = require('../harness.js')

const KEPT = 10 // about: the oldest are taken away by some at a time
const NEWEST = 10 // of a new connection
const MOST = 9223372036854775807n

// [name, cursor, reason | how many changes were missed] for an epoch whose last change is `head`, and whose oldest kept is `oldest`.
const cursors = (epoch, head, oldest) => [
  ['at the head', `${epoch}-${head}`, 0],
  ['some behind', `${epoch}-${head - 3}`, 3],
  ['the oldest that goes', `${epoch}-${oldest - 1}`, head - oldest + 1],
  ['older by one', `${epoch}-${oldest - 2}`, 'trimmed'],
  ['of the beginning', `${epoch}-0`, 'trimmed'],
  ['the next change', `${epoch}-${head + 1}`, 'unknown'],
  ['far ahead', `${epoch}-${head + 1000}`, 'unknown'],
  ['2^63 - 1', `${epoch}-${MOST}`, 'unknown'],
  ['2^63', `${epoch}-${MOST + 1n}`, 'unknown'],
  ['2^64 and the head', `${epoch}-${(1n << 64n) + BigInt(head)}`, 'unknown'],
  ['too many zeros', `${epoch}-${'0'.repeat(60)}${head}`, 'unknown'],
  ['of another epoch', `00000000-${head}`, 'foreign'],
  ['of another epoch, 2^63 - 1', `00000000-${MOST}`, 'foreign'],
  ['of an epoch that is none', `zzzzzzzz-${head}`, 'foreign'],
  ['with a leading zero', `${epoch}-0${head - 2}`, 'unknown'],
  ['less than nothing by nothing', `${epoch}--0`, 'unknown'],
  ['negative', `${epoch}--1`, 'unknown'],
  ['with a plus sign', `${epoch}-+${head}`, 'unknown'],
  ['with a space inside', `${epoch}- ${head}`, 'unknown'],
  ['hexadecimal', `${epoch}-0x1`, 'unknown'],
  ['a fraction', `${epoch}-1.0`, 'unknown'],
  ['with more behind', `${epoch}-${head}x`, 'unknown'],
  ['with a third part', `${epoch}-${head}-1`, 'unknown'],
  ['with a fifth part', `${epoch}-${head}-1-1-1`, 'unknown'],
  ['with an empty part', `${epoch}-${head}-`, 'unknown'],
  ['only an epoch and a dash', `${epoch}-`, 'unknown'],
  ['only an epoch', epoch, 'unknown'],
  ['only a number', `${head}`, 'unknown'],
  ['only a dash and a number', `-${head}`, 'unknown'],
  ['a dash', '-', 'unknown'],
  ['a short epoch', `${epoch.slice(1)}-${head}`, 'unknown'],
  ['a long epoch', `0${epoch}-${head}`, 'unknown'],
  ['another dash', `${epoch}_${head}`, 'unknown'],
  ['empty', '', 'unknown'],
  ['garbage', 'garbage', 'unknown'],
  ['10 KB', '9'.repeat(10240), 'unknown'],
  ['10 KB that begin well', `${epoch}-${head}${'0'.repeat(10240)}`, 'unknown'],
]

// Sent in the address alone; already encoded.
const encoded = (epoch, head) => [
  ['encoded whole', [...`${epoch}-${head - 3}`].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''), 3],
  ['with digits of another script', `${epoch}-%D9%A3`, 'unknown'],
  ['with a space before it', `%20${epoch}-${head}`, 'unknown'],
  ['with a space behind it', `${epoch}-${head}%20`, 'unknown'],
  ['with a line\'s end behind it', `${epoch}-${head}%0D%0A`, 'unknown'],
  ['with a broken escape', `${epoch}-${head}%`, 'unknown'],
]

// Sent as a header alone.
const plain = (epoch, head) => [
  ['with an escape, which a header has not', `${epoch}%2D${head}`, 'unknown'],
  ['with bytes that are no ASCII', `${epoch}-${head}\u00c3\u00a9`, 'unknown'],
  ['with spaces around it, which are not its own', `  ${epoch}-${head - 3}  `, 3],
]

const PATIENT = 60000 // ms

module.exports = (binary) => {
  let server, epoch, head, oldest, newest // newest: the ids of all messages, the newest first
  const open = (query, headers) => stream(`${server.url}/api/messages/sse${query}`, headers)

  const look = async (after) => {
    const s = await open('')
    after(s.close)
    ;({ epoch, head, oldest } = (await s.until(() => s.of('hello')[0], 'hello', PATIENT)).json)
  }

  // Each is answered at once; then, still open, each gets what is new, and nothing else.
  const ask = async (asked, after) => {
    const opened = []
    for (const [name, query, headers, wanted] of asked) {
      const s = await open(query, headers)
      after(s.close)
      opened.push({ name, s, wanted })
      await s.until(() => s.of('hello')[0], `${name}: hello`, PATIENT)
      if (typeof wanted === 'string') {
        const reset = await s.until(() => s.of('reset')[0], `${name}: reset`, PATIENT)
        assert.deepStrictEqual([reset.json.reason, reset.json.epoch, reset.json.head], [wanted, epoch, head], name)
        assert.deepStrictEqual((await s.until(() => s.of('message')[0], `${name}: the newest`, PATIENT)).json.map((d) => d.id), newest.slice(0, NEWEST), name)
        assert.deepStrictEqual(s.events.map((e) => e.event), ['hello', 'reset', 'message'], name)
      } else {
        if (wanted) await s.until(() => s.of('message').length >= wanted, `${name}: ${wanted} documents`, PATIENT)
        assert.deepStrictEqual(s.of('message').map((e) => e.json[0].id), newest.slice(0, wanted).reverse(), name)
      }
    }
    const fresh = (await say(server.url, 'new')).json.doc.id
    for (const { name, s, wanted } of opened) {
      const all = await s.until(() => { const ids = s.of('message').map((e) => e.json[0].id); return ids.at(-1) === fresh && ids }, `${name}: the new message`, PATIENT)
      assert.strictEqual(all.length, 1 + (typeof wanted === 'string' ? 1 : wanted), name)
      assert.strictEqual(s.of('reset').length, typeof wanted === 'string' ? 1 : 0, name)
    }
    newest.unshift(fresh)
    await look(after)
  }
  const since = (list) => list.map(([name, cursor, wanted]) => [`${name}, in the address`, `?since=${cursor}`, {}, wanted])
  const header = (list) => list.map(([name, cursor, wanted]) => [`${name}, as a header`, '', { 'Last-Event-ID': cursor }, wanted])
  const escaped = (list) => list.map(([name, cursor, wanted]) => [name, encodeURIComponent(cursor), wanted])

  test('cursors: as the header Last-Event-ID', async ({ after }) => {
    const data = folder()
    server = await start(binary, { args: ['--keep-changes', String(KEPT)], data })
    await admin(server.url)
    newest = []
    for (let i = 0; i < 20; i++) newest.unshift((await say(server.url, `m ${i}`)).json.doc.id)
    // What it has in memory it would still know.
    await server.stop()
    server = await start(binary, { args: ['--keep-changes', String(KEPT)], data })
    server.remove = () => remove(data)
    await look(after)
    assert.ok(head - oldest + 1 >= KEPT && oldest > 2)
    await ask(header([...cursors(epoch, head, oldest), ...plain(epoch, head)]), after)
  })

  test('cursors: as ?since=', async ({ after }) => {
    await ask(since([...escaped(cursors(epoch, head, oldest)), ...encoded(epoch, head)]), after)
  })

  test('cursors: of both, the header counts: it is the newer one', async ({ after }) => {
    const good = `${epoch}-${head - 3}`
    await ask([
      ['both good', `?since=${epoch}-${head - 5}`, { 'Last-Event-ID': good }, 3],
      ['a good header', '?since=garbage', { 'Last-Event-ID': good }, 3],
      ['a bad header', `?since=${good}`, { 'Last-Event-ID': 'garbage' }, 'unknown'],
      ['a list', `?since[]=${good}`, {}, 'unknown'],
      ['an object', `?since[a]=${good}`, {}, 'unknown'],
      ['no value', '?since', {}, 'unknown'],
    ], after)
  })

  test('cursors: 20 KB are a head too large, and a NUL is in no text', async () => {
    const long = 'x'.repeat(20000)
    const head_ = (query, line) => [`GET /api/messages/sse${query} HTTP/1.1\r\nHost: here\r\n${line}\r\n`]
    for (const bytes of [head_('', `Last-Event-ID: ${long}\r\n`), head_(`?since=${long}`, '')]) {
      const { text, closed } = await raw(server.port, bytes)
      assert.match(text, /^HTTP\/1\.1 431 /)
      assert.ok(closed)
    }
    assert.strictEqual((await request(`${server.url}/api/messages/sse?since=${epoch}-${head}%00`)).status, 400)
    assert.strictEqual((await request(`${server.url}/api/messages/sse?since=%FF`)).status, 400)
    const nul = await raw(server.port, head_('', `Last-Event-ID: ${epoch}-${head}\0\r\n`))
    assert.match(nul.text, /^HTTP\/1\.1 400 /)
  })

  test('cursors: their server ends well', async () => {
    const end = await server.stop()
    server.remove()
    assert.deepStrictEqual(end, { code: 0, signal: null })
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
  })
}
