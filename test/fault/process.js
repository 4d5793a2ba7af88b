// What the kernel tells of a process, and waiting for it to tell something.
'use strict'
const fs = require('node:fs')
const { request, sleep } = require('../harness.js')

// How many descriptors it has open, and how many of them are sockets.
const descriptors = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length
function sockets(pid) {
  let n = 0
  for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
    try {
      if (fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')) n++
    } catch {} // closed meanwhile
  }
  return n
}

// Its resident memory in bytes.
const resident = (pid) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) * 1024

// Waits for a condition, a minute at most; `what` says what did not come about.
async function until(condition, what) {
  for (const limit = Date.now() + 60000; !await condition();) {
    if (Date.now() > limit) throw new Error(what())
    await sleep(20)
  }
}

const gone = (pid, before) => until(() => sockets(pid) <= before, () => `${sockets(pid) - before} sockets stayed open`)

// What a server says of its connections: how many are `open`, its asker's among them, and how many wait, by what for.
async function waiting(url) {
  const { text } = await request(`${url}/api/parley/metrics`)
  const waits = [...text.matchAll(/^parley_connections_waiting\{for="(.*)"\} (-?\d+)$/gm)].map(([, what, n]) => [what, Number(n)])
  return { open: Number(text.match(/^parley_connections (-?\d+)$/m)[1]), ...Object.fromEntries(waits) }
}

module.exports = { sockets, descriptors, resident, until, gone, waiting }
