// GET /api/openapi.json: a valid OpenAPI 3.1 document, and one that tells the truth: of every recorded request and its answer, of every
// operation without and with a session, of the operators, and of the stream's events.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, request, admin, say, stream, test } = require('../harness.js')
const { play } = require('./payload/player.js')

const cases = path.join(__dirname, 'payload/cases')

async function describe(url) {
  let made
  try {
    made = require('./openapi.js')
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    throw new Error(`run \`npm ci --ignore-scripts\` in test/api before: ${error.message.split('\n')[0]}`)
  }
  const { json } = await request(`${url}/api/openapi.json`)
  return new made.Description(json)
}

async function described(binary, after) {
  const server = await start(binary)
  after(server.stop)
  return { url: server.url, description: await describe(server.url) }
}

const message = (flaws) => flaws.slice(0, 20).join('\n')
const noRoute = (answer) => answer.status === 404 && /^Route not found/.test(answer.json?.message)
const anyone = (operation) => operation.security?.some((one) => !Object.keys(one).length) || operation.security?.length === 0

module.exports = (binary, answers = []) => {
  test('openapi: anyone may read the document, and has it only once', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    const url = `${server.url}/api/openapi.json`
    const first = await request(url)
    assert.strictEqual(first.status, 200)
    assert.strictEqual(first.headers['content-type'], 'application/json')
    assert.match(first.json.openapi, /^3\.1\./)
    const { etag } = first.headers
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await request(url, { headers: { 'If-None-Match': tag } })
      assert.deepStrictEqual([again.status, again.text, again.headers.etag], [304, '', etag], tag)
    }
    assert.strictEqual((await request(url, { headers: { 'If-None-Match': '"other"' } })).status, 200)
    const head = await request(url, { method: 'HEAD' })
    assert.deepStrictEqual([head.status, head.text, head.headers['content-length']], [200, '', String(first.bytes.length)])
  })

  test("openapi: the document is valid by OpenAPI's own schema of 3.1", async ({ after }) => {
    const { description } = await described(binary, after)
    const { Validator } = await import('@seriousme/openapi-schema-validator')
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(description.document))
    assert.ok(valid, JSON.stringify(errors))
    assert.strictEqual(validator.version, '3.1')
    description.compileAll()
  })

  test("openapi: the document keeps a linter's rules", async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    await describe(server.url)
    const { createConfig, lintFromString } = require('@redocly/openapi-core')
    const rules = {
      'no-ambiguous-paths': 'off', // versions/:id and :id/duplicate are Payload's own
      'operation-4xx-response': 'off', // OPTIONS never fails
    }
    const { text } = await request(`${server.url}/api/openapi.json`)
    const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config: await createConfig({ extends: ['recommended-strict'], rules }) })
    // A collection that cannot be written to by anybody has the schema of a body that nothing takes.
    const real = problems.filter(({ message: said }) => !/^Component: "\w+Create" is never used/.test(said))
    assert.deepStrictEqual(real.map((p) => `${p.ruleId}: ${p.message} ${p.location[0].pointer}`), [])
  })

  test('openapi: every recorded request is described, and what came is what it says', async ({ after }) => {
    const { url, description } = await described(binary, after)
    if (!answers.length) {
      for (const file of fs.readdirSync(cases).filter((name) => name.endsWith('.json')).sort())
        await play(url, path.join(cases, file), { seen: (step, answer) => answers.push({ step, answer }) })
    }
    const flaws = []
    let looked = 0
    for (const { step, answer } of answers) {
      const { method = 'GET', path: address, headers = {} } = step
      const what = `${method} ${address}`
      const operation = description.find(method, address)
      const override = Object.keys(headers).some((name) => /method-override$/i.test(name))
      if (noRoute(answer)) {
        // The POST that stands for a GET is none without its header.
        if (operation && !/ByPost$/.test(operation.operationId)) flaws.push(`${what} is described, and there is no such route`)
      } else if (!operation) {
        // OPTIONS is answered for any path.
        if (method !== 'OPTIONS') flaws.push(`${what} is not described`)
      } else {
        const partly = /select|populate/.test(address) || (override && /select|populate/.test(JSON.stringify(step)))
        flaws.push(...description.flaws(operation, answer, { partly }).map((flaw) => `${what}: ${flaw}`))
        looked++
      }
    }
    assert.deepStrictEqual(flaws, [], message(flaws))
    assert.ok(looked > 200, `${looked} answers`)
  })

  test('openapi: who may call each operation, its statuses and its answers are as described', async ({ after }) => {
    const { url, description } = await described(binary, after)
    const call = async ({ path: template, method, operation }, headers) => {
      const first = /login|forgot|unlock/.test(template) ? { email: 'nobody@example.com', password: 'wrong' } : {}
      const override = /ByPost$/.test(operation.operationId) ? { 'X-HTTP-Method-Override': 'GET' } : {}
      const body = ['get', 'head', 'options'].includes(method) ? undefined : first
      return request(url + template.replace(/\{\w+\}/, '77'), { method: method.toUpperCase(), headers: { ...headers, ...override }, body })
    }
    const flaws = []
    const look = async (headers, judge) => {
      for (const one of description.operations()) {
        // An open stream never ends, and a session that has ended is of no use to the rest.
        if (/(sse|stream)$/.test(one.path) && ['get', 'post'].includes(one.method)) continue
        if (/logout$/.test(one.path) && headers.Authorization) continue
        const answer = await call(one, headers)
        const what = `${one.method} ${one.path}${headers.Authorization ? ' with a session' : ''}`
        if (noRoute(answer)) flaws.push(`${what}: there is no such route`)
        flaws.push(...description.flaws(one.operation, answer, { head: one.method === 'head' }).map((flaw) => `${what}: ${flaw}`))
        judge(one.operation, answer, what)
      }
    }
    const { token } = await admin(url)
    await look({}, (operation, answer, what) => {
      const said = 403 in operation.responses || 401 in operation.responses
      if ([401, 403].includes(answer.status) && !said) flaws.push(`${what}: ${answer.status} for anyone`)
      // Ending no session is a mistake, not a lack of rights.
      if (!anyone(operation) && ![401, 403].includes(answer.status) && answer.json?.errors?.[0]?.message !== 'No User') flaws.push(`${what}: ${answer.status} without a session`)
    })
    await look({ Authorization: `JWT ${token}` }, (operation, answer, what) => {
      if (!anyone(operation) && [401, 403].includes(answer.status) && !/unlock/.test(what)) flaws.push(`${what}: ${answer.status}`)
    })
    assert.deepStrictEqual(flaws, [], message(flaws))
  })

  test('openapi: lists, documents, writes and errors are of the described form', async ({ after }) => {
    const { url, description } = await described(binary, after)
    const { token } = await admin(url)
    const session = { Authorization: `JWT ${token}` }
    const sample = async (status, method, address, options = {}) => {
      const answer = await request(url + address, { method, ...options })
      assert.strictEqual(answer.status, status, `${method} ${address}: ${answer.text}`)
      assert.deepStrictEqual(description.flaws(description.find(method, address), answer, { partly: /select/.test(address) }), [], `${method} ${address}`)
      return answer.json
    }
    const body = { sender: 1, receiver: 1, content: 'hi' }
    const created = await sample(201, 'POST', '/api/messages', { body, headers: session })
    assert.strictEqual(created.doc.sender.email, 'admin@example.com')
    await sample(200, 'GET', '/api/messages', { headers: session })
    await sample(200, 'GET', '/api/messages?depth=0&limit=1&page=3')
    await sample(200, 'GET', '/api/messages/1?select[content]=true')
    await sample(200, 'PATCH', '/api/messages/1', { body: { content: 'ho' } })
    await sample(200, 'PATCH', '/api/messages?where[id][equals]=1', { body: { content: 'ho' } })
    await sample(400, 'PATCH', '/api/messages?where[id][equals]=1', { body: { content: '' } })
    await sample(400, 'POST', '/api/messages', { body: {} })
    await sample(400, 'GET', '/api/messages?where[nope][equals]=1')
    await sample(404, 'GET', '/api/messages/99')
    await sample(403, 'POST', '/api/users', { body: {} })
    await sample(409, 'DELETE', '/api/users/1', { headers: session })
    await sample(200, 'GET', '/api/users/me', { headers: session })
    await sample(200, 'POST', '/api/users/refresh-token', { headers: session })
    await sample(200, 'GET', '/api/access', { headers: session })
    await sample(200, 'DELETE', '/api/messages?where[id][equals]=1')
    // The validator would see a name too many, and one too few.
    const operation = description.find('GET', '/api/messages/1')
    const { id, sender, ...rest } = created.doc
    const answer = (json) => ({ status: 200, headers: { 'content-type': 'application/json' }, json, bytes: Buffer.from('x') })
    assert.deepStrictEqual(description.flaws(operation, answer({ id, sender, ...rest })), [])
    assert.strictEqual(description.flaws(operation, answer({ id, sender, ...rest, hash: 'x' })).length, 1)
    assert.strictEqual(description.flaws(operation, answer({ id, ...rest })).length, 1)
  })

  test('openapi: every operator on every field that where names is understood, and no other', async ({ after }) => {
    const { url, description } = await described(binary, after)
    const { resolve } = require('./openapi.js')
    const { token } = await admin(url)
    const count = async (slug, where) =>
      (await request(`${url}/api/${slug}/count?where=${encodeURIComponent(JSON.stringify(where))}`, { headers: { Authorization: `JWT ${token}` } })).status
    const { document } = description
    const sampleOf = (schema, kind) => {
      const [{ type, items }] = schema.anyOf || [schema]
      const scalar = { integer: 1, number: 1.5, boolean: true, string: /Date$/.test(kind) ? '2026-01-02' : 'x' }
      return type === 'array' ? [scalar[items.type]] : scalar[[type].flat()[0]]
    }
    let asked = 0
    for (const { name: slug } of document.tags.filter(({ name }) => name !== 'system')) {
      const parameter = document.paths[`/api/${slug}/count`].get.parameters.map((one) => resolve(document, one)).find(({ name }) => name === 'where')
      const { properties: { and, or, ...fields } } = resolve(document, parameter.schema)
      assert.strictEqual(and.items.$ref, parameter.schema.$ref)
      assert.strictEqual(or.items.$ref, parameter.schema.$ref)
      for (const [field, reference] of Object.entries(fields)) {
        for (const [operator, schema] of Object.entries(resolve(document, reference).properties)) {
          assert.strictEqual(await count(slug, { [field]: { [operator]: sampleOf(schema, reference.$ref) } }), 200, `${slug} ${field} ${operator}`)
          asked++
        }
        assert.strictEqual(await count(slug, { [field]: { near: '1' } }), 400)
      }
    }
    assert.ok(asked > 300, `${asked} questions`)
  })

  test("openapi: the stream's events are of the described form", async ({ after }) => {
    const { url, description } = await described(binary, after)
    await admin(url)
    await say(url, 'before')
    const s = await stream(`${url}/api/messages/sse`, { 'Last-Event-ID': 'nonsense' })
    after(s.close)
    await s.docs(1)
    await say(url, 'after')
    await request(`${url}/api/messages/1`, { method: 'DELETE' })
    await s.first('delete')
    const operation = description.find('GET', '/api/messages/sse')
    for (const { event, id, data } of s.events) assert.deepStrictEqual(description.eventFlaws(operation, { event, data, ...(id && { id }) }), [], data)
    for (const name of ['hello', 'reset', 'message', 'delete']) assert.ok(s.of(name).length, name)
    assert.notDeepStrictEqual(description.eventFlaws(operation, { event: 'message', data: '[{"id":1}]' }), [])
  })

  test('openapi: forms, keys and overrides stand where they are taken', async ({ after }) => {
    const { description: { document } } = await described(binary, after)
    const { resolve } = require('./openapi.js')
    const parameters = (operation) => (operation.parameters || []).map((one) => resolve(document, one).name)
    for (const [address, item] of Object.entries(document.paths)) {
      if (item.post) assert.strictEqual(parameters(item.post).includes('Idempotency-Key'), !/ByPost$/.test(item.post.operationId), address)
      if (item.get && parameters(item.get).some((name) => ['where', 'depth'].includes(name)))
        assert.ok(parameters(item.post).includes('X-HTTP-Method-Override'), address)
      assert.ok(item.options, address)
    }
    const form = (operation) => operation.requestBody.content['multipart/form-data'].schema
    assert.ok(form(document.paths['/api/media/{id}'].patch).properties.file)
    assert.ok(!form(document.paths['/api/messages/{id}'].patch).properties.file)
    assert.deepStrictEqual(form(document.paths['/api/messages'].post).required, ['_payload'])
  })
}
