// A process full of readers, so that they can be stopped together: node herd.js PORT COUNT CURSOR. It tells its parent 'open' when all of
// them have heard the server, and, when it was told the last id that it has to wait for, how they fared: { faults, visits }.
'use strict'
const { Reader } = require('./reader.js')

const [port, count, cursor] = process.argv.slice(2)
let last = Infinity, open = 0, visits = 0, done = 0
const faults = []
const readers = []

process.on('disconnect', () => process.exit())
process.on('message', (id) => {
  last = id
  for (const r of readers) if (r.id >= last) r.leave()
})

// Messages are only created here, one id after the other.
async function read() {
  const r = new Reader({ port, cursor, take: ({ event, data }) => {
    if (event === 'hello' && !r.heard) {
      r.heard = true
      if (++open === Number(count)) process.send('open')
    }
    if (event === 'reset') faults.push(`reset ${data}`)
    if (event !== 'message') return
    const id = Number(data.slice(7, data.indexOf(',')))
    if (id !== r.id + 1) faults.push(`the message ${id} came behind ${r.id}`)
    r.id = id
  } })
  r.id = 0
  readers.push(r)
  while (r.id < last) {
    visits++
    await r.visit({ until: () => r.id >= last })
  }
  if (++done === Number(count)) process.send({ faults: faults.slice(0, 10), visits }, () => process.exit())
}

for (let i = 0; i < count; i++) read()
