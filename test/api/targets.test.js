// What a request asks for, in every form it may be asked in, and in many in which it may not (RFC 9112, 3.2).
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, raw, test } = require('../harness.js')

module.exports = (binary) => {
  let server
  const ask = async (line, lines = 'Host: a\r\n') => {
    const { text } = await raw(server.port, Buffer.from(`${line} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`, 'latin1'))
    const end = text.indexOf('\r\n\r\n')
    return { status: Number(text.slice(9, 12)), head: text.slice(0, end + 2), body: text.slice(end + 4) }
  }
  const COUNT = '{"totalDocs":1}'

  test('targets: a server for them', async () => {
    server = await start(binary)
    await admin(server.url)
    assert.strictEqual((await say(server.url, 'one')).status, 201)
  })

  const counted = ['/api/messages/count', '/api/messages/count/', '/api/messages/count?', '/api/messages/c%6Funt',
    'http://a/api/messages/count', 'http://other.example/api/messages/count', 'HTTPS://a:3000/api/messages/count', 'http://127.0.0.1/api/messages/count?x=http://y',
    'http://[::1]:3000/api/messages/count', 'http://[::1]/api/messages/count', 'http://a:/api/messages/count',
    'http://a/api/messages/count?where[content][equals]=one&time=12:30', '/api/messages/count?where={"content":{"equals":"one"}}',
    '/api/messages/count?where%5Bcontent%5D%5Bequals%5D=one']
  for (const target of counted) {
    test(`targets: ${target} is what it says`, async () => {
      const { status, body } = await ask(`GET ${target}`)
      assert.deepStrictEqual([status, body], [200, COUNT])
    })
  }

  test('targets: a host alone is the page', async () => {
    for (const target of ['http://a', 'http://a/', 'http://a?x', '/?x']) {
      const { status, head } = await ask(`GET ${target}`)
      assert.strictEqual(status, 200, target)
      assert.match(head, /\r\nContent-Type: text\/html/)
    }
  })

  test('targets: OPTIONS is for anything, the server as a whole among them', async () => {
    for (const target of ['*', 'http://a', '/api', '/api/messages', 'http://a/api/messages']) {
      const { status, head, body } = await ask(`OPTIONS ${target}`)
      assert.deepStrictEqual([status, body], [200, '{}'], target)
      assert.match(head, /\r\nAccess-Control-Allow-Methods: /)
    }
  })

  const refused = ['*', '**', '/\xff', '/\xc3\xbc', 'api/messages/count', 'a:80', 'http:/a/api', 'http:///api/messages/count', 'http://:80/', 'http://u@a/api/messages/count',
    'http://a:0/', 'http://a:65536/', 'http://a:x/', 'http://[::1/', 'http://[]/', 'http://::1/', 'http://a\\b/', 'ftp://a/', 'file:///etc/passwd', '?x', '#x']
  for (const target of refused) {
    test(`targets: ${JSON.stringify(target)} is none: 400`, async () => {
      assert.strictEqual((await ask(`GET ${target}`)).status, 400)
    })
  }

  test('targets: a proxy\'s CONNECT is refused', async () => {
    for (const target of ['a:443', '*']) assert.strictEqual((await ask(`CONNECT ${target}`)).status, 400)
  })

  const nowhere = ['/api/messages/%00', '/api/messages/1%00', '/api/messages/%', '/api/messages/%2', '/api/messages/%zz', '/api/messages/%ff', '/api/messages/%c0%af',
    '/api/messages//count', '//api/messages/count', '/api/messages/../messages/count', '/api/messages/%2e%2e/count', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/api\\messages',
    '/api/messages/1%2F2', '/api/Messages', '/API/messages', '/api/messages/count#x', '/api/a/b/c/d/e/f/g/h/i/j', `/${'a'.repeat(15000)}`]
  for (const target of nowhere) {
    test(`targets: ${target.slice(0, 60)} is nowhere: 404`, async () => {
      const { status, body } = await ask(`GET ${target}`)
      assert.strictEqual(status, 404)
      assert.ok(JSON.parse(body))
    })
  }

  test('targets: a bad escape in a query is text, U+0000 and what is no UTF-8 are refused', async () => {
    for (const query of ['x=%', 'x=%zz', 'where[content][equals]=%']) assert.strictEqual((await ask(`GET /api/messages/count?${query}`)).status, 200, query)
    for (const value of ['a%00b', '%ff']) assert.strictEqual((await ask(`GET /api/messages/count?where[content][equals]=${value}`)).status, 400)
  })

  test('targets: methods that a route does not have are not found, as in Payload', async () => {
    for (const method of ['PUT', 'PROPFIND', 'MKCOL', 'REPORT']) {
      const { status, body } = await ask(`${method} /api/messages`)
      assert.deepStrictEqual([status, body], [404, '{"message":"Route not found \\"/api/messages\\""}'], method)
    }
    assert.strictEqual((await ask('POST /')).status, 404)
  })

  test('targets: the server is well and ends with 0', async () => {
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).text, COUNT)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
  })
}
