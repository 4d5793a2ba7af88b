// The server's clock steps ten years forwards and backwards while a stream is open, messages come and people sign in. libfaketime moves the
// wall clock alone: no sleep and no deadline may depend on it.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { start, request, admin, ADMIN, stream, folder, remove, skip, test } = require('../harness.js')
const { until } = require('./process.js')

const PING_MS = 30000

// Debian puts it in a folder of the machine's kind.
const library = () => fs.readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find((file) => fs.existsSync(file))

// Seconds that the process has computed: utime and stime of proc(5), in hundredths.
const cpu = (pid) => {
  const words = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
  return (Number(words[11]) + Number(words[12])) / 100
}

module.exports = (binary) => {
  // A server whose clock can be put: step('+10y').
  const serve = async (after, ...args) => {
    const preload = library()
    if (!preload) skip('there is no libfaketime')
    if (/__[at]san_init/.test(fs.readFileSync(binary, 'latin1'))) skip('a sanitizer and libfaketime do not go together')
    const dir = folder()
    after(() => remove(dir))
    const clock = path.join(dir, 'clock')
    const step = (offset) => {
      fs.writeFileSync(`${clock}.new`, offset)
      fs.renameSync(`${clock}.new`, clock)
    }
    step('+0')
    const server = await start(binary, { args, env: { LD_PRELOAD: preload, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Without this it believes itself on an old glibc, where it turns waits of monotonic conditions into no waits at all.
      FAKETIME_FORCE_MONOTONIC_FIX: '0' } })
    after(server.stop)
    return { ...server, step }
  }

  test('clock: steps of ten years lose nothing, and nothing waits for them', async ({ after }) => {
    const server = await serve(after)
    const { url, step } = server
    await admin(url)
    // One connection for all: a step must not look like idleness.
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    after(() => agent.destroy())
    const post = async (content) => {
      const { status, json } = await request(`${url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content }, agent })
      assert.strictEqual(status, 201)
      return json.doc
    }
    const opened = Date.now()
    const s = await stream(`${url}/api/messages/sse`)
    after(s.close)
    const { json: { epoch, head } } = await s.first('hello')

    const years = []
    const posted = []
    for (const offset of ['+0', '+10y', '-10y', '+0']) {
      step(offset)
      for (let i = 0; i < 20; i++) posted.push(await post(`${offset} ${i}`))
      years.push(Number(posted.at(-1).createdAt.slice(0, 4)))
      await s.docs(posted.length)
      const login = await request(`${url}/api/users/login`, { method: 'POST', body: ADMIN })
      assert.strictEqual(login.status, 200, offset)
      const me = await request(`${url}/api/users/me`, { headers: { Authorization: `JWT ${login.json.token}` } })
      assert.strictEqual(me.json.user?.id, 1, offset)
    }
    // The clock has been moved at all; a leap day or a new year's eve may be between.
    assert.ok(years[1] - years[0] >= 9 && years[0] - years[2] >= 9, String(years))

    const contents = (docs) => docs.map((doc) => doc.content)
    const wanted = contents(posted)
    assert.deepStrictEqual(contents(await s.docs(posted.length)), wanted, 'the stream is in the order of the commits')
    const back = await stream(`${url}/api/messages/sse?since=${epoch}-${head}`)
    after(back.close)
    assert.deepStrictEqual(contents(await back.docs(posted.length)), wanted, 'and so is what it says to one that comes back')
    const list = async (query) => contents((await request(`${url}/api/messages?limit=0${query}`)).json.docs)
    const newest = [...posted].sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id - a.id)
    const times = (docs) => docs.map((doc) => doc.createdAt)
    assert.deepStrictEqual(await list('&sort=id'), wanted)
    assert.deepStrictEqual(times((await request(`${url}/api/messages?limit=0&sort=-createdAt`)).json.docs), times(newest))

    // The ping comes in its time, neither at a step nor ten years later; nobody runs in circles meanwhile; and the stream goes on behind it.
    step('+10y')
    const before = cpu(server.pid)
    await s.until(() => s.of('ping')[0], 'a ping', 2 * PING_MS)
    assert.ok(Date.now() - opened >= PING_MS, `a ping after ${Date.now() - opened} ms`)
    assert.ok(cpu(server.pid) - before < 3, `${cpu(server.pid) - before} s of the processor for waiting`)
    posted.push(await post('the last'))
    assert.strictEqual((await s.docs(posted.length)).at(-1).content, 'the last')
    assert.strictEqual(s.of('reset').length, 0)
  })

  test('clock: put back by ten years, it keeps nobody locked out or waiting, and no session alive', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const { url, step } = await serve(after, '--mail-command', `cat > '${dir}/mail.new' && mv '${dir}/mail.new' '${dir}/mail'`)
    const locked = { email: 'locked@example.com', password: 'right' }
    const post = (route, body, token) => request(`${url}/api/users${route}`, { method: 'POST', body, headers: token ? { Authorization: `JWT ${token}` } : {} })
    const me = async (token) => (await request(`${url}/api/users/me`, { headers: { Authorization: `JWT ${token}` } })).json.user?.id
    // Its token.
    const mailed = async () => {
      assert.strictEqual((await post('/forgot-password', locked)).status, 200)
      await until(() => fs.existsSync(`${dir}/mail`), () => 'no mail came')
      const [token] = fs.readFileSync(`${dir}/mail`, 'utf8').match(/\b[0-9a-f]{40}\b/)
      fs.unlinkSync(`${dir}/mail`)
      return token
    }
    await post('', locked, (await admin(url)).token)

    step('+10y')
    const { token } = (await post('/login', ADMIN)).json
    for (let i = 0; i < 5; i++) await post('/login', { ...locked, password: 'wrong' })
    const reset = await mailed()
    const refused = (r, status, reason) => { assert.strictEqual(r.status, status); assert.match(r.text, reason) }
    refused(await post('/login', locked), 401, /locked/)
    step('+3649d') // a day is too much for what lasts for minutes or hours
    assert.strictEqual((await post('/login', locked)).status, 200)
    assert.strictEqual(await me(token), undefined)
    step('+0')
    assert.strictEqual(await me(token), undefined)
    assert.strictEqual(await me((await post('/login', ADMIN)).json.token), 1)
    refused(await post('/reset-password', { token: reset, password: 'another' }), 403, /expired/)
    assert.strictEqual((await post('/reset-password', { token: await mailed(), password: 'another' })).status, 200)
  })
}
