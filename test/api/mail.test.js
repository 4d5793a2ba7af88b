// A forgotten password: the token goes by the operator's mail command, and nowhere else.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, folder, remove, request, admin, ADMIN, sleep, test } = require('../harness.js')

module.exports = (binary) => {
  const post = (url, route, body) => request(`${url}/api/users/${route}`, { method: 'POST', body })

  const mailed = async (file, words = 'reset-password') => {
    for (let i = 0; i < 100; i++) {
      if (fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(words)) return fs.readFileSync(file, 'utf8')
      await sleep(50)
    }
    throw new Error('no mail came')
  }

  test('mail: a token comes by mail, sets the password once, and ends all sessions', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const file = path.join(dir, 'mail')
    const server = await start(binary, { args: ['--mail-command', `cat > '${file}'`, '--log-level', 'debug'] })
    after(server.stop)
    const { token: old } = await admin(server.url)
    const asked = await post(server.url, 'forgot-password', { email: ADMIN.email.toUpperCase() })
    assert.deepStrictEqual([asked.status, asked.json], [200, { message: 'Success' }])
    const mail = await mailed(file)
    assert.match(mail, /^To: admin@example\.com\nSubject: /)
    const token = mail.match(/\b[0-9a-f]{40}\b/)[0]
    assert.ok(!server.err.includes(token))

    const reset = (body) => post(server.url, 'reset-password', body)
    assert.strictEqual((await reset({ token })).json.errors[0].data.errors[0].path, 'password')
    assert.strictEqual((await reset({ token, password: 'ab' })).status, 400)
    assert.strictEqual((await reset({ password: 'a new one' })).status, 403)
    const r = await reset({ token, password: 'a new one' })
    assert.strictEqual(r.status, 200, r.text)
    assert.deepStrictEqual(Object.keys(r.json), ['message', 'token', 'user'])
    assert.strictEqual(r.json.user.sessions.length, 1)
    assert.match(r.headers['set-cookie'][0], /^payload-token=/)
    assert.strictEqual((await reset({ token, password: 'another' })).status, 403)

    const me = async (t) => (await request(`${server.url}/api/users/me`, { headers: { Authorization: `JWT ${t}` } })).json.user
    assert.strictEqual(await me(old), null)
    assert.strictEqual((await me(r.json.token)).email, ADMIN.email)
    assert.strictEqual((await post(server.url, 'login', ADMIN)).status, 401)
    assert.strictEqual((await post(server.url, 'login', { ...ADMIN, password: 'a new one' })).status, 200)
  })

  test('mail: a locked account is free again after a reset', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const file = path.join(dir, 'mail')
    const server = await start(binary, { args: ['--mail-command', `cat > '${file}'`] })
    after(server.stop)
    await admin(server.url)
    for (let i = 0; i < 5; i++) await post(server.url, 'login', { ...ADMIN, password: 'wrong' })
    const locked = await post(server.url, 'login', ADMIN)
    assert.match(locked.json.errors[0].message, /locked/)
    assert.ok(locked.headers['retry-after'] > 500 && locked.headers['retry-after'] <= 600)
    await post(server.url, 'forgot-password', { email: ADMIN.email })
    const token = (await mailed(file)).match(/\b[0-9a-f]{40}\b/)[0]
    assert.strictEqual((await post(server.url, 'reset-password', { token, password: 'free again' })).status, 200)
    assert.strictEqual((await post(server.url, 'login', { ...ADMIN, password: 'free again' })).status, 200)
  })

  test('mail: who asks again within 15 seconds gets the same answer and no second mail', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const file = path.join(dir, 'mail')
    const server = await start(binary, { args: ['--mail-command', `cat >> '${file}'`] })
    after(server.stop)
    const { token } = await admin(server.url)
    await request(`${server.url}/api/users`, { method: 'POST', headers: { Authorization: `JWT ${token}` }, body: { email: 'bob@example.com', password: 'secret' } })
    for (const email of [ADMIN.email, ADMIN.email, ADMIN.email, 'bob@example.com']) {
      const r = await post(server.url, 'forgot-password', { email })
      assert.deepStrictEqual([r.status, r.json], [200, { message: 'Success' }])
    }
    // Mails go one after the other: behind bob's would be the others.
    const mails = await mailed(file, 'To: bob@example.com')
    assert.deepStrictEqual(mails.match(/^To: .*$/gm), [`To: ${ADMIN.email}`, 'To: bob@example.com'])
    const sent = mails.match(/\b[0-9a-f]{40}\b/)[0]
    assert.strictEqual((await post(server.url, 'reset-password', { token: sent, password: 'a new one' })).status, 200)
  })

  test('mail: a command that fails is logged and disturbs nobody; strangers get the same answer', async ({ after }) => {
    const server = await start(binary, { args: ['--mail-command', 'exit 3'] })
    after(server.stop)
    await admin(server.url)
    for (const email of [ADMIN.email, 'nobody@example.com']) {
      const r = await post(server.url, 'forgot-password', { email })
      assert.deepStrictEqual([r.status, r.json], [200, { message: 'Success' }])
    }
    for (let i = 0; i < 100 && !server.err.includes('status 3'); i++) await sleep(50)
    assert.match(server.err, /the mail command ended with status 3/)
  })
}
