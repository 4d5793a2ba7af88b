// --setup-token: the first account is for who knows it.
'use strict'
const assert = require('node:assert')
const { start, run, request, admin, ADMIN, folder, remove, test } = require('../harness.js')

module.exports = (binary) => {
  const TOKEN = 'correct-horse-battery'
  const register = (url, token) => request(`${url}/api/users/first-register`, { method: 'POST', headers: token === undefined ? {} : { 'Parley-Setup-Token': token }, body: ADMIN })
  const needed = async (url) => (await request(`${url}/api/parley/config`)).json.setupToken
  const told = (server) => server.out.match(/^The first account needs the setup token ([0-9a-f]{32})$/m)?.[1]

  test('setup: a token that was given is asked for, until there is an account', async ({ after }) => {
    const server = await start(binary, { args: ['--setup-token', TOKEN] })
    after(server.stop)
    const { url } = server
    assert.strictEqual(await needed(url), true)
    assert.ok(!/token/.test(server.out), 'who gave it knows it')
    for (const wrong of [undefined, '', 'x', TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), 'auto']) {
      const { status, json } = await register(url, wrong)
      assert.deepStrictEqual([status, json], [403, { errors: [{ message: "The first account needs the server's setup token, which is missing or wrong." }] }], wrong)
    }
    assert.deepStrictEqual((await request(`${url}/api/users/init`)).json, { initialized: false })
    const { status, json } = await register(url, TOKEN)
    assert.deepStrictEqual([status, json.user.email], [200, ADMIN.email])
    assert.strictEqual(await needed(url), false)
    for (const token of [undefined, TOKEN, 'x']) assert.deepStrictEqual((await register(url, token)).json, { errors: [{ message: 'You are not allowed to perform this action.' }] })
    assert.strictEqual((await request(`${url}/api/users/login`, { method: 'POST', body: ADMIN })).status, 200)
  })

  test('setup: auto makes one, another at each start, and tells it while there is no account', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const first = await start(binary, { data, env: { PARLEY_SETUP_TOKEN: 'auto' } })
    const token = told(first)
    assert.ok(token, first.out)
    await first.stop()
    const second = await start(binary, { data, args: ['--setup-token', 'auto'] })
    after(second.stop)
    assert.ok(told(second) && told(second) !== token, second.out)
    assert.strictEqual((await register(second.url, token)).status, 403)
    assert.strictEqual((await register(second.url, told(second))).status, 200)
    await second.stop()
    const third = await start(binary, { data, args: ['--setup-token', 'auto'] })
    after(third.stop)
    assert.ok(!/token/.test(third.out), third.out)
    assert.strictEqual(await needed(third.url), false)
  })

  test('setup: without the option the first account is anybody\'s', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    assert.strictEqual(await needed(server.url), false)
    assert.ok(!/token/.test(server.out))
    assert.strictEqual((await admin(server.url)).id, 1)
  })

  test('setup: one that could be guessed, or sent in no header, is refused at the start', async () => {
    for (const token of ['short', 'x'.repeat(15), 'with spaces in it, but long', 'umläut-umläut-umläut', 'tab\tseparated-token-text']) {
      const { code, err } = await run(binary, ['--listen', '127.0.0.1:0', '--setup-token', token])
      assert.strictEqual(code, 2, token)
      assert.match(err, /^parley: --setup-token must be auto, or at least 16 printable ASCII characters without spaces\.\n$/)
    }
  })

  test('setup: the header is described, and pages of listed origins may send it', async ({ after }) => {
    const server = await start(binary, { args: ['--cors', 'https://chat.example.com'] })
    after(server.stop)
    const { json } = await request(`${server.url}/api/openapi.json`)
    assert.ok(json.paths['/api/users/first-register'].post.parameters.some(({ $ref }) => $ref.endsWith('/Parley-Setup-Token')))
    const { headers } = await request(`${server.url}/api/users/first-register`, { method: 'OPTIONS', headers: { Origin: 'https://chat.example.com', 'Access-Control-Request-Headers': 'parley-setup-token' } })
    assert.match(headers['access-control-allow-headers'], /, Parley-Setup-Token$/)
  })
}
