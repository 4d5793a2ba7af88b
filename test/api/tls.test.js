// TLS: what is sealed is what is open, and what only TLS can do wrong. The certificates are made here, by openssl.
'use strict'
const assert = require('node:assert')
const { execFileSync, spawn } = require('node:child_process')
const crypto = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const https = require('node:https')
const net = require('node:net')
const path = require('node:path')
const tls = require('node:tls')
const { certificate } = require('../certificate.js')
const { sleep, start, run, request, admin, ADMIN, say, raw, stream, folder, remove, test } = require('../harness.js')

const MIB = 1 << 20
const SERVER = 'https://127.0.0.1:0'

// A certificate whose time is over: `openssl req` makes none.
function expired(dir) {
  const { key } = certificate(dir, 'expired')
  const pem = path.join(dir, 'expired.pem')
  const file = (name) => path.join(dir, name)
  fs.writeFileSync(file('index'), '')
  fs.writeFileSync(file('ca.cnf'), `[ca]\ndefault_ca=it\n[it]\ndatabase=${file('index')}\nrand_serial=yes\nnew_certs_dir=${dir}\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`)
  execFileSync('openssl', ['req', '-new', '-key', key, '-out', file('csr'), '-subj', '/CN=expired'], { stdio: 'pipe' })
  execFileSync('openssl', ['ca', '-batch', '-config', file('ca.cnf'), '-selfsign', '-keyfile', key, '-in', file('csr'), '-out', pem, '-notext',
    '-startdate', '20200101000000Z', '-enddate', '20200102000000Z'], { stdio: 'pipe' })
  return { key, pem }
}

module.exports = (binary) => {
  let dir, one, server, token

  // A connection that has shaken hands.
  const connect = (options = {}) => new Promise((resolve, reject) => {
    const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca: one.ca, ...options }, () => resolve(socket))
    socket.on('session', (session) => { socket.session = session })
    socket.on('error', reject)
  })
  // All that comes until the server closes.
  const rest = (socket) => new Promise((resolve, reject) => {
    const pieces = []
    socket.setTimeout(20000, () => { socket.destroy(); reject(new Error(`no end after ${Buffer.concat(pieces).subarray(0, 300)}`)) })
    socket.on('data', (d) => pieces.push(d)).resume()
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')))
  })
  const statuses = (text) => text.match(/HTTP\/1\.1 \d+/g).map((line) => Number(line.slice(9)))
  const upload = (name, data, headers = {}) => {
    const head = `--b\r\nContent-Disposition: form-data; name="_payload"\r\n\r\n{"alt":"x"}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`
    const body = Buffer.concat([Buffer.from(head), data, Buffer.from('\r\n--b--\r\n')])
    return request(`${server.url}/api/media`, { method: 'POST', body, headers: { 'Content-Type': 'multipart/form-data; boundary=b', Authorization: `JWT ${token}`, ...headers } })
  }
  const sse = () => `${server.url}/api/messages/sse`

  test('tls: a server with a sealed and an open address', async () => {
    dir = folder()
    one = certificate(dir, 'one')
    server = await start(binary, { listen: SERVER, args: ['--listen', '127.0.0.1:0', ...one.args] })
    assert.match(server.addresses[0], /^https:\/\/127\.0\.0\.1:\d+$/)
    assert.match(server.addresses[1], /^http:\/\/127\.0\.0\.1:\d+$/)
    token = (await admin(server.url)).token
    assert.strictEqual((await say(server.url, 'sealed')).status, 201)
    assert.strictEqual((await request(`${server.addresses[1]}/api/messages`)).json.docs[0].content, 'sealed')
  })

  test('tls: half of it, or a file that is no good, is refused with one sentence', async ({ after }) => {
    const data = path.join(folder(), 'data')
    after(() => remove(path.dirname(data)))
    const other = certificate(dir, 'other')
    const file = (name, text) => { fs.writeFileSync(path.join(dir, name), text); return path.join(dir, name) }
    const secret = path.join(dir, 'locked.key')
    execFileSync('openssl', ['pkey', '-in', one.key, '-aes128', '-passout', 'pass:x', '-out', secret])
    const both = file('both.pem', fs.readFileSync(one.pem) + fs.readFileSync(one.key))
    const cases = [
      [SERVER, [], /To listen on https:\/\/127\.0\.0\.1:0 a certificate is needed: name its file with --tls-cert/],
      [SERVER, ['--tls-key', one.key], /a certificate is needed/],
      ['127.0.0.1:0', one.args, /The certificate .*one\.pem is given, but no address has TLS/],
      ['127.0.0.1:0', ['--tls-key', one.key], /The key .*one\.key is given without a certificate/],
      [SERVER, ['--tls-cert', `${dir}/none.pem`], /Cannot read the certificate .*none\.pem: No such file/],
      [SERVER, ['--tls-cert', dir], /Cannot read the certificate .*: Is a directory/],
      [SERVER, ['--tls-cert', file('empty.pem', '')], /empty\.pem is empty/],
      [SERVER, ['--tls-cert', file('text.pem', 'hello\n')], /There is no certificate in .*text\.pem/],
      [SERVER, ['--tls-cert', one.pem], /There is no private key in .*one\.pem/],
      [SERVER, ['--tls-cert', one.pem, '--tls-key', `${dir}/none.key`], /Cannot read the key .*none\.key: No such file/],
      [SERVER, ['--tls-cert', one.pem, '--tls-key', other.key], /The key in .*other\.key does not belong to the certificate in .*one\.pem/],
      [SERVER, ['--tls-cert', both, '--tls-key', other.key], /does not belong/],
      [SERVER, ['--tls-cert', one.pem, '--tls-key', secret], /locked\.key is encrypted/],
      ['https://nowhere', one.args, /Cannot understand --listen https:\/\/nowhere/],
    ]
    for (const [listen, args, reason] of cases) {
      const r = await run(binary, ['--listen', listen, '--data', data, ...args])
      assert.strictEqual(r.code, 2, r.err)
      assert.match(r.err, /^parley: .*\.\n$/)
      assert.match(r.err, reason)
    }
    const good = await start(binary, { listen: SERVER, args: ['--tls-cert', both] })
    after(good.stop)
    assert.strictEqual((await request(`${good.url}/api/messages/count`)).status, 200)
  })

  test('tls: browsers are told to stay with it where there is nothing else', async ({ after }) => {
    const only = await start(binary, { listen: SERVER, args: one.args })
    after(only.stop)
    const age = async (url) => (await request(url)).headers['strict-transport-security']
    assert.match(await age(`${only.url}/`), /^max-age=\d+$/)
    for (const url of server.addresses) assert.strictEqual(await age(`${url}/`), undefined, url)
  })

  test('tls: an expired certificate is warned of, and serves', async ({ after }) => {
    const { key, pem } = expired(dir)
    const old = await start(binary, { listen: SERVER, env: { PARLEY_TLS_CERT: pem, PARLEY_TLS_KEY: key } })
    after(old.stop)
    assert.match(old.err, /warning the certificate in .*expired\.pem has expired\n/)
    await assert.rejects(request(`${old.url}/api/messages/count`), { code: 'CERT_HAS_EXPIRED' })
  })

  test('tls: 1.2 and 1.3, nothing older; http/1.1 is what it speaks', async () => {
    for (const [version, name] of [['TLSv1.2', 'TLSv1.2'], ['TLSv1.3', 'TLSv1.3']]) {
      const socket = await connect({ minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] })
      assert.deepStrictEqual([socket.getProtocol(), socket.alpnProtocol], [name, 'http/1.1'])
      socket.end('GET /api/messages/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      assert.deepStrictEqual(statuses(await rest(socket)), [200])
    }
    for (const version of ['TLSv1', 'TLSv1.1'])
      await assert.rejects(connect({ minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' }), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
    await assert.rejects(connect({ ALPNProtocols: ['h2'] }), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' })
  })

  test('tls: the cookie of a session is Secure where it is set through TLS, and there alone', async () => {
    const proxied = { 'X-Forwarded-Proto': 'https', Forwarded: 'proto=https' }
    for (const [url, end, headers] of [[server.url, '; Secure', {}], [server.addresses[1], '', {}], [server.addresses[1], '', proxied]]) {
      const cookie = async (path, more) => {
        const r = await request(`${url}/api/users/${path}`, { method: 'POST', headers: { ...headers, ...more.headers }, body: more.body })
        assert.strictEqual(r.status, 200, path)
        const [it] = r.headers['set-cookie']
        assert.match(it, new RegExp(`^payload-token=[^;]*; Expires=[^;]* GMT; Path=/; HttpOnly=true; SameSite=Lax${end}$`), path)
        return { headers: { Cookie: it.split(';')[0] } }
      }
      await cookie('logout', await cookie('refresh-token', await cookie('login', { body: ADMIN })))
    }
  })

  test('tls: a session is taken up again', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const first = await connect({ maxVersion: version })
      first.end('GET /api/messages/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      await rest(first)
      const again = await connect({ maxVersion: version, session: first.session })
      assert.ok(again.isSessionReused(), version)
      again.end('GET /api/messages/count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      assert.deepStrictEqual(statuses(await rest(again)), [200])
    }
  })

  const get = (what, more = '') => `GET ${what} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
  const post = (body, more = '') => `POST /api/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${more}\r\n${body}`
  const message = '{"sender":1,"receiver":1,"content":"raw"}'

  test('tls: requests in one record, one in many records, and bodies in chunks', async () => {
    const last = get('/api/messages/count', 'Connection: close\r\n')
    const length = `Content-Length: ${message.length}\r\n`
    let socket = await connect()
    socket.write(get('/api/messages') + post(message, length) + get('/api/nothing') + last)
    assert.deepStrictEqual(statuses(await rest(socket)), [200, 201, 404, 200])
    socket = await connect()
    for (const byte of post(message, length) + last) socket.write(byte)
    assert.deepStrictEqual(statuses(await rest(socket)), [201, 200])
    socket = await connect()
    socket.write(post(`5\r\n${message.slice(0, 5)}\r\n${(message.length - 5).toString(16)}\r\n${message.slice(5)}\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked\r\n') + last)
    assert.deepStrictEqual(statuses(await rest(socket)), [201, 200])
    socket = await connect()
    socket.write(`BROKEN\r\n\r\n${get('/')}`)
    assert.deepStrictEqual(statuses(await rest(socket)), [400])
    socket = await connect()
    socket.write(get('/', `X: ${'x'.repeat(20000)}\r\n`))
    assert.deepStrictEqual(statuses(await rest(socket)), [431])
  })

  test('tls: 100 requests over one kept connection', async ({ after }) => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    after(() => agent.destroy())
    const ports = new Set()
    for (let i = 0; i < 100; i++) {
      const r = await new Promise((resolve, reject) => https.get(`${server.url}/api/messages/count`, { agent, ca: one.ca }, (res) => {
        ports.add(res.socket.localPort)
        res.resume().on('end', () => resolve(res.statusCode))
      }).on('error', reject))
      assert.strictEqual(r, 200)
    }
    assert.strictEqual(ports.size, 1)
  })

  test('tls: one that says it will send no more is answered; one that is cut off is told so', async () => {
    for (const more of ['', 'Connection: close\r\n']) {
      const socket = await connect({ allowHalfOpen: true })
      socket.end(get('/api/messages', more))
      assert.deepStrictEqual(statuses(await rest(socket)), [200])
    }
    const socket = await connect({ allowHalfOpen: true })
    socket.end(post('{"sen', 'Content-Length: 100\r\n'))
    assert.deepStrictEqual(statuses(await rest(socket)), [400])
  })

  test('tls: 16 MB up and down, whole, in parts, in chunks, after "100 Continue"', async () => {
    const data = crypto.randomBytes(16 * MIB)
    const rss = () => Number(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) * 1024
    const before = rss()
    for (const [name, headers] of [['length', {}], ['expect', { Expect: '100-continue' }]]) {
      const r = await upload(`${name}.bin`, data, headers)
      assert.deepStrictEqual([r.status, r.json.doc.filesize], [201, data.length], name)
    }
    const file = `${server.url}/api/media/file/length.bin`
    const whole = await request(file)
    assert.ok(whole.bytes.equals(data))
    assert.ok((await request(`${server.addresses[1]}/api/media/file/expect.bin`)).bytes.equals(data))
    for (const [range, from, to] of [['0-0', 0, 1], ['100-65635', 100, 65636], [`${8 * MIB}-`, 8 * MIB, data.length], ['-1000', data.length - 1000, data.length]]) {
      const r = await request(file, { headers: { Range: `bytes=${range}` } })
      assert.strictEqual(r.status, 206)
      assert.ok(r.bytes.equals(data.subarray(from, to)), range)
    }
    const head = await request(file, { method: 'HEAD' })
    assert.deepStrictEqual([head.status, head.headers['content-length'], head.bytes.length], [200, String(data.length), 0])
    assert.strictEqual((await request(file, { headers: { 'If-None-Match': whole.headers.etag } })).status, 304)
    // What the client says last of all, that it will send no more, lies unread when the server closes.
    const half = await connect({ allowHalfOpen: true })
    half.pause()
    half.end(get('/api/media/file/length.bin', 'Range: bytes=0-1999999\r\nConnection: close\r\n'))
    await sleep(500)
    assert.ok((await rest(half)).length > 2000000)
    // Without sanitizers, whose memory is their own affair, none of the files lies in memory.
    if (!/sanitize|dev|tsan/.test(binary)) assert.ok(rss() - before < 12 * MIB, `${rss() - before}`)
  })

  test('tls: a slow reader keeps nobody waiting and gets all; one who leaves in the middle costs nothing', async ({ after }) => {
    const file = '/api/media/file/length.bin'
    const slow = await connect()
    slow.write(get(file, 'Connection: close\r\n'))
    await once(slow, 'data')
    slow.pause()
    // A reset comes from a relay between the two: Node's own TLS sockets have none.
    let below
    const relay = net.createServer((near) => {
      below = net.connect(server.port, '127.0.0.1').on('error', () => {})
      near.on('error', () => {}).pipe(below).pipe(near)
    }).listen(0, '127.0.0.1')
    after(() => relay.close())
    await once(relay, 'listening')
    for (let i = 0; i < 20; i++) {
      const leaves = await connect({ port: relay.address().port })
      leaves.write(i % 2 ? get(file) : post('x'.repeat(1000), 'Content-Length: 100000\r\n'))
      if (i % 2) await once(leaves, 'data')
      if (i % 3) below.resetAndDestroy()
      leaves.destroy()
    }
    assert.strictEqual((await say(server.url, 'meanwhile')).status, 201)
    let got = 0
    slow.on('data', (d) => { got += d.length })
    slow.resume()
    await once(slow, 'close')
    assert.ok(got > 15 * MIB, `${got}`)
  })

  test('tls: plain HTTP is told what this port is, TLS on the open port fails, garbage ends', async () => {
    const { text, closed } = await raw(server.port, get('/api/messages'))
    assert.ok(closed)
    assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nThis port speaks TLS: use https:\/\/\.\n$/)
    const open = Number(server.addresses[1].match(/\d+$/)[0])
    await assert.rejects(connect({ port: open }), /SSL|TLS|disconnected/)
    for (const bytes of ['SSH-2.0-x\r\n', Buffer.alloc(5000, 0xff), Buffer.from('16030100050100000100', 'hex')])
      assert.ok((await raw(server.port, bytes)).closed)
    assert.strictEqual((await request(`${server.addresses[1]}/api/messages/count`)).status, 200)
  })

  test('tls: handshakes that stop half way keep no others, and end', async () => {
    const hello = await new Promise((resolve) => {
      const spy = net.createServer((socket) => socket.once('data', (d) => { socket.destroy(); spy.close(); resolve(d) }))
      spy.listen(0, '127.0.0.1', () => tls.connect({ port: spy.address().port, host: '127.0.0.1' }).on('error', () => {}))
    })
    const half = Array.from({ length: 30 }, (_, i) => {
      const socket = net.connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      if (i % 3) socket.write(i % 3 === 1 ? hello.subarray(0, 50 + i) : hello)
      socket.resume()
      return new Promise((resolve) => socket.on('close', resolve))
    })
    for (let i = 0; i < 20; i++) assert.strictEqual((await request(`${server.url}/api/messages/count`)).status, 200)
    await Promise.all(half)
  })

  test('tls: a stream, and its cursor over a reconnect', async ({ after }) => {
    const first = await stream(sse())
    assert.deepStrictEqual([first.status, first.headers['content-type']], [200, 'text/event-stream'])
    await first.first('hello')
    await say(server.url, 'seen')
    await first.until(() => first.of('message').some((e) => e.json[0].content === 'seen'))
    first.close()
    for (let i = 0; i < 150; i++) await say(server.url, `missed ${i}`)
    const s = await stream(sse(), { 'Last-Event-ID': first.lastId })
    after(s.close)
    await s.docs(150)
    await say(server.url, 'live')
    assert.deepStrictEqual((await s.docs(151)).map((d) => d.content), [...Array.from({ length: 150 }, (_, i) => `missed ${i}`), 'live'])
    assert.strictEqual((await request(sse(), { method: 'HEAD' })).headers['content-type'], 'text/event-stream')
  })

  test('tls: 200 streams, 8 writers, every fifth reader killed and back with its cursor: each message once, in order', async ({ after }) => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 8, ca: one.ca })
    after(() => agent.destroy())
    const { id: cursor } = await (async () => { const s = await stream(sse()); after(s.close); return s.first('message') })()
    const readers = await Promise.all(Array.from({ length: 200 }, (_, i) => stream(i % 4 ? sse() : `${server.addresses[1]}/api/messages/sse`, { 'Last-Event-ID': cursor })))
    const writing = Promise.all(Array.from({ length: 200 }, (_, i) => request(`${server.url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content: `crowd ${i}` }, agent })))
    for (let i = 0; i < 200; i += 5) {
      const before = readers[i]
      await before.docs(20)
      before.close()
      const s = await stream(sse(), { 'Last-Event-ID': before.lastId })
      readers[i] = { close: s.close, docs: async (n) => { const seen = before.of('message').flatMap((e) => e.json); return [...seen, ...await s.docs(n - seen.length)] } }
    }
    const ids = (await writing).map((r) => r.json.doc.id).sort((a, b) => a - b)
    for (const s of readers) {
      assert.deepStrictEqual((await s.docs(200)).map((d) => d.id), ids)
      s.close()
    }
  })

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    test(`tls: a stream whose reader stops reading goes on where it stopped, ${version}`, async ({ after }) => {
      const socket = await connect({ maxVersion: version })
      after(() => socket.destroy())
      let text = ''
      socket.on('data', (d) => { text += d })
      const until = async (word) => { for (let i = 0; i < 600 && !text.includes(word); i++) await sleep(25) }
      socket.write(get('/api/messages/sse'))
      await until('event: hello')
      socket.pause()
      const filler = 'x'.repeat(30000)
      for (let i = 0; i < 300; i++) assert.strictEqual((await say(server.addresses[1], `${version} ${i} ${filler}`)).status, 201)
      socket.resume()
      await until(`${version} 299 ${filler}"`)
      const seen = [...text.matchAll(/"content":"(\S+) (\d+) x{30000}"/g)].filter((m) => m[1] === version).map((m) => Number(m[2]))
      assert.deepStrictEqual(seen, Array.from({ length: 300 }, (_, i) => i))
    })
  }

  // OpenSSL's own client: `type` writes to it, `until` waits for its output.
  const client = (after, ...args) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`, '-CAfile', one.pem, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    const c = { out: '', type: (text) => child.stdin.write(text), ended: new Promise((resolve) => child.on('close', resolve)) }
    after(() => child.kill('SIGKILL'))
    for (const from of [child.stdout, child.stderr]) from.on('data', (d) => { c.out += d })
    c.until = async (word) => {
      for (let i = 0; i < 600 && !word.test(c.out); i++) await sleep(25)
      assert.match(c.out, word)
    }
    return c
  }

  test('tls: new keys in the middle of a stream, asked for by the client', async ({ after }) => {
    const c = client(after, '-crlf')
    c.type('GET /api/messages/sse HTTP/1.1\nHost: a\n\n')
    await c.until(/event: hello/)
    for (let i = 0; i < 5; i++) {
      c.out = ''
      c.type(i % 2 ? 'k\n' : 'K\n')
      await c.until(/KEYUPDATE/)
      await say(server.url, `with key ${i}`)
      await c.until(new RegExp(`with key ${i}`))
    }
  })

  test('tls: SIGHUP reads the certificate again; a bad one changes nothing', async ({ after }) => {
    const pem = path.join(dir, 'moving.pem'), key = path.join(dir, 'moving.key')
    const put = (c) => { fs.copyFileSync(c.key, key); fs.copyFileSync(c.pem, pem) }
    const two = certificate(dir, 'two')
    put(one)
    const s = await start(binary, { listen: SERVER, args: ['--tls-cert', pem, '--tls-key', key, '--log-level', 'info'] })
    after(s.stop)
    const name = async () => {
      const socket = await connect({ port: s.port, ca: [one.ca, two.ca] })
      const { subject } = socket.getPeerCertificate()
      socket.destroy()
      return subject.CN
    }
    const logged = async (what) => { for (let i = 0; i < 600 && !what.test(s.err); i++) await sleep(25); assert.match(s.err, what) }
    const reader = await stream(`${s.url}/api/messages/sse`)
    await reader.first('hello')
    assert.strictEqual(await name(), 'one')
    put(two)
    process.kill(s.pid, 'SIGHUP')
    await logged(/the certificate has been read again/)
    assert.strictEqual(await name(), 'two')
    fs.writeFileSync(pem, 'nonsense')
    process.kill(s.pid, 'SIGHUP')
    await logged(/error the certificate stays as it was: There is no certificate in/)
    assert.strictEqual(await name(), 'two')
    await admin(s.url)
    await say(s.url, 'to the old stream')
    await reader.docs(1)
    reader.close()
  })

  test('tls: at its end the server says bye, and that nothing comes after it', async ({ after }) => {
    const c = client(after, '-crlf', '-msg')
    c.type('GET /api/messages/sse HTTP/1.1\nHost: a\n\n')
    await c.until(/event: hello/)
    const readers = await Promise.all(Array.from({ length: 20 }, () => stream(sse())))
    for (const s of readers) await s.first('message')
    // What else may be going on: an upload, a download, a kept connection, a handshake, and new requests.
    const sockets = await Promise.all([post('x', 'Content-Length: 100\r\n'), get('/api/media/file/length.bin'), get('/api/messages')].map(async (text) => { const s = await connect(); s.on('error', () => {}); s.write(text); return s }))
    sockets[1].pause()
    const half = net.connect(server.port, '127.0.0.1').on('error', () => {})
    let stopped = false
    const load = Promise.all(Array.from({ length: 8 }, async () => { while (!stopped) await say(server.url, 'load').catch(() => {}) }))
    const stopping = server.kill()
    for (const s of readers) await s.first('bye')
    await c.ended
    assert.deepStrictEqual(await stopping, { code: 0, signal: null })
    stopped = true
    await load
    for (const s of [...sockets, half]) s.destroy()
    assert.match(c.out, /event: bye[^]*<<< TLS 1\.3, Alert \[length 0002\], warning close_notify/)
    assert.doesNotMatch(server.err, /Sanitizer|runtime error/)
    await server.stop()
    remove(dir)
  })
}
