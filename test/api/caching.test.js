// What may be kept of an answer: ETag, If-None-Match, HEAD, Cache-Control.
'use strict'
const assert = require('node:assert')
const { start, request, admin, ADMIN, say, raw, test } = require('../harness.js')

module.exports = (binary) => {
  let server, auth
  const get = (path, headers = {}, method = 'GET') => request(server.url + path, { method, headers })
  const CHECKED = ['/api/messages', '/api/messages?limit=1&sort=id', '/api/messages/1', '/api/messages/count', '/api/media', '/api/access']
  const KEPT = { 'cache-control': 'private, no-cache', vary: 'Authorization, Cookie, Origin' }
  const holds = (headers, wanted) => { for (const [name, value] of Object.entries(wanted)) assert.strictEqual(headers[name], value, name) }

  test('caching: a server for it', async () => {
    server = await start(binary)
    auth = { Authorization: `JWT ${(await admin(server.url)).token}` }
    for (const content of ['one', 'two']) await say(server.url, content)
  })

  test('caching: documents, lists and counts have a strong tag, the same for the same bytes', async () => {
    for (const path of CHECKED) {
      const first = await get(path), second = await get(path)
      assert.strictEqual(first.status, 200)
      assert.match(first.headers.etag, /^"[0-9a-f]{32}"$/)
      assert.strictEqual(second.headers.etag, first.headers.etag, path)
      holds(first.headers, KEPT)
    }
    assert.strictEqual(new Set(await Promise.all(CHECKED.map(async (path) => (await get(path)).headers.etag))).size, CHECKED.length)
  })

  test('caching: who holds the bytes gets 304 without them', async () => {
    for (const path of CHECKED) {
      const { headers: { etag } } = await get(path)
      for (const wanted of [etag, `W/${etag}`, '*', `"a", W/"b" ,${etag}`, `"a",W/${etag},"c"`]) {
        for (const method of ['GET', 'HEAD']) {
          const r = await get(path, { 'If-None-Match': wanted, Origin: 'http://localhost:5173' }, method)
          assert.deepStrictEqual([r.status, r.text], [304, ''], `${path} ${wanted}`)
          holds(r.headers, { ...KEPT, etag, 'access-control-allow-origin': 'http://localhost:5173', 'content-length': undefined })
        }
      }
      for (const wanted of ['"a"', etag.slice(1, -1), etag.toUpperCase().replace('"', '"A'), `"*"`, `"a,*"`, '', `${etag}x`]) {
        const r = await get(path, { 'If-None-Match': wanted })
        assert.strictEqual(r.status, 200, `${path} ${wanted}`)
        assert.ok(r.text.length)
      }
    }
  })

  test('caching: a change has another tag, and taking it back the first one', async () => {
    const { headers: { etag } } = await get('/api/messages?select[content]=true')
    const ask = () => get('/api/messages?select[content]=true', { 'If-None-Match': etag })
    const set = (content) => request(`${server.url}/api/messages/1`, { method: 'PATCH', body: { content } })
    assert.strictEqual((await ask()).status, 304)
    await set('another')
    const changed = await ask()
    assert.strictEqual(changed.status, 200)
    assert.notStrictEqual(changed.headers.etag, etag)
    await set('one')
    assert.strictEqual((await ask()).status, 304)
  })

  test('caching: a tag is of what this reader is shown', async () => {
    const { headers: { etag } } = await get('/api/messages/1')
    const signed = await get('/api/messages/1', { ...auth, 'If-None-Match': etag })
    assert.strictEqual(signed.status, 200)
    assert.strictEqual(signed.json.sender.email, ADMIN.email)
    assert.strictEqual((await get('/api/messages/1', { ...auth, 'If-None-Match': signed.headers.etag })).status, 304)
  })

  test('caching: a connection goes on behind a 304', async () => {
    const { headers: { etag } } = await get('/api/messages')
    const ask = (method, path, more = '') => `${method} ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
    const { text } = await raw(server.port, ask('GET', '/api/messages', `If-None-Match: ${etag}\r\n`) + ask('HEAD', '/api/messages') + ask('GET', '/api/messages/count', 'Connection: close\r\n'))
    const heads = text.match(/HTTP\/1\.1 \d+/g)
    assert.deepStrictEqual(heads, ['HTTP/1.1 304', 'HTTP/1.1 200', 'HTTP/1.1 200'])
    assert.strictEqual(text.match(/\r\n\r\n/g).length, 3)
    assert.ok(text.endsWith('{"totalDocs":2}'))
  })

  test('caching: HEAD wherever GET is, with the same head and no body', async () => {
    const paths = [...CHECKED, '/api/users', '/api/users/1', '/api/users/me', '/api/users/init', '/api/users/login', '/api/messages/versions', '/api/messages/99', '/api/messages?where[nope][equals]=1', '/api/nothing', '/', '/icon.svg', '/nothing.js']
    for (const headers of [{}, auth]) {
      for (const path of paths) {
        const whole = await get(path, headers), head = await get(path, headers, 'HEAD')
        assert.deepStrictEqual([head.status, head.text], [whole.status, ''], path)
        for (const answer of [whole, head]) delete answer.headers.date
        assert.deepStrictEqual(head.headers, whole.headers, path)
        assert.strictEqual(Number(head.headers['content-length']), whole.bytes.length, path)
      }
    }
  })

  test('caching: nobody keeps a failure, an answer about accounts, or a write', async () => {
    const kept = (r) => [r.headers['cache-control'], r.headers.etag, r.headers.vary]
    const never = async (answer, status) => {
      const r = await answer
      assert.strictEqual(r.status, status, r.text)
      assert.deepStrictEqual(kept(r), ['no-store', undefined, undefined])
    }
    const send = (method, path, body, headers = auth) => request(server.url + path, { method, body, headers })
    await never(get('/api/nothing'), 404)
    await never(get('/nothing.js'), 404)
    await never(get('/api/messages/99'), 404)
    await never(get('/api/messages/99', { 'If-None-Match': '*' }), 404)
    await never(get('/api/messages?where[nope][equals]=1'), 400)
    await never(get('/api/users'), 403)
    await never(send('POST', '/api/messages', {}), 400)
    await never(send('POST', '/api/messages', { sender: 1, receiver: 1, content: 'x' }), 201)
    await never(send('PATCH', '/api/messages/1', {}), 200)
    await never(send('PATCH', '/api/messages/1', {}, { 'If-None-Match': '*' }), 200)
    await never(send('PATCH', '/api/messages?where[id][equals]=1', { content: '' }), 400)
    await never(send('DELETE', '/api/messages/2'), 200)
    await never(send('POST', '/api/messages/access', {}), 200)
    for (const path of ['me', 'init']) for (const headers of [{}, auth, { 'If-None-Match': '*' }]) await never(get(`/api/users/${path}`, headers), 200)
    await never(send('POST', '/api/users/login', ADMIN), 200)
    await never(send('POST', '/api/users/login', { ...ADMIN, password: 'wrong' }), 401)
    await never(send('POST', '/api/users/refresh-token'), 200)
    await never(send('POST', '/api/users/forgot-password', { email: 'nobody@example.com' }), 200)
    await never(send('POST', '/api/users/logout'), 200)
    const form = { 'X-HTTP-Method-Override': 'GET', 'Content-Type': 'application/x-www-form-urlencoded', 'If-None-Match': '*' }
    await never(request(`${server.url}/api/messages`, { method: 'POST', headers: form, body: Buffer.from('limit=1') }), 200)
  })

  test('caching: nor what was no request', async () => {
    const { text } = await raw(server.port, `GET /api/messages HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17000)}\r\n\r\n`)
    assert.match(text, /^HTTP\/1\.1 431 [^]*\r\nCache-Control: no-store\r\n/)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
  })
}
