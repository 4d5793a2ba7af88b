// Payload's own client, unchanged: all that it can ask of collections and of accounts. The same file is played against the original:
// node test/api/run.js test/api/original/server.mjs sdk
'use strict'
const assert = require('node:assert')
const buffer = require('node:buffer')
const fs = require('node:fs')
const path = require('node:path')
const { start, folder, remove, request, admin, ADMIN, sleep, test, skip } = require('../harness.js')

const RED = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAIAAAA7ljmRAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVR4nGP4z8AARwgWOgcA9TEL9VuTca0AAAAASUVORK5CYII=', 'base64')

globalThis.File ??= buffer.File // Node.js 18 has it in its module only, the client wants it as a global name

module.exports = (binary) => {
  let server, dir, PayloadSDK, anonymous, sdk, token, adminId, bob
  const messages = { collection: 'messages' }
  const users = { collection: 'users' }
  const client = (jwt) => new PayloadSDK({ baseURL: `${server.url}/api`, ...(jwt && { baseInit: { headers: { Authorization: `JWT ${jwt}` } } }) })
  const contents = async (options, by = anonymous) => (await by.find({ ...messages, sort: 'id', limit: 100, ...options })).docs.map((d) => d.content)
  const refused = async (promise, status, message) => {
    const error = await promise.then(() => assert.fail('it was not refused'), (e) => e)
    assert.deepStrictEqual([error.name, error.status, error.message], ['PayloadSDKError', status, message])
    return error
  }
  const write = (content, more = {}) => anonymous.create({ ...messages, data: { sender: adminId, receiver: bob, content, ...more } })

  if (!fs.existsSync(path.join(__dirname, 'node_modules/@payloadcms/sdk'))) return test('sdk', () => skip('it is not installed (npm ci in test/api)'))

  test('sdk: a server for it', async () => {
    ;({ PayloadSDK } = await import('@payloadcms/sdk'))
    dir = folder()
    server = await start(binary, { args: ['--mail-command', `cat >> '${path.join(dir, 'mail')}'`] })
    ;({ token, id: adminId } = await admin(server.url))
    anonymous = client()
    sdk = client(token)
  })

  test('sdk: create: the document itself comes back; who may not is told', async () => {
    const user = await sdk.create({ ...users, data: { email: 'Bob@Example.com', password: 'bob-pass-1' } })
    assert.deepStrictEqual([user.email, user.collection], ['bob@example.com', 'users'])
    bob = user.id
    await refused(anonymous.create({ ...users, data: { email: 'eve@example.com', password: 'secret' } }), 403, 'You are not allowed to perform this action.')
    const doc = await write('one & two + 50% [ü] 😀?')
    assert.deepStrictEqual(Object.keys(doc), ['id', 'sender', 'receiver', 'content', 'timestamp', 'updatedAt', 'createdAt'])
    assert.deepStrictEqual([doc.sender, doc.receiver, doc.content], [adminId, bob, 'one & two + 50% [ü] 😀?'])
    const seen = await sdk.create({ ...messages, depth: 1, select: { sender: true }, data: { sender: bob, receiver: { id: adminId }, content: 'two' } })
    assert.deepStrictEqual(Object.keys(seen), ['id', 'sender'])
    assert.strictEqual(seen.sender.email, 'bob@example.com')
  })

  test('sdk: create: each flaw is told', async () => {
    const error = await refused(anonymous.create({ ...messages, data: { sender: adminId } }), 400, 'The following fields are invalid: Receiver, Content')
    assert.strictEqual(error.errors[0].name, 'ValidationError')
    assert.deepStrictEqual(error.errors[0].data.errors.map((e) => [e.path, e.message]), [['receiver', 'This field is required.'], ['content', 'This field is required.']])
    await refused(sdk.create({ ...users, data: { email: ADMIN.email, password: 'secret' } }), 400, 'The following field is invalid: email')
  })

  test('sdk: find: pages, in an order', async () => {
    for (let i = 0; i < 10; i++) await write(`page ${i}`, { timestamp: new Date(Date.UTC(2024, 0, 1 + i)) })
    const { docs, ...list } = await anonymous.find({ ...messages, limit: 5, page: 2, sort: ['-receiver', 'id'], draft: false, trash: false })
    assert.strictEqual(docs.length, 5)
    assert.deepStrictEqual(list, { hasNextPage: true, hasPrevPage: true, limit: 5, nextPage: 3, page: 2, pagingCounter: 6, prevPage: 1, totalDocs: 12, totalPages: 3 })
    const all = await anonymous.find({ ...messages, pagination: false })
    assert.deepStrictEqual([all.docs.length, all.totalDocs, all.docs[0].content], [12, 12, 'page 9'])
    assert.strictEqual((await anonymous.find({ ...messages, limit: 0 })).docs.length, 12)
    assert.strictEqual((await anonymous.find(messages)).docs.length, 10)
  })

  test('sdk: find: depth, select and populate', async () => {
    const one = (options, by) => by.find({ ...messages, limit: 1, sort: 'id', ...options }).then((list) => list.docs[0])
    assert.strictEqual((await one({ depth: 2 }, anonymous)).sender, adminId)
    assert.strictEqual((await one({ depth: 0 }, sdk)).sender, adminId)
    assert.strictEqual((await one({ depth: 1 }, sdk)).sender.email, ADMIN.email)
    assert.strictEqual((await one({}, sdk)).sender.email, ADMIN.email)
    assert.deepStrictEqual(await one({ depth: 1, populate: { users: { email: true } }, select: { sender: true } }, sdk),
      { id: 1, sender: { id: adminId, email: ADMIN.email, collection: 'users' } })
    assert.deepStrictEqual(Object.keys(await one({ select: { content: false, sender: false } }, anonymous)), ['id', 'receiver', 'timestamp', 'updatedAt', 'createdAt'])
  })

  test('sdk: find: filters, as the client writes them', async () => {
    const some = (where, by) => contents({ where }, by)
    const all = await contents()
    assert.deepStrictEqual(await some({ content: { equals: 'one & two + 50% [ü] 😀?' } }), all.slice(0, 1))
    assert.deepStrictEqual(await some({ content: { contains: '& TWO + 50' } }), all.slice(0, 1))
    assert.deepStrictEqual(await some({ content: { like: 'TWO one' } }), all.slice(0, 1))
    assert.deepStrictEqual(await some({ content: { in: ['two', 'a,b', 'page 3'] } }), ['two', 'page 3'])
    assert.deepStrictEqual(await some({ content: { in: Array.from({ length: 60 }, (_, i) => `page ${59 - i}`) } }), all.slice(2))
    assert.deepStrictEqual(await some({ content: { not_in: all.slice(2) } }), all.slice(0, 2))
    assert.deepStrictEqual(await some({ content: { in: [] } }), [])
    assert.deepStrictEqual(await some({ sender: { equals: bob } }), ['two'])
    assert.deepStrictEqual(await some({ receiver: { not_equals: bob } }), ['two'])
    assert.deepStrictEqual(await some({ sender: { exists: false } }), [])
    assert.deepStrictEqual(await some({ sender: { equals: null } }), [])
    assert.deepStrictEqual(await some({ receiver: { not_equals: null } }), all)
    assert.deepStrictEqual(await some({ timestamp: { equals: null } }), [])
    assert.deepStrictEqual(await some({ timestamp: { exists: true } }), all)
    assert.deepStrictEqual(await some({ timestamp: { less_than: new Date('2024-01-03T00:00:00Z') } }), ['page 0', 'page 1'])
    assert.deepStrictEqual(await some({ id: { greater_than: 2, less_than_equal: 4 } }), ['page 0', 'page 1'])
    const either = { or: [{ content: { equals: 'two' } }, { and: [{ content: { like: 'page' } }, { timestamp: { greater_than_equal: '2024-01-10' } }] }] }
    assert.deepStrictEqual(await some(either), ['two', 'page 9'])
    assert.deepStrictEqual(await some({ or: Array.from({ length: 30 }, (_, i) => ({ content: { equals: `page ${i}` } })) }), all.slice(2))
    assert.deepStrictEqual(await some({ and: [], or: [] }), all)
    assert.deepStrictEqual(await some({}), all)
    assert.deepStrictEqual(await some({ 'sender.email': { equals: 'bob@example.com' } }, sdk), ['two'])
    await refused(some({ nope: { equals: 1 } }), 400, 'The following path cannot be queried: nope')
  })

  test('sdk: count', async () => {
    assert.deepStrictEqual(await anonymous.count(messages), { totalDocs: 12 })
    assert.deepStrictEqual(await anonymous.count({ ...messages, where: { content: { contains: 'page' } } }), { totalDocs: 10 })
    await refused(anonymous.count(users), 403, 'You are not allowed to perform this action.')
  })

  test('sdk: findByID, and none', async () => {
    const doc = await sdk.findByID({ ...messages, id: 1, depth: 1, select: { content: true, sender: true } })
    assert.deepStrictEqual(Object.keys(doc), ['id', 'sender', 'content'])
    assert.strictEqual(doc.sender.email, ADMIN.email)
    assert.strictEqual((await sdk.findByID({ ...users, id: bob })).email, 'bob@example.com')
    await refused(anonymous.findByID({ ...messages, id: 9999 }), 404, 'Not Found')
    assert.strictEqual(await anonymous.findByID({ ...messages, id: 9999, disableErrors: true }), null)
  })

  test('sdk: update: one, and all that match', async () => {
    const doc = await anonymous.update({ ...messages, id: 3, data: { content: 'changed' }, depth: 0 })
    assert.deepStrictEqual([doc.id, doc.content, doc.receiver], [3, 'changed', bob])
    const bulk = await anonymous.update({ ...messages, where: { content: { in: ['changed', 'page 1'] } }, data: { content: 'both' }, select: { content: true } })
    assert.deepStrictEqual(bulk, { docs: [{ id: 4, content: 'both' }, { id: 3, content: 'both' }], errors: [], message: 'Updated 2 Messages successfully.' })
    const few = await anonymous.update({ ...messages, where: { content: { like: 'page' } }, limit: 2, sort: 'id', data: { receiver: adminId } })
    assert.deepStrictEqual(few.docs.map((d) => d.content).sort(), ['page 2', 'page 3'])
    await refused(anonymous.update({ ...messages, id: 9999, data: { content: 'x' } }), 404, 'Not Found')
    await refused(anonymous.update({ ...messages, id: 3, data: { content: '' } }), 400, 'The following field is invalid: Content')
    await refused(anonymous.update({ ...messages, data: { content: 'x' } }), 400, "Missing 'where' query of documents to update.")
    assert.strictEqual((await sdk.update({ ...users, id: bob, data: { email: 'robert@example.com' } })).email, 'robert@example.com')
  })

  test('sdk: delete: one, and all that match', async () => {
    assert.strictEqual((await anonymous.delete({ ...messages, id: 3 })).content, 'both')
    const bulk = await anonymous.delete({ ...messages, where: { content: { in: ['page 2', 'page 3'] } }, select: { content: true } })
    assert.deepStrictEqual(bulk.docs.map((d) => d.content), ['page 3', 'page 2'])
    assert.deepStrictEqual([bulk.errors, bulk.message], [[], 'Deleted 2 Messages successfully.'])
    await refused(anonymous.delete({ ...messages, id: 3 }), 404, 'Not Found')
    await refused(anonymous.delete(messages), 400, "Missing 'where' query of documents to delete.")
    assert.deepStrictEqual(await anonymous.count(messages), { totalDocs: 9 })
  })

  test('sdk: what there is none of: globals, versions', async () => {
    await refused(sdk.findGlobal({ slug: 'settings' }), 404, 'Route not found "/api/globals/settings"')
    await refused(sdk.updateGlobal({ slug: 'settings', data: {} }), 404, 'Route not found "/api/globals/settings"')
    await refused(anonymous.findVersions(messages), 403, 'You are not allowed to perform this action.')
  })

  test('sdk: login, me, refresh and logout', async () => {
    const login = (password) => anonymous.login({ ...users, data: { email: 'robert@example.com', password } })
    await refused(login('wrong'), 401, 'The email or password provided is incorrect.')
    await refused(anonymous.login({ ...users, data: { password: 'x' } }), 400, 'The following field is invalid: email')
    const session = await login('bob-pass-1')
    assert.deepStrictEqual(Object.keys(session), ['message', 'exp', 'token', 'user'])
    assert.deepStrictEqual([session.message, session.user.id, session.user.email], ['Authentication Passed', bob, 'robert@example.com'])
    assert.deepStrictEqual(await anonymous.me(users), { user: null, message: 'Account' })
    const headers = { Authorization: `JWT ${session.token}` }
    const me = await anonymous.me(users, { headers })
    assert.deepStrictEqual([me.user.email, me.collection, me.strategy, me.token, me.exp], ['robert@example.com', 'users', 'local-jwt', session.token, session.exp])
    const fresh = await anonymous.refreshToken(users, { headers })
    assert.deepStrictEqual([fresh.message, fresh.user.id], ['Token refresh successful.', bob])
    await refused(anonymous.refreshToken(users), 403, 'You are not allowed to perform this action.')
    const again = client(fresh.refreshedToken)
    assert.strictEqual((await again.me(users)).user.id, bob)
    const out = () => again.request({ method: 'POST', path: '/users/logout' })
    assert.deepStrictEqual(await (await out()).json(), { message: 'Logout successful.' })
    assert.strictEqual((await again.me(users)).user, null)
    await refused(out(), 400, 'No User')
  })

  test('sdk: a forgotten password', async ({ after }) => {
    after(() => fs.rmSync(path.join(dir, 'mail')))
    assert.deepStrictEqual(await anonymous.forgotPassword({ ...users, data: { email: 'robert@example.com' } }), { message: 'Success' })
    await refused(anonymous.forgotPassword({ ...users, data: {} }), 400, 'Missing email.')
    let mail
    for (let i = 0; i < 200 && !mail; i++) {
      await sleep(50)
      mail = fs.existsSync(path.join(dir, 'mail')) && fs.readFileSync(path.join(dir, 'mail'), 'utf8').match(/\b[0-9a-f]{40}\b/)
    }
    const reset = () => anonymous.resetPassword({ ...users, data: { token: mail[0], password: 'bob-pass-2' } })
    const done = await reset()
    assert.deepStrictEqual([done.message, done.user.email], ['Password reset successfully.', 'robert@example.com'])
    assert.strictEqual((await client(done.token).me(users)).user.id, bob)
    await refused(reset(), 403, 'Token is either invalid or has expired.')
    assert.strictEqual((await anonymous.login({ ...users, data: { email: 'robert@example.com', password: 'bob-pass-2' } })).user.id, bob)
  })

  test('sdk: a file goes up, is replaced, read and deleted', async () => {
    const bare = await request(`${server.url}/api/media`, { method: 'POST', body: {} })
    if (/^Route not found/.test(bare.json.message)) skip('this server takes no uploads')
    const media = { collection: 'media' }
    const png = (name) => new File([RED], name, { type: 'image/png' })
    const doc = await sdk.create({ ...media, data: { alt: 'red' }, file: png('red ä.png') })
    assert.deepStrictEqual([doc.alt, doc.filename, doc.mimeType, doc.filesize, doc.width, doc.height, doc.focalX, doc.focalY, doc.thumbnailURL],
      ['red', 'red ä.png', 'image/png', RED.length, 4, 3, 50, 50, null])
    assert.strictEqual(doc.url, `/api/media/file/${encodeURIComponent('red ä.png')}`)
    const bytes = async (url) => (await request(server.url + url)).bytes
    assert.deepStrictEqual(await bytes(doc.url), RED)
    // A text is the address of a file, which the client fetches and sends on.
    const copy = await sdk.create({ ...media, data: { alt: 'a copy' }, file: server.url + doc.url })
    assert.deepStrictEqual([copy.mimeType, copy.filesize, copy.width], ['image/png', RED.length, 4])
    const second = await sdk.create({ ...media, data: { alt: 'red again' }, file: png('red ä.png') })
    assert.strictEqual(second.filename, 'red ä-1.png')
    const text = await sdk.update({ ...media, id: second.id, data: { alt: 'a text' }, file: new Blob(['plain'], { type: 'text/plain' }) })
    assert.deepStrictEqual([text.alt, text.mimeType, text.filesize], ['a text', 'text/plain', 5])
    assert.strictEqual((await bytes(text.url)).toString(), 'plain')
    assert.strictEqual((await sdk.update({ ...media, id: doc.id, data: { alt: 'crimson' } })).filename, 'red ä.png')
    assert.deepStrictEqual((await anonymous.find({ ...media, sort: 'id', select: { alt: true } })).docs.map((d) => d.alt), ['crimson', 'a copy', 'a text'])
    await refused(anonymous.create({ ...media, data: { alt: 'x' }, file: png('x.png') }), 403, 'You are not allowed to perform this action.')
    await refused(sdk.create({ ...media, data: { alt: 'x' } }), 400, 'No files were uploaded.')
    await refused(sdk.create({ ...media, data: { focalX: 1 }, file: png('x.png') }), 400, 'The following field is invalid: Alt')
    await refused(sdk.create({ ...media, data: { alt: 'x' }, file: new File(['<script>1</script>'], 'x.html', { type: 'text/html' }) }), 400, 'The following field is invalid: file')
    await refused(sdk.create({ ...media, data: { alt: 'x' }, file: new File(['no picture'], 'x.png', { type: 'image/png' }) }), 400, 'There was a problem while uploading the file.')
    assert.strictEqual((await sdk.delete({ ...media, id: doc.id })).filename, 'red ä.png')
    assert.notStrictEqual((await request(server.url + doc.url)).status, 200)
  })

  test('sdk: the server ends well', async () => {
    remove(dir)
    await server.stop()
  })
}
