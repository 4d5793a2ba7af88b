// Starting, refusing to start, and stopping.
'use strict'
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { start, run, folder, remove, request, admin, test } = require('../harness.js')

module.exports = (binary) => {
  const digest = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex')
  const sentence = (r) => {
    const lines = r.err.trim().split('\n')
    assert.strictEqual(lines.length, 1, r.err)
    assert.match(lines[0], /^parley: .*\.$/)
    return lines[0]
  }

  test('start: --version and --help', async () => {
    const version = await run(binary, ['--version'])
    assert.strictEqual(version.code, 0)
    assert.match(version.out, /^parley \d+\.\d+\.\d+\n$/)
    const help = await run(binary, ['--help'])
    assert.strictEqual(help.code, 0)
    for (const flag of ['--listen', '--data', '--workers', '--delivery-threads', '--log-level', '--log-format', 'PAYLOAD_SECRET', 'DATABASE_URI', 'PORT']) assert.ok(help.out.includes(flag), flag)
  })

  test("start: the README's table of options is the program's own", async () => {
    const { out } = await run(binary, ['--help-markdown'])
    assert.ok(fs.readFileSync(path.join(__dirname, '../../README.md'), 'utf8').includes(out))
  })

  const bad = [[['--nope'], /--nope/], [['--workers', '0'], /--workers must be a whole number from 1 to/], [['--workers', 'x'], /--workers/], [['--workers'], /needs a value/], [['--log-level', 'loud'], /one of debug\|info/], [['--listen', 'foo'], /ADDR:PORT/], [['--listen', '1.2.3.4.5:1'], /no address/], [['--listen', '127.0.0.1:70000'], /ADDR:PORT/], [['--data='], /must not be empty/], [['--cors', 'http://a,b'], /"b" in --cors: it must be \* or a list of origins/]]
  for (const [args, reason] of bad) {
    test(`start: ${args.join(' ')} is refused with 2 and one sentence`, async ({ after }) => {
      const data = folder()
      after(() => remove(data))
      const r = await run(binary, args[0] === '--listen' ? [...args, '--data', data] : args)
      assert.strictEqual(r.code, 2)
      assert.match(sentence(r), reason)
    })
  }

  for (const [env, reason] of [[{ PORT: 'x' }, /PORT/], [{ DATABASE_URI: 'postgres://x' }, /DATABASE_URI/], [{ PARLEY_WORKERS: '-1' }, /PARLEY_WORKERS/], [{ PARLEY_CSRF: 'null' }, /"null" in --csrf/]]) {
    test(`start: ${JSON.stringify(env)} is refused with 2`, async () => {
      const r = await run(binary, [], { env })
      assert.strictEqual(r.code, 2)
      assert.match(sentence(r), reason)
    })
  }

  test('start: a port that is taken is named', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    const data = folder()
    after(() => remove(data))
    const r = await run(binary, ['--listen', `127.0.0.1:${server.port}`, '--data', data])
    assert.strictEqual(r.code, 1)
    assert.match(sentence(r), new RegExp(`127\\.0\\.0\\.1:${server.port}: the port is taken`))
  })

  test('start: a data folder that another server has is named', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    const r = await run(binary, ['--listen', '127.0.0.1:0', '--data', server.data])
    assert.strictEqual(r.code, 1)
    assert.match(sentence(r), /Another Parley uses/)
  })

  test('start: a data folder that is a file, cannot be made or cannot be written', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    fs.writeFileSync(path.join(dir, 'file'), '')
    for (const data of [path.join(dir, 'file'), path.join(dir, 'no/such/place'), '/proc/parley', '/proc']) {
      const r = await run(binary, ['--listen', '127.0.0.1:0', '--data', data])
      assert.strictEqual(r.code, 1)
      assert.ok(sentence(r).includes(data))
    }
  })

  test('start: a file that is no database is named and left alone', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const file = path.join(data, 'parley.db')
    fs.writeFileSync(file, 'this is a diary, not a database; '.repeat(100))
    const before = digest(file)
    const r = await run(binary, ['--listen', '127.0.0.1:0', '--data', data])
    assert.strictEqual(r.code, 1)
    assert.match(sentence(r), /parley\.db: it is not an SQLite database/)
    assert.strictEqual(digest(file), before)
  })

  test('start: a database of a newer program is named and left alone', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const file = path.join(data, 'parley.db')
    const made = await run('sqlite3', [file, "CREATE TABLE parley_meta (name text PRIMARY KEY NOT NULL, value text NOT NULL); INSERT INTO parley_meta VALUES ('version', '99');"])
    assert.strictEqual(made.code, 0, made.err)
    const before = digest(file)
    const r = await run(binary, ['--listen', '127.0.0.1:0', '--data', data])
    assert.strictEqual(r.code, 1)
    assert.match(sentence(r), /newer Parley/)
    assert.strictEqual(digest(file), before)
  })

  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`start: ${signal} ends it with 0`, async () => {
      const server = await start(binary)
      const idle = await require('node:net').connect(server.port, '127.0.0.1')
      idle.on('error', () => {})
      await request(`${server.url}/api/messages`)
      assert.deepStrictEqual(await server.kill(signal), { code: 0, signal: null })
      idle.destroy()
      await server.stop()
    })
  }

  test('start: a secret is made, kept for its owner alone, and used again', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    const { token } = await admin(server.url)
    assert.strictEqual(fs.statSync(path.join(data, 'secret')).mode & 0o777, 0o600)
    await server.stop()
    server = await start(binary, { data })
    after(server.stop)
    const me = await request(`${server.url}/api/users/me`, { headers: { Authorization: `JWT ${token}` } })
    assert.strictEqual(me.json.user.email, 'admin@example.com')
  })

  test('start: PORT is the port on localhost, and --listen comes before it', async ({ after }) => {
    const free = require('node:net').createServer().listen(0)
    await new Promise((resolve) => free.on('listening', resolve))
    const { port } = free.address()
    await new Promise((resolve) => free.close(resolve))
    const server = await start(binary, { listen: null, env: { PORT: String(port) } })
    after(server.stop)
    assert.strictEqual(server.port, port)
    assert.strictEqual((await request(`http://localhost:${port}/api/messages/count`)).status, 200)
    const other = await start(binary, { env: { PORT: String(port) } })
    after(other.stop)
    assert.notStrictEqual(other.port, port)
  })

  test('start: DATABASE_URI=file:./x.db is beside where it was started', async ({ after }) => {
    const cwd = folder()
    after(() => remove(cwd))
    const server = await start(binary, { data: path.join(cwd, 'data'), cwd, env: { DATABASE_URI: 'file:./x.db' } })
    after(server.stop)
    await admin(server.url)
    assert.ok(fs.existsSync(path.join(cwd, 'x.db')))
    assert.ok(!fs.existsSync(path.join(cwd, 'data/parley.db')))
  })

  test("start: Payload's names: PAYLOAD_SECRET, DATABASE_URI", async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const file = path.join(data, 'elsewhere.db')
    const server = await start(binary, { data: path.join(data, 'data'), env: { PAYLOAD_SECRET: 'a secret', DATABASE_URI: `file:${file}` } })
    after(server.stop)
    const { token } = await admin(server.url)
    assert.ok(fs.existsSync(file))
    assert.ok(!fs.existsSync(path.join(data, 'data/secret')))
    const key = crypto.createHash('sha256').update('a secret').digest('hex').slice(0, 32)
    const [head, claims, signature] = token.split('.')
    assert.strictEqual(crypto.createHmac('sha256', key).update(`${head}.${claims}`).digest('base64url'), signature)
    assert.deepStrictEqual(JSON.parse(Buffer.from(head, 'base64url')), { alg: 'HS256', authVersion: 1, typ: 'JWT' })
  })

  test('start: an old password form still signs in', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    await admin(server.url)
    await server.stop()
    const salt = crypto.randomBytes(32).toString('hex')
    const hash = crypto.pbkdf2Sync('old-pass', salt, 25000, 512, 'sha256').toString('hex')
    const set = await run('sqlite3', [path.join(data, 'parley.db'), `UPDATE users SET salt = '${salt}', hash = '${hash}'`])
    assert.strictEqual(set.code, 0, set.err)
    server = await start(binary, { data })
    after(server.stop)
    const login = (password) => request(`${server.url}/api/users/login`, { method: 'POST', body: { email: 'admin@example.com', password } })
    assert.strictEqual((await login('wrong')).status, 401)
    assert.strictEqual((await login('old-pass')).status, 200)
  })
}
