// How many passwords can be tried.
'use strict'
const assert = require('node:assert')
const { start, request, admin, ADMIN, test } = require('../harness.js')

module.exports = (binary) => {
  test('lockout: wrong passwords count one by one, however many come at once', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    const { token } = await admin(server.url)
    const login = async (password) => (await request(`${server.url}/api/users/login`, { method: 'POST', body: { ...ADMIN, password } })).json
    const message = (answer) => answer.errors[0].message
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => login(`wrong ${i}`)))
    assert.ok(answers.every((answer) => /incorrect|locked/.test(message(answer))))
    assert.match(message(await login(ADMIN.password)), /locked/)
    const unlocked = await request(`${server.url}/api/users/unlock`, { method: 'POST', body: ADMIN, headers: { Authorization: `JWT ${token}` } })
    assert.strictEqual(unlocked.status, 200)
    assert.strictEqual((await login(ADMIN.password)).message, 'Authentication Passed')
  })
}
