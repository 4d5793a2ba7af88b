// Requests that are not as they should be: a 4xx of the right kind, nothing half stored, the server as well as before.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, raw, test } = require('../harness.js')

module.exports = (binary) => {
  let server
  const message = (content) => `{"sender":1,"receiver":1,"content":${content}}`
  const post = (body, type = 'application/json') => request(`${server.url}/api/messages`, { method: 'POST', body: Buffer.from(body), headers: { 'Content-Type': type } })
  const count = async () => (await request(`${server.url}/api/messages/count`)).json.totalDocs
  const head = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

  test('requests: a server for them', async () => {
    server = await start(binary)
    await admin(server.url)
  })

  const refused = [
    ['broken JSON', '{bad', /^Invalid JSON$/],
    ['a trailing comma', '{"content":"x",}', /^Invalid JSON$/],
    ['two values', '{} {}', /^Invalid JSON$/],
    ['a comment', '{/* */}', /^Invalid JSON$/],
    ['single quotes', "{'content':'x'}", /^Invalid JSON$/],
    ['NaN', message('NaN'), /^Invalid JSON$/],
    ['Infinity', message('-Infinity'), /^Invalid JSON$/],
    ['a leading zero', message('01'), /^Invalid JSON$/],
    ['a bare point', message('1.'), /^Invalid JSON$/],
    ['a raw line break in a string', message('"a\nb"'), /^Invalid JSON$/],
    ['bad UTF-8', Buffer.from([...Buffer.from('{"sender":1,"receiver":1,"content":"'), 0xff, 0xfe, ...Buffer.from('"}')]), /Invalid JSON/],
    ['an overlong form', Buffer.from([...Buffer.from('{"sender":1,"receiver":1,"content":"'), 0xc0, 0xaf, ...Buffer.from('"}')]), /Invalid JSON/],
    ['U+0000 escaped', message('"a\\u0000b"'), /U\+0000/],
    ['U+0000 raw', message('"a\0b"'), /U\+0000/],
    ['U+0000 in a name', '{"a\\u0000b":1}', /U\+0000/],
    ['JSON deeper than 64', message('['.repeat(65) + ']'.repeat(65)), /deeper/],
    ['a name twice', '{"sender":1,"receiver":1,"content":"a","content":"b"}', /twice/],
    ['a name twice, once escaped', '{"sender":1,"receiver":1,"content":"a","cont\\u0065nt":"b"}', /twice/],
    ['a name twice inside', message('{"a":{"b":1,"b":2}}'), /twice/],
    ['null', 'null', /JSON object/],
    ['a string', '"x"', /JSON object/],
    ['a number', '5', /JSON object/],
  ]
  for (const [name, body, reason] of refused) {
    test(`requests: ${name} is a 400 and stores nothing`, async () => {
      const before = await count()
      const r = await post(body)
      assert.strictEqual(r.status, 400, r.text)
      assert.match(r.json.errors[0].message, reason)
      assert.strictEqual(await count(), before)
    })
  }

  test('requests: JSON 64 deep is taken', async () => {
    const r = await post(message('['.repeat(63) + ']'.repeat(63)))
    assert.strictEqual(r.status, 201, r.text)
    assert.strictEqual(r.json.doc.content, '['.repeat(63) + ']'.repeat(63))
  })

  test('requests: numbers, arrays and objects are stored as their JSON text', async () => {
    for (const [sent, stored] of [['5', '5'], ['1.50', '1.5'], ['1e21', '1e+21'], ['1e-7', '1e-7'], ['true', 'true'], ['[1, {"a": 1.0}]', '[1,{"a":1}]'], ['12345678901234567890', '12345678901234567000'], ['-12345678901234567890', '-12345678901234567000'], ['100000000000000000000000', '1e+23'], ['[9007199254740993]', '[9007199254740992]']]) {
      const r = await post(message(sent))
      assert.strictEqual(r.json.doc.content, stored)
    }
  })

  test('requests: a body over 1 MiB is a 413 and the connection closes', async () => {
    const before = await count()
    const body = message(`"${'x'.repeat(1 << 20)}"`)
    const r = await post(body)
    assert.strictEqual(r.status, 413)
    assert.strictEqual(r.headers.connection, 'close')
    assert.strictEqual(typeof r.json.errors[0].message, 'string')
    assert.strictEqual(await count(), before)
  })

  test('requests: so is a chunked one', async () => {
    const chunk = 'x'.repeat(65536)
    const parts = ['POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n']
    for (let i = 0; i < 20; i++) parts.push(`10000\r\n${chunk}\r\n`)
    const { text, closed } = await raw(server.port, parts)
    assert.match(text, /^HTTP\/1\.1 413 /)
    assert.ok(closed)
  })

  test('requests: a chunked body is read', async () => {
    const body = message('"in chunks"')
    const { text } = await raw(server.port, `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n`,
      (t) => t.includes('successfully'))
    assert.match(text, /^HTTP\/1\.1 201 /)
  })

  test('requests: Expect: 100-continue is answered', async () => {
    const body = message('"expected"')
    const { text } = await raw(server.port, `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`, (t) => t.includes('successfully'))
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  })

  test('requests: a head over 16 KB is a 431 and the connection closes', async () => {
    const { text, closed } = await raw(server.port, head('/api/messages', `X-Long: ${'x'.repeat(17000)}\r\n`))
    assert.match(text, /^HTTP\/1\.1 431 /)
    assert.match(text, /\r\nConnection: close\r\n/i)
    assert.ok(closed)
  })

  test('requests: so are more than 63 header lines', async () => {
    const { text } = await raw(server.port, head('/api/messages', Array.from({ length: 70 }, (_, i) => `X-${i}: 1\r\n`).join('')))
    assert.match(text, /^HTTP\/1\.1 431 /)
  })

  const framings = [
    ['both lengths', 'POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'],
    ['two lengths that differ', 'POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['a length that is no number', 'POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 2x\r\n\r\n{}'],
    ['a negative length', 'POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}'],
    ['no Host', 'GET /api/messages HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /api/messages HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['no request at all', 'hello\r\n\r\n'],
  ]
  for (const [name, bytes] of framings) {
    test(`requests: ${name}: a 4xx and the connection closes`, async () => {
      const { text, closed } = await raw(server.port, bytes)
      assert.match(text, /^HTTP\/1\.1 4\d\d /)
      assert.ok(closed)
    })
  }

  test('requests: a body that is cut off stores nothing', async () => {
    const before = await count()
    const body = message('"cut"')
    const net = require('node:net')
    await new Promise((resolve) => {
      const s = net.connect(server.port, '127.0.0.1', () => s.end(`POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length + 5}\r\n\r\n${body}`))
      s.on('data', () => {})
      s.on('error', () => {})
      s.on('close', resolve)
    })
    assert.strictEqual(await count(), before)
  })

  test('requests: two on one connection at once are answered in order', async () => {
    const { text } = await raw(server.port, head('/api/messages/count') + head('/api/nothing'), (t) => t.includes('Route not found'))
    assert.ok(text.indexOf('totalDocs') > 0 && text.indexOf('totalDocs') < text.indexOf('Route not found'))
  })

  test('requests: HEAD is as GET without the body', async () => {
    const { text } = await raw(server.port, 'HEAD /api/messages/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(text, /\r\nContent-Length: \d+\r\n/)
    assert.ok(text.endsWith('\r\n\r\n'))
  })

  test('requests: a method that nobody knows is refused, and the server goes on', async () => {
    for (const method of ['BREW', 'get', 'X'.repeat(100)]) {
      const { text } = await raw(server.port, `${method} /api/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      assert.match(text, /^HTTP\/1\.1 (4\d\d|501) /, method)
    }
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).status, 200)
  })

  test('requests: unknown methods and paths are 404s that name the path', async () => {
    for (const [method, path] of [['PUT', '/api/messages/1'], ['PATCH', '/api/nothing'], ['DELETE', '/api'], ['POST', '/api/messages/1'], ['GET', '/api/messages//1'], ['GET', '/api/messages/1%2F2/x']]) {
      const r = await request(server.url + path, { method })
      assert.strictEqual(r.status, 404)
      assert.strictEqual(r.json.message, `Route not found "${path}"`)
    }
    assert.strictEqual((await request(`${server.url}/api/messages/1%2F2`)).status, 404)
    assert.strictEqual((await request(`${server.url}/nothing.js`)).status, 404)
  })

  test('requests: ids that are none are 404s', async () => {
    for (const id of ['abc', '1.5', '-1', '0', '99999', '9'.repeat(30), '1e3', '%201']) assert.strictEqual((await request(`${server.url}/api/messages/${id}`)).status, 404, id)
    assert.strictEqual((await request(`${server.url}/api/messages/01`)).status, 200)
  })

  test('requests: what a where cannot mean is a 400, never all documents', async () => {
    for (const where of ['where=abc', 'where= ', 'where=[1]', 'where[content]=x', 'where[and]=x', 'where[or][a]=1', 'where[nope][equals]=1', 'where[content][near]=1', 'where[timestamp][greater_than]=garbage', 'where[sender][hash][equals]=x', 'where={"content":{"in":{}}}', 'where={"content":{"equals":{}}}', 'where=%00', `where[content][like]=${'x'.repeat(10001)}`, `where[content][like]=${'x+'.repeat(1100)}`]) {
      const r = await request(`${server.url}/api/messages?${encodeURI(where).replace(/%25/g, '%')}`)
      assert.strictEqual(r.status, 400, `${where.slice(0, 60)}: ${r.text.slice(0, 200)}`)
    }
  })

  test('requests: a where of spaces is a 400 to a bulk write, which would take all', async () => {
    const before = await count()
    const r = await request(`${server.url}/api/messages?where=%20`, { method: 'DELETE' })
    assert.strictEqual(r.status, 400, r.text)
    assert.strictEqual(await count(), before)
  })

  test('requests: wildcards in a value are only characters', async () => {
    await say(server.url, '100% sure')
    const find = async (value) => (await request(`${server.url}/api/messages?where[content][contains]=${encodeURIComponent(value)}`)).json.totalDocs
    assert.strictEqual(await find('100%'), 1)
    assert.strictEqual(await find('1%e'), 0)
    assert.strictEqual(await find('_'), 0)
  })

  test('requests: all documents in any order', async () => {
    for (const sort of ['id', '-id', 'content', 'sender,id', '']) {
      const r = await request(`${server.url}/api/messages?limit=0&sort=${sort}`)
      assert.strictEqual(r.status, 200, r.text)
      assert.strictEqual(r.json.docs.length, r.json.totalDocs)
    }
  })

  test('requests: a message to nobody is a 400 that names the field', async () => {
    const r = await say(server.url, 'x', { receiver: 99999 })
    assert.strictEqual(r.status, 400)
    assert.strictEqual(r.json.errors[0].data.errors[0].path, 'receiver')
  })

  test('requests: a bad createdAt is a 400 and no list suffers', async () => {
    const r = await say(server.url, 'x', { createdAt: 'bad' })
    assert.strictEqual(r.status, 400)
    assert.strictEqual((await request(`${server.url}/api/messages`)).status, 200)
  })

  test('requests: ids are never used again', async () => {
    const id = (await say(server.url, 'last')).json.doc.id
    await request(`${server.url}/api/messages/${id}`, { method: 'DELETE' })
    assert.ok((await say(server.url, 'next')).json.doc.id > id)
  })

  test('requests: the page comes with its headers, and not twice', async () => {
    const r = await request(`${server.url}/`)
    assert.strictEqual(r.status, 200)
    assert.match(r.headers['content-type'], /^text\/html/)
    assert.match(r.headers['content-security-policy'], /default-src 'none'/)
    const again = await request(`${server.url}/`, { headers: { 'If-None-Match': r.headers.etag } })
    assert.strictEqual(again.status, 304)
    assert.strictEqual(again.text, '')
  })

  test('requests: the server is well and ends with 0', async () => {
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).status, 200)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
  })
}
