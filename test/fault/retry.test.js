// kill -9 at random moments while 64 clients send messages and files with keys, again and again until they are answered: every key is
// one document, and all answers to it are the same bytes.
'use strict'
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { start, request, admin, multipart, folder, remove, sleep, test } = require('../harness.js')

const CLIENTS = 64
const KILLS = process.env.PARLEY_TEST_ALL ? 200 : 20

module.exports = (binary) => {
  test(`retry: ${KILLS} kills under ${CLIENTS} clients that retry make no second document`, async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    after(() => server.kill('SIGKILL'))
    const { port, url } = server
    const { token } = await admin(url)

    let over = false
    let failed = false
    let killed = 0 // when, the last time
    let lost = 0 // answers that a kill took, though their document was stored
    const answers = { messages: new Map(), media: new Map() } // content or alt -> the first answer's text
    const message = (content, key, agent) => request(`${url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content }, headers: { 'Idempotency-Key': key }, agent })
    const upload = (alt, key, agent) => {
      const boundary = crypto.randomUUID()
      const body = multipart(boundary, [{ name: 'file', filename: 'same.txt', data: alt }, { name: '_payload', data: JSON.stringify({ alt }) }])
      const headers = { 'Idempotency-Key': key, Authorization: `JWT ${token}`, 'Content-Type': `multipart/form-data; boundary=${boundary}` }
      return request(`${url}/api/media`, { method: 'POST', body, headers, agent })
    }
    const client = async (n) => {
      const [one, kind] = n % 8 ? [message, 'messages'] : [upload, 'media']
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; !over; i++) {
        const content = `c${n} m${i}`
        const key = crypto.randomUUID()
        const send = async () => {
          for (;;) {
            if (failed) throw new Error('another client failed')
            try {
              const r = await one(content, key, agent)
              assert.strictEqual(r.status, 201, r.text)
              return r
            } catch (error) {
              if (error instanceof assert.AssertionError) throw error
              await sleep(20)
            }
          }
        }
        const begun = Date.now()
        const r = await send()
        answers[kind].set(content, r.text)
        if (killed > begun && Date.parse(r.json.doc.createdAt) < killed) lost++
        if (i % 8 === 0) assert.strictEqual((await send()).text, r.text)
      }
      agent.destroy()
    }

    const all = Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(n)))
    all.catch(() => { over = failed = true })
    for (let k = 0; k < KILLS && !over; k++) {
      await sleep(50 + Math.random() * 300)
      await server.kill('SIGKILL')
      killed = Date.now()
      server = await start(binary, { data, port })
    }
    over = true
    await all

    for (const [kind, name] of [['messages', 'content'], ['media', 'alt']]) {
      const { docs } = (await request(`${url}/api/${kind}?limit=0&depth=0&sort=id`)).json
      const stored = new Map()
      for (const doc of docs) stored.set(doc[name], [...(stored.get(doc[name]) || []), doc])
      assert.strictEqual(stored.size, answers[kind].size)
      for (const [content, text] of answers[kind]) assert.deepStrictEqual(stored.get(content), [JSON.parse(text).doc], content)
      if (kind === 'media') assert.deepStrictEqual(fs.readdirSync(path.join(data, 'media')).sort(), docs.map((d) => d.filename).sort())
    }
    console.log(`retry: ${KILLS} kills, ${answers.messages.size} messages and ${answers.media.size} files, each once; ${lost} were stored when a kill took their answer`)
  })
}
