// Readers that are cut off at any byte, thousands of times, while 64 writers write: with their cursor they miss nothing and get nothing twice.
'use strict'
const { start, admin, test } = require('../harness.js')
const { crowd } = require('./crowd.js')

const CLIENTS = 100
const DISCONNECTS = process.env.PARLEY_TEST_ALL ? 10000 : 2000

module.exports = (binary) => {
  const once = (what, changes) => test(`disconnects: ${DISCONNECTS} of ${CLIENTS} readers under 64 writers, ${what}`, async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    await admin(server.url)
    const { visits, messages } = await crowd({ url: server.url, port: server.port, clients: CLIENTS, disconnects: DISCONNECTS, changes, after })
    console.log(`disconnects: ${visits} under ${messages} messages, ${what}: none missing, none twice`)
  })
  once('new messages', false)
  once('new, edited and deleted ones', true)
}
