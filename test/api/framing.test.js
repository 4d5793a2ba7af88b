// Where a request begins and ends: what a proxy could cut differently is refused, nothing of it is done, and nothing behind it is taken
// for a request. (RFC 9112; the heads themselves, byte by byte, are in test/unit/server.c.)
'use strict'
const assert = require('node:assert')
const { dial } = require('../dial.js')
const { start, request, admin, raw, test } = require('../harness.js')

module.exports = (binary) => {
  let server
  const body = '{"sender":1,"receiver":1,"content":"smuggled"}'
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const post = (lines, text = body) => `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${lines}\r\n${text}`
  const length = (n = body.length) => `Content-Length: ${n}\r\n`
  const behind = 'GET /api/users/init HTTP/1.1\r\nHost: a\r\n\r\n' // of its answer nothing may be seen
  const last = 'GET /api/messages/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const count = async () => (await request(`${server.url}/api/messages/count`)).json.totalDocs
  const statuses = (text) => (text.match(/HTTP\/1\.1 \d+/g) || []).map((line) => Number(line.slice(9)))

  test('framing: a server for them', async () => {
    server = await start(binary, { args: ['--head-timeout', '5', '--body-timeout', '5'] })
    await admin(server.url)
  })

  const refused = [
    ['a length and chunks', post(`${length()}Transfer-Encoding: chunked\r\n`, chunk)],
    ['chunks and a length', post(`Transfer-Encoding: chunked\r\n${length()}`, chunk)],
    ['two lengths that differ', post(length() + length(5))],
    ['two lengths in one line', post(`Content-Length: ${body.length}, ${body.length}\r\n`)],
    ['a length with a plus', post(length(`+${body.length}`))],
    ['a length with a minus', post(length(`-${body.length}`))],
    ['a length with a blank inside', post(length('4 6'))],
    ['a length in hexadecimal', post(length(`0x${body.length.toString(16)}`))],
    ['a length with a point', post(length(`${body.length}.0`))],
    ['an empty length', post(length(''))],
    ['a length beyond 64 bits', post(length('18446744073709551662'))],
    ['a blank before the colon', post(`Content-Length : ${body.length}\r\n`)],
    ['a tab before the colon', post(`Content-Length\t: ${body.length}\r\n`)],
    ['a folded line', post(`X: y\r\n ${length()}`)],
    ['a line folded by a tab', post(`X: y\r\n\t${length()}`)],
    ['a blank before the first header', `POST /api/messages HTTP/1.1\r\n Host: a\r\n${length()}\r\n${body}`],
    ['a line without a colon', post(`X\r\n${length()}`)],
    ['a header without a name', post(`: y\r\n${length()}`)],
    ['a bracket in a name', post(`X(y): z\r\n${length()}`)],
    ['a quote in a name', post(`"X": z\r\n${length()}`)],
    ['a byte over 127 in a name', post(`\xfc: z\r\n${length()}`)],
    ['a NUL in a name', post(`X\0: z\r\n${length()}`)],
    ['a NUL in a value', post(`X: a\0b\r\n${length()}`)],
    ['a bell in a value', post(`X: \x07\r\n${length()}`)],
    ['a CR alone in a value', post(`X: a\rContent-Length: 0\r\n${length()}`)],
    ['a CR alone for a line end', post(`X: a\r${length()}`)],
    ['two encodings', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunk)],
    ['identity and chunks', post('Transfer-Encoding: identity, chunked\r\n', chunk)],
    ['identity', post(`Transfer-Encoding: identity\r\n${length()}`)],
    ['chunks twice', post('Transfer-Encoding: chunked, chunked\r\n', chunk)],
    ['an encoding nobody knows', post('Transfer-Encoding: gzip\r\n', chunk)],
    ['something like chunks', post('Transfer-Encoding: xchunked\r\n', chunk)],
    ['chunks behind a form feed', post('Transfer-Encoding: \x0cchunked\r\n', chunk)],
    ['chunks in quotes', post('Transfer-Encoding: "chunked"\r\n', chunk)],
    ['chunks of HTTP/1.0', `POST /api/messages HTTP/1.0\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`],
    ['no Host', 'GET /api/messages/count HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /api/messages/count HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
    ['a Host with a path', 'GET /api/messages/count HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a Host with a user', 'GET /api/messages/count HTTP/1.1\r\nHost: a@b\r\n\r\n'],
    ['a Host with a blank', 'GET /api/messages/count HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a Host of two', 'GET /api/messages/count HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['a Host with a port too many', 'GET /api/messages/count HTTP/1.1\r\nHost: a:1:2\r\n\r\n'],
    ['a Host with a port that is none', 'GET /api/messages/count HTTP/1.1\r\nHost: a:http\r\n\r\n'],
    ['a Host with a port beyond 65535', 'GET /api/messages/count HTTP/1.1\r\nHost: a:65536\r\n\r\n'],
    ['a Host with an open bracket', 'GET /api/messages/count HTTP/1.1\r\nHost: [::1\r\n\r\n'],
    ['HTTP/0.9', 'GET /api/messages/count\r\n\r\n'],
    ['two blanks in the first line', 'GET  /api/messages/count HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a tab in the first line', 'GET\t/api/messages/count HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a blank behind the version', 'GET /api/messages/count HTTP/1.1 \r\nHost: a\r\n\r\n'],
    ['a version in small letters', 'GET /api/messages/count http/1.1\r\nHost: a\r\n\r\n'],
    ['no version', 'GET /api/messages/count HTTP/\r\nHost: a\r\n\r\n'],
    ['a version of three digits', 'GET /api/messages/count HTTP/1.11\r\nHost: a\r\n\r\n'],
    ['a method that is no word', 'G(ET /api/messages/count HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['TLS where there is none', Buffer.from('16030100050100000100', 'hex')],
  ]
  for (const [name, bytes] of refused) {
    test(`framing: ${name}: 400, and the connection is over`, async () => {
      const before = await count()
      const { text, closed } = await raw(server.port, [Buffer.from(bytes, 'latin1'), behind])
      assert.deepStrictEqual(statuses(text), [400], text)
      assert.match(text, /\r\nConnection: close\r\n/)
      assert.match(text, /\r\n\r\n\{"errors":\[\{"message":"Bad Request"\}\]\}$/)
      assert.ok(closed)
      assert.strictEqual(await count(), before)
    })
  }

  const others = [
    ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['HTTP/3.0', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
    ['a method nobody knows', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['a method in small letters', 'get /api/messages HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['a method of 2,000 letters', `${'A'.repeat(2000)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 501],
    ['a method without an end', 'A'.repeat(20000), 431],
    ['a target of 16 KiB', `GET /${'a'.repeat(16384)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ['a head of 16 KiB and a byte', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(16384 - 31)}\r\n\r\n`, 431],
    ['70 headers', `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(70)}\r\n`, 431],
  ]
  for (const [name, bytes, status] of others) {
    test(`framing: ${name}: ${status}, and the connection is over`, async () => {
      const { text, closed } = await raw(server.port, [bytes, behind])
      assert.deepStrictEqual(statuses(text), [status])
      assert.match(text, /\r\nConnection: close\r\n/)
      assert.ok(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).errors[0].message)
      assert.ok(closed)
    })
  }

  const taken = [
    ['two lengths that are the same', post(length() + length())],
    ['a length with zeros before it', post(length(`000${body.length}`))],
    ['blanks and tabs around a value', post(`Content-Length: \t ${body.length} \t \r\n`)],
    ['a tab inside a value', post(`X: a\tb\r\n${length()}`)],
    ['bytes over 127 in a value', post(`X: \xfc\xff\r\n${length()}`)],
    ['line ends without CR', post(length()).replaceAll('\r\n', '\n')],
    ['an empty line first', `\r\n${post(length())}`],
    ['a name in any case', post(`cOnTeNt-LeNgTh:${body.length}\r\n`)],
    ['chunks', post('Transfer-Encoding: chunked\r\n', chunk)],
    ['chunks in any case', post('tRANSFER-eNCODING: cHuNkEd\r\n', chunk)],
    ['chunks with extensions and trailers', post('Transfer-Encoding: chunked\r\n', `${body.length.toString(16).toUpperCase()};a;b=c;d="e f"\r\n${body}\r\n000;x\r\nContent-Length: 5\r\nX: y\r\n\r\n`)],
    ['chunks of a byte', post('Transfer-Encoding: chunked\r\n', `${[...body].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`)],
    ['an expectation', post(`${length()}Expect: 100-continue\r\n`), [100, 201, 200]],
    ['an expectation nobody knows', post(`${length()}Expect: more\r\n`)],
    ['a Host with a port', post(length()).replace('Host: a', 'Host: a.example:3000')],
    ['a Host of IPv6', post(length()).replace('Host: a', 'Host: [::1]:3000')],
    ['a Host that is empty', post(length()).replace('Host: a', 'Host:')],
    ['a head of 16 KiB', post(`${length()}X: ${'x'.repeat(16384 - post(`${length()}X: \r\n`, '').length)}\r\n`)],
    ['a wish that is none of ours', post(`${length()}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n`)],
  ]
  for (const [name, bytes, wanted = [201, 200]] of taken) {
    test(`framing: ${name}: taken, and so is what stands behind it`, async () => {
      const before = await count()
      const { text } = await raw(server.port, Buffer.from(bytes + last, 'latin1'))
      assert.deepStrictEqual(statuses(text), wanted, text)
      assert.match(text, new RegExp(`{"totalDocs":${before + 1}}$`))
    })
  }

  const broken = [
    ['a size that is no number', 'x\r\n'],
    ['a size with a plus', `+${chunk}`],
    ['a size behind a blank', ` ${chunk}`],
    ['a size with 0x', `0x${chunk}`],
    ['a size beyond 64 bits', `1000000000000000${chunk}`],
    ['a size of 63 bits', '7fffffffffffffff\r\n'],
    ['no CR behind a size', chunk.replace('\r', '')],
    ['no line end behind a chunk', `5\r\n${body.slice(0, 6)}\r\n`],
    ['an extension without an end', `5;${'x'.repeat(5000)}`],
    ['trailers without an end', `0\r\n${'X: y\r\n'.repeat(5000)}`],
  ]
  for (const [name, text] of broken) {
    test(`framing: ${name} among chunks: 400, and the connection is over`, async () => {
      const before = await count()
      const answer = await raw(server.port, [post('Transfer-Encoding: chunked\r\n', text), behind])
      assert.deepStrictEqual(statuses(answer.text), [400])
      assert.ok(answer.closed)
      assert.strictEqual(await count(), before)
    })
  }

  test('framing: a body that is longer than its length: the rest is another request', async () => {
    const { text } = await raw(server.port, `${post(length())}GARBAGE\r\n\r\n${behind}`)
    assert.deepStrictEqual(statuses(text), [201, 400])
  })

  test('framing: a body that is shorter than its length: 400 where nothing more comes, 408 where nothing comes', async () => {
    const before = await count()
    await Promise.all([[length(100), body], [length(40000), body], ['Transfer-Encoding: chunked\r\n', chunk.slice(0, -4)]].map(async ([lines, sent]) => {
      const ends = dial(server.port), waits = dial(server.port)
      ends.socket.end(post(lines, sent))
      waits.socket.write(post(lines, sent))
      assert.deepStrictEqual(statuses(await ends.ended), [400])
      assert.deepStrictEqual(statuses(await waits.ended), [408])
    }))
    assert.strictEqual(await count(), before)
  })

  test('framing: who expects a word before a body that is refused gets the refusal, and no word', async () => {
    for (const [path, lines, status] of [['/api/users', length(), 403], ['/api/nothing', length(), 404], ['/api/messages', length(2 << 20), 413]]) {
      const { text, closed } = await raw(server.port, `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n${lines}\r\n`)
      assert.deepStrictEqual(statuses(text), [status])
      assert.ok(closed)
    }
  })

  test('framing: requests that come byte by byte, and one whose client says nothing more behind it', async () => {
    const all = [post(length()), post('Transfer-Encoding: chunked\r\n', chunk), post(`${length()}Connection: close\r\n`)]
    const c = dial(server.port)
    c.socket.setNoDelay()
    for (const byte of all.join('')) {
      c.socket.write(byte)
      await new Promise(setImmediate)
    }
    assert.deepStrictEqual(statuses(await c.ended), [201, 201, 201])
    for (const bytes of all) {
      const half = dial(server.port)
      half.socket.end(bytes)
      assert.deepStrictEqual(statuses(await half.ended), [201])
    }
  })

  test('framing: the server is well and ends with 0', async () => {
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).status, 200)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
  })
}
