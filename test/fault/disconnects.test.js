// Readers that are cut off at any byte, thousands of times, while 64 writers write: with their cursor they miss nothing and get nothing twice.
'use strict'
const { start, admin, say, test } = require('../harness.js')
const { crowd } = require('./crowd.js')

const CLIENTS = 100
const OLD = 1000 // messages that are there before
const DISCONNECTS = process.env.PARLEY_TEST_ALL ? 10000 : 2000

module.exports = (binary) => {
  const once = (what, how) => test(`disconnects: ${DISCONNECTS} of ${CLIENTS} readers under 64 writers, ${what}`, async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    await admin(server.url)
    if (how.fresh) for (let i = 0; i < OLD; i++) await say(server.url, `old ${i}`)
    const { visits, messages } = await crowd({ url: server.url, port: server.port, clients: CLIENTS, disconnects: DISCONNECTS, ...how, after })
    console.log(`disconnects: ${visits} under ${messages} messages, ${what}: none missing, none twice`)
  })
  once('new messages', {})
  once('new, edited and deleted ones', { changes: true })
  once('which begin without a cursor', { fresh: true })
  once('which read all from the start', { fresh: true, all: true })
}
