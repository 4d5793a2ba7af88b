// `parley bench`: what it counts is what happened. The server's own numbers, or a server of a few lines here, say what that is.
'use strict'
const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const http = require('node:http')
const path = require('node:path')
const { start, run, launch, request, admin, ADMIN, folder, remove, sleep, json, test } = require('../harness.js')

module.exports = (binary) => {
  // Its end and, with --json, its result.
  const bench = async (url, ...args) => {
    const r = await run(binary, ['bench', url, '--quiet', ...args.map(String)])
    return { ...r, result: json(r.out) }
  }
  const measure = (url, ...args) => bench(url, '--json', ...args)

  const serve = async (after, options) => {
    const server = await start(binary, options)
    after(server.stop)
    const { token } = await admin(server.url)
    return { ...server, token }
  }

  // A server of a few lines: answer(req, res) is called for each request.
  const serveBy = async (after, answer) => {
    const server = http.createServer(answer)
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    after(() => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) })
    return `http://127.0.0.1:${server.address().port}`
  }

  const messages = async (server, query = '') => (await request(`${server.url}/api/messages?${query}`)).json

  test('bench: --help, and what cannot be done, with 2 and one sentence', async ({ after }) => {
    const help = await run(binary, ['bench', '--help'])
    assert.strictEqual(help.code, 0)
    for (const flag of ['--kind', '--rate', '--json', '--streams']) assert.ok(help.out.includes(flag), flag)
    assert.match((await run(binary, ['--help'])).out, /parley bench --help/)
    const url = await serveBy(after, (req, res) => { res.statusCode = 403; res.end('{}') })
    const bad = [[[], /URL is needed/], [[url, '--nope', '1'], /no option --nope/], [[url, url], /no option http/], [[url, '--kind', 'put'], /one of get\|post\|streams/],
      [[url, '--rate', 'x'], /--rate must be a whole number/], [[url, '--json=yes'], /takes no value/], [['ftp://x'], /must begin with http/], [['http://:1/'], /must name a host/],
      [['http://127.0.0.1:1/a b'], /must be encoded/], [['http://nobody.invalid/'], /no address/], [[url, '--email', 'a@b.co'], /need each other/], [[url, '--connections', '0'], /--kind streams/],
      [[url, '--busy', '65'], /--busy/], [[url, '--header', 'x'], /"Name: value"/], [[url, '--body', '{}'], /--body is for/], [[url, '--kind', 'streams', '--body', '{}'], /one # in it/],
      [[url, '--kind', 'post'], /--sender and --receiver/], [[url, '--email', 'a@b.co', '--password', 'x'], /does not let a@b.co in: it answers 403/], [['https://127.0.0.1:1/', '--ca', '/nowhere'], /\/nowhere/]]
    for (const [args, reason] of bad) {
      const r = await run(binary, ['bench', ...args])
      assert.strictEqual(r.code, 2, `${args}: ${r.err}`)
      assert.match(r.err, /^parley: .*\.\n$/)
      assert.match(r.err, reason)
      assert.strictEqual(r.out, '')
    }
  })

  test('bench: GETs at a rate are as many as were due, all of them answered', async ({ after }) => {
    let seen = 0
    const url = await serveBy(after, (req, res) => { seen += req.url === '/some?path=1' && req.headers['x-one'] === '1'; res.end('ok') })
    const { code, result } = await measure(`${url}/some?path=1`, '--rate', 200, '--seconds', 1, '--connections', 8, '--header', 'X-One: 1')
    assert.strictEqual(code, 0)
    assert.strictEqual(seen, 200)
    assert.deepStrictEqual([result.sent, result.answered, result.failed, result.starved, result.latency.count], [200, 200, 0, 0, 200])
    assert.deepStrictEqual(result.statuses, { 200: 200 })
    const { latency } = result
    assert.ok(latency.min <= latency.p50 && latency.p50 <= latency.p99 && latency.p99 <= latency.max)
    assert.strictEqual(latency.buckets.reduce((sum, [, count]) => sum + count, 0), 200)
  })

  test('bench: answers of all sizes and shapes are read to their end', async ({ after }) => {
    const big = 'x'.repeat(300000)
    let n = 0
    const url = await serveBy(after, (req, res) => {
      const shape = n++ % 5
      if (shape === 0) res.end(big)
      if (shape === 1) { res.write(big); res.end('tail') } // chunked
      if (shape === 2) { res.setHeader('Connection', 'close'); res.end('bye') }
      if (shape === 3) { res.statusCode = 204; res.end() }
      if (shape === 4) { res.writeContinue(); res.writeEarlyHints?.({ link: '</a>; rel=preload' }); res.end('after') }
    })
    const { code, result, err } = await measure(url, '--rate', 500, '--seconds', 1, '--connections', 3, '--threads', 2)
    assert.strictEqual(code, 0, err + JSON.stringify(result?.errors))
    assert.deepStrictEqual([result.answered, n, result.statuses[200], result.statuses[204]], [500, 500, 400, 100])
    assert.ok(result.dials > 100, 'a connection that was closed is made again')
  })

  test('bench: what is posted is stored, once each', async ({ after }) => {
    const server = await serve(after)
    const bob = await request(`${server.url}/api/users`, { method: 'POST', body: { email: 'bob@example.com', password: 'bob-pass-1' }, headers: { Authorization: `JWT ${server.token}` } })
    const { code, result } = await measure(server.url, '--kind', 'post', '--seconds', 1, '--connections', 16, '--email', ADMIN.email, '--password', ADMIN.password)
    assert.strictEqual(code, 0)
    assert.ok(result.answered > 0)
    assert.deepStrictEqual(result.statuses, { 201: result.answered })
    const stored = await messages(server, 'limit=1&depth=0')
    assert.strictEqual(stored.totalDocs, result.answered)
    assert.deepStrictEqual([stored.docs[0].sender, stored.docs[0].receiver], [1, bob.json.doc.id])
    const rate = await measure(server.url, '--kind', 'post', '--seconds', 1, '--rate', 100, '--sender', 2, '--receiver', 1, '--token', server.token)
    assert.deepStrictEqual([rate.code, rate.result.answered], [0, 100])
    assert.strictEqual((await messages(server, 'where[sender][equals]=2')).totalDocs, 100)
  })

  test('bench: refusals are failures, by their status', async ({ after }) => {
    const server = await serve(after)
    const { code, result } = await measure(server.url, '--kind', 'post', '--rate', 50, '--seconds', 1, '--body', '{"sender":1}')
    assert.strictEqual(code, 1)
    assert.deepStrictEqual([result.answered, result.failed, result.statuses], [0, 50, { 400: 50 }])
    const text = await bench(`${server.url}/api/nothing`, '--rate', 50, '--seconds', 1)
    assert.strictEqual(text.code, 1)
    assert.match(text.out, /failed +50: 50 answered 404/)
  })

  test('bench: streams get each message once and in order, and memory is told', async ({ after }) => {
    const server = await serve(after)
    await measure(server.url, '--kind', 'post', '--rate', 30, '--seconds', 1, '--sender', 1, '--receiver', 1) // older ones do not count
    const { code, result } = await measure(server.url, '--kind', 'streams', '--streams', 50, '--stalled', 3, '--rate', 40, '--seconds', 1,
      '--sender', 1, '--receiver', 1, '--threads', 2, '--processes', server.pid)
    assert.strictEqual(code, 0)
    const { ready, lost, posted, acknowledged, received, missing, duplicates, disorder, foreign, failed } = result
    assert.deepStrictEqual({ ready, lost, posted, acknowledged, received, missing, duplicates, disorder, foreign, failed },
      { ready: 50, lost: 0, posted: 40, acknowledged: 40, received: 2000, missing: 0, duplicates: 0, disorder: 0, foreign: 0, failed: 0 })
    assert.strictEqual(result.latency.count, 2000)
    assert.deepStrictEqual([result.stalled_open, result.all.user >= 0, result.memory_bytes > 0], [3, true, true])
    assert.strictEqual((await messages(server)).totalDocs, 70)
  })

  test('bench: streams come back for what they missed', async ({ after }) => {
    const server = await serve(after)
    for (const more of [[], ['--at-once', 4]]) {
      const { code, result } = await measure(server.url, '--kind', 'streams', '--streams', 30, '--missed', 20, '--sender', 1, '--receiver', 1, ...more)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual([result.ready, result.received, result.missing, result.posted], [30, 600, 0, 21])
    }
  })

  // A stream server that forgets, repeats and mixes up.
  const broken = (after, tell) => {
    const readers = new Set()
    let n = 0
    return serveBy(after, async (req, res) => {
      if (req.method === 'GET') {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' })
        res.write(': open\n\n')
        readers.add(res)
        return
      }
      let body = ''
      for await (const piece of req) body += piece
      const send = (id, text) => { for (const reader of readers) reader.write(`id: ${id}\ndata: ${text}\n\n`) }
      tell(++n, body, send)
      res.end('{}')
    })
  }
  const wrongs = [
    ['forgets', (n, body, send) => { if (n !== 5) send(n, body) }, { missing: 4 }],
    ['repeats', (n, body, send) => { send(2 * n, body); if (n === 5) send(2 * n + 1, body) }, { duplicates: 4 }],
    ['mixes up', (n, body, send) => send(n === 5 ? 1 : n + 1, body), { disorder: 4 }],
    ['invents', (n, body, send) => { send(n, body); if (n === 5) send(n, body.replace(/(#.{8}).{8}/, '$1ffffffff')) }, { foreign: 4 }],
  ]
  for (const [verb, tell, wanted] of wrongs) {
    test(`bench: a stream server that ${verb} is found out`, async ({ after }) => {
      const url = await broken(after, tell)
      const { code, result } = await measure(url, '--kind', 'streams', '--streams', 4, '--rate', 10, '--seconds', 1, '--connections', 1, '--sender', 1, '--receiver', 1, '--timeout', 1)
      assert.strictEqual(code, 1)
      const { missing, duplicates, disorder, foreign } = result
      assert.deepStrictEqual({ missing, duplicates, disorder, foreign }, { missing: 0, duplicates: 0, disorder: 0, foreign: 0, ...wanted })
    })
  }

  test('bench: an open loop counts latency from when a request was due', async ({ after }) => {
    const server = await serve(after)
    const child = launch(binary, ['bench', `${server.url}/api/users/me`, '--json', '--rate', '100', '--seconds', '3', '--connections', '1'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = new Promise((resolve) => child.on('close', resolve))
    let out = ''
    child.stdout.on('data', (d) => { out += d })
    // From its first line of progress on it is under way.
    await new Promise((resolve) => child.stderr.once('data', resolve))
    process.kill(server.pid, 'SIGSTOP')
    await sleep(1000)
    process.kill(server.pid, 'SIGCONT')
    assert.strictEqual(await ended, 0)
    const { answered, latency } = json(out)
    assert.strictEqual(answered, 300)
    assert.ok(latency.max >= 900, `the longest is ${latency.max} ms`)
    // Those that were due in the first half of that second waited for the other half, though they had one connection.
    const late = latency.buckets.filter(([ms]) => ms > 450).reduce((sum, [, count]) => sum + count, 0)
    assert.ok(late >= 40, `${late} were late`)
  })

  test('bench: a server that is lost is told as failures, and a server that never was as a sentence', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    await admin(server.url)
    const args = ['--seconds', '3', '--connections', '4', '--rate', '100', '--timeout', '1']
    const kinds = [[`${server.url}/api/users/me`, '--processes', String(server.pid), ...args], [server.url, '--kind', 'streams', '--streams', '20', '--sender', '1', '--receiver', '1', ...args]]
    const runs = kinds.map((words) => {
      const child = launch(binary, ['bench', ...words, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
      const one = { begun: new Promise((resolve) => child.stderr.once('data', resolve)), out: '' }
      child.stdout.on('data', (d) => { one.out += d })
      one.ended = new Promise((resolve) => child.on('close', resolve))
      return one
    })
    await Promise.all(runs.map(({ begun }) => begun))
    await server.kill('SIGKILL')
    for (const { ended } of runs) assert.strictEqual(await ended, 1)
    const [requests, streams] = runs.map(({ out }) => json(out))
    assert.ok(requests.answered > 0 && requests.errors.connect + requests.errors.unsent > 0, JSON.stringify(requests.errors))
    assert.strictEqual(requests.answered + requests.failed, 300)
    assert.strictEqual(streams.lost, 20)
    const r = await bench(server.url)
    assert.strictEqual(r.code, 1)
    assert.match(r.err, /^parley: Cannot connect to 127\.0\.0\.1:\d+: Connection refused\.\n$/)
  })

  test('bench: connections that are never served are starved', async ({ after }) => {
    const held = new Set()
    const url = await serveBy(after, (req, res) => {
      held.add(req.socket)
      if ([...held].indexOf(req.socket) < 3) res.end('ok')
    })
    const { code, result } = await measure(url, '--seconds', 1, '--connections', 8, '--timeout', 2)
    assert.strictEqual(code, 1)
    assert.ok(result.answered > 0)
    assert.deepStrictEqual([result.starved, result.errors.timeout, result.failed], [5, 5, 5])
  })

  test('bench: with --busy the others ask once and stay; with --fresh none stays', async ({ after }) => {
    const server = await serve(after)
    const url = `${server.url}/api/users/me`
    const busy = await measure(url, '--seconds', 1, '--connections', 40, '--busy', 2)
    assert.strictEqual(busy.code, 0)
    assert.deepStrictEqual([busy.result.dials, busy.result.starved, busy.result.answered > 40], [40, 0, true])
    const fresh = await measure(url, '--rate', 60, '--seconds', 1, '--connections', 5, '--fresh')
    assert.deepStrictEqual([fresh.code, fresh.result.answered, fresh.result.dials], [0, 60, 60])
  })

  test('bench: SIGINT ends it early, with what it has', async ({ after }) => {
    const server = await serve(after)
    for (const words of [[`${server.url}/api/users/me`], [server.url, '--kind', 'streams', '--streams', '5', '--rate', '50', '--sender', '1', '--receiver', '1']]) {
      const child = launch(binary, ['bench', ...words, '--seconds', '600', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
      let out = ''
      child.stdout.on('data', (d) => { out += d })
      const ended = new Promise((resolve) => child.on('close', resolve))
      await new Promise((resolve) => child.stderr.once('data', resolve))
      child.kill('SIGINT')
      assert.strictEqual(await ended, 0)
      const result = json(out)
      assert.ok((result.answered ?? result.acknowledged) > 0)
      assert.strictEqual(result.failed, 0)
    }
  })

  test('bench: https, whose certificate is believed or not', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const [key, pem] = ['key', 'pem'].map((end) => path.join(dir, `one.${end}`))
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', pem, '-subj', '/CN=one',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'], { stdio: 'pipe' })
    const server = await start(binary, { listen: 'https://127.0.0.1:0', args: ['--tls-cert', pem, '--tls-key', key] })
    after(server.stop)
    const url = `${server.url}/api/users/me`
    const doubted = await bench(url, '--seconds', 1)
    assert.strictEqual(doubted.code, 1)
    assert.match(doubted.err, /certificate verify failed/)
    for (const trust of [['--ca', pem], ['--insecure']]) {
      const { code, result, err } = await measure(url, '--rate', 100, '--seconds', 1, '--connections', 4, ...trust)
      assert.strictEqual(code, 0, err)
      assert.deepStrictEqual([result.answered, result.dials], [100, 4])
    }
    const register = await measure(`${server.url}/api/users/first-register`, '--kind', 'post', '--rate', 1, '--seconds', 1, '--insecure', '--body', JSON.stringify(ADMIN))
    assert.strictEqual(register.code, 0)
    const streams = await measure(server.url, '--kind', 'streams', '--streams', 20, '--rate', 50, '--seconds', 1, '--ca', pem, '--email', ADMIN.email, '--password', ADMIN.password)
    assert.strictEqual(streams.code, 0, streams.err)
    assert.deepStrictEqual([streams.result.received, streams.result.missing, streams.result.lost], [1000, 0, 0])
  })
}
