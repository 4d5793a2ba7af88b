// kill -9 at random moments while 64 clients send each message with a key, again and again until they are answered: every key is one
// message, and all answers to it are the same bytes.
'use strict'
const assert = require('node:assert')
const crypto = require('node:crypto')
const http = require('node:http')
const { start, request, admin, folder, remove, sleep, test } = require('../harness.js')

const CLIENTS = 64
const KILLS = process.env.PARLEY_TEST_ALL ? 200 : 20

module.exports = (binary) => {
  test(`retry: ${KILLS} kills under ${CLIENTS} clients that retry make no second message`, async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    after(() => server.kill('SIGKILL'))
    const { port, url } = server
    await admin(url)

    let over = false
    let failed = false
    let killed = 0 // when, the last time
    let lost = 0 // answers that a kill took, though their message was stored
    const answers = new Map() // content -> the first answer's text
    const client = async (n) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; !over; i++) {
        const content = `c${n} m${i}`
        const headers = { 'Idempotency-Key': crypto.randomUUID() }
        const send = async () => {
          for (;;) {
            if (failed) throw new Error('another client failed')
            try {
              const r = await request(`${url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content }, headers, agent })
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
        answers.set(content, r.text)
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

    const { docs } = (await request(`${url}/api/messages?limit=0&depth=0&sort=id`)).json
    const stored = new Map()
    for (const doc of docs) stored.set(doc.content, [...(stored.get(doc.content) || []), doc])
    assert.strictEqual(stored.size, answers.size)
    for (const [content, text] of answers) assert.deepStrictEqual(stored.get(content), [JSON.parse(text).doc], content)
    console.log(`retry: ${KILLS} kills, ${answers.size} messages, each once; ${lost} were stored when a kill took their answer`)
  })
}
