// node test/api/run.js BINARY : everything that is tested through the server's own door.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { report, start } = require('../harness.js')
const player = require('./payload/player.js')

const binary = path.resolve(process.argv[2] || 'build/release/parley')
const cases = path.join(__dirname, 'payload/cases')

// Recorded cases that ask for what is not built yet, by file, or by file and step.
const later = require('./payload/later.json')

async function recorded() {
  const total = { passed: 0, failed: 0 }
  const server = await start(binary)
  let waiting = 0
  for (const name of fs.readdirSync(cases).filter((f) => f.endsWith('.json')).sort()) {
    const skip = later[name]
    if (skip === true) continue
    const lines = []
    const { passed, failed } = await player.runFile(server.url, path.join(cases, name), { order: true, log: (line) => lines.push(line) })
    const expected = lines.filter((line) => (skip || []).some((step) => line.includes(`: ${step}\n`)))
    waiting += expected.length
    for (const line of lines) if (!expected.includes(line)) console.log(line)
    total.passed += passed
    total.failed += failed - expected.length
    // A step that passes now must leave the list.
    for (const step of skip || []) {
      if (expected.some((line) => line.includes(`: ${step}\n`))) continue
      total.failed++
      console.log(`FAIL ${name}: "${step}" passes; take it off later.json`)
    }
  }
  const end = await server.stop()
  if (end.code !== 0) { total.failed++; console.log(`FAIL the server ended with ${end.code} ${end.signal}\n${server.err}`) }
  console.log(`recorded cases: ${total.passed} passed, ${waiting} of later capabilities passed over`)
  return total
}

async function main() {
  const extra = await recorded()
  for (const name of fs.readdirSync(__dirname).filter((f) => f.endsWith('.test.js')).sort()) require(path.join(__dirname, name))(binary)
  await report({ extra })
}
main()
