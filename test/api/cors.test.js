// Pages of other origins: what they may read (--cors), and whether the cookie counts for them (--csrf). Each answer was asked of Payload
// 3.90.2 with the same lists.
'use strict'
const assert = require('node:assert')
const { start, run, request, admin, stream, test } = require('../harness.js')

module.exports = (binary) => {
  const METHODS = 'PUT, PATCH, POST, GET, DELETE, OPTIONS'
  const HEADERS = 'Origin, X-Requested-With, Content-Type, Accept, Authorization, Content-Encoding, x-apollo-tracing, X-Payload-HTTP-Method-Override'
  const serve = async (after, ...args) => {
    const server = await start(binary, { args })
    after(server.stop)
    return server
  }
  // What an answer says of origins: [allowed origin, credentials].
  const allowed = async (server, Origin, { method, path = '/api/messages/count' } = {}) => {
    const { status, headers } = await request(server.url + path, { method, headers: Origin ? { Origin } : {} })
    assert.strictEqual(status, 200)
    assert.strictEqual(headers['access-control-allow-methods'], METHODS)
    assert.strictEqual(headers['access-control-allow-headers'], HEADERS)
    return [headers['access-control-allow-origin'], headers['access-control-allow-credentials']]
  }

  test('cors: a list answers its origins alone, byte for byte', async ({ after }) => {
    const server = await serve(after, '--cors', 'https://chat.example.com, http://[::1]:8080,capacitor://localhost')
    for (const origin of ['https://chat.example.com', 'http://[::1]:8080', 'capacitor://localhost']) {
      for (const method of ['GET', 'OPTIONS']) assert.deepStrictEqual(await allowed(server, origin, { method }), [origin, 'true'], origin)
    }
    for (const origin of [undefined, 'null', 'http://localhost:3000', 'https://chat.example.com:443', 'https://CHAT.example.com', 'http://chat.example.com', 'https://chat.example.com,http://[::1]:8080', 'https://chat', 'x']) {
      assert.deepStrictEqual(await allowed(server, origin), [undefined, undefined], origin)
    }
  })

  test('cors: * alone is every origin, without cookies', async ({ after }) => {
    const server = await serve(after, '--cors', '*')
    for (const origin of [undefined, 'null', 'http://other.example']) {
      for (const method of ['GET', 'OPTIONS']) assert.deepStrictEqual(await allowed(server, origin, { method }), ['*', undefined], origin)
    }
  })

  test('cors: * in a list is no wildcard', async ({ after }) => {
    const server = await serve(after, '--cors', '*,http://a.example')
    assert.deepStrictEqual(await allowed(server, 'http://other.example'), [undefined, undefined])
    assert.deepStrictEqual(await allowed(server, 'http://a.example'), ['http://a.example', 'true'])
  })

  test('cors: the stream is open to all, and says to listed origins that cookies may come', async ({ after }) => {
    const open = async (server, Origin) => {
      const s = await stream(`${server.url}/api/messages/sse`, { Origin })
      s.close()
      assert.strictEqual(s.headers['access-control-allow-headers'], 'Content-Type')
      return [s.headers['access-control-allow-origin'], s.headers['access-control-allow-credentials']]
    }
    const listed = await serve(after, '--cors', 'http://a.example')
    assert.deepStrictEqual(await open(listed, 'http://a.example'), ['*', 'true'])
    assert.deepStrictEqual(await open(listed, 'http://b.example'), ['*', undefined])
    assert.deepStrictEqual(await open(await serve(after, '--cors', '*'), 'http://a.example'), ['*', undefined])
  })

  test('cors: a preflight of an allowed origin gets the headers of ours that it asks for', async ({ after }) => {
    const preflight = async (server, Origin, asked) => {
      const headers = { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': asked }
      return (await request(`${server.url}/api/messages`, { method: 'OPTIONS', headers })).headers['access-control-allow-headers']
    }
    const listed = await serve(after)
    const any = await serve(after, '--cors', '*')
    for (const [server, origin] of [[listed, 'http://localhost:5173'], [any, 'http://other.example']]) {
      assert.strictEqual(await preflight(server, origin, 'content-type'), HEADERS)
      assert.strictEqual(await preflight(server, origin, 'content-type,idempotency-key'), `${HEADERS}, Idempotency-Key`)
      assert.strictEqual(await preflight(server, origin, 'Last-Event-ID , x-other, Idempotency-Key'), `${HEADERS}, Idempotency-Key, Last-Event-ID`)
    }
    assert.strictEqual(await preflight(listed, 'http://other.example', 'idempotency-key'), HEADERS)
  })

  // Who a request is, by the cookie or by the header.
  const signedIn = async (server, how, headers = {}) => {
    const { token } = server.admin ??= await admin(server.url)
    const credentials = how === 'cookie' ? { Cookie: `a=b; payload-token=${token}` } : { Authorization: `JWT ${token}` }
    const { status, json } = await request(`${server.url}/api/users/me`, { headers: { ...credentials, ...headers } })
    assert.strictEqual(status, 200)
    return json.user !== null
  }
  const askers = [
    [{}, false], [{ Origin: 'http://a.example' }, true], [{ Origin: 'https://b.example:8443' }, true], [{ Origin: 'http://c.example' }, false],
    [{ Origin: 'null' }, false], [{ Origin: 'http://a.example.c.example' }, false], [{ Origin: '' }, false],
    [{ 'Sec-Fetch-Site': 'same-origin' }, true], [{ 'Sec-Fetch-Site': 'same-site' }, true], [{ 'Sec-Fetch-Site': 'none' }, true],
    [{ 'Sec-Fetch-Site': 'cross-site' }, false], [{ 'Sec-Fetch-Site': 'Same-Origin' }, false],
    [{ Origin: 'http://c.example', 'Sec-Fetch-Site': 'same-origin' }, false], [{ Origin: '', 'Sec-Fetch-Site': 'same-origin' }, true],
  ]

  test('cors: with a list for csrf the cookie counts from its origins and from this site alone', async ({ after }) => {
    const server = await serve(after, '--csrf', 'http://a.example,https://b.example:8443')
    for (const [headers, counts] of askers) assert.strictEqual(await signedIn(server, 'cookie', headers), counts, JSON.stringify(headers))
  })

  test('cors: a token in Authorization counts from anywhere', async ({ after }) => {
    const server = await serve(after, '--csrf', 'http://a.example')
    for (const [headers] of askers) assert.strictEqual(await signedIn(server, 'header', headers), true, JSON.stringify(headers))
  })

  test('cors: without a list for csrf the cookie counts from anywhere', async ({ after }) => {
    const server = await serve(after)
    for (const [headers] of askers) assert.strictEqual(await signedIn(server, 'cookie', headers), true, JSON.stringify(headers))
  })

  test('cors: a cookie that does not count changes nothing', async ({ after }) => {
    const server = await serve(after, '--csrf', 'http://a.example')
    const { token } = await admin(server.url)
    const forged = { Cookie: `payload-token=${token}`, Origin: 'http://evil.example' }
    assert.strictEqual((await request(`${server.url}/api/users/1`, { method: 'DELETE', headers: forged })).status, 403)
    assert.strictEqual((await request(`${server.url}/api/users/logout`, { method: 'POST', headers: forged })).status, 400)
    assert.strictEqual((await request(`${server.url}/api/users/me`, { headers: { Authorization: `JWT ${token}` } })).json.user.id, 1)
  })

  const wrong = ['a.example', 'http://', 'http://a.example/', 'http://a.example:', 'http://a.example:0', 'http://a.example:80', 'https://a.example:443', 'https://a.example:65536', 'http://a.example:08080', 'HTTP://a.example', 'http://A.example', 'http://u@a.example', 'http://a.example,', 'http://a b', 'http://[]', 'http://[::1', '1http://a', '://a', 'null', ' ']
  test('cors: what can be no origin is refused at the start', async () => {
    for (const origin of wrong) {
      const r = await run(binary, ['--listen', '127.0.0.1:0', '--data', '/nonexistent/parley', '--cors', origin])
      assert.strictEqual(r.code, 2, `${origin}: ${r.err}`)
      assert.match(r.err, /^parley: Cannot understand ".*" in --cors: it must be \* or a list of origins as browsers send them, as in https:\/\/.*\.\n$/)
    }
  })
}
