// node test/api/run.js BINARY [WORD…] : everything that is tested through the server's own door, or the files whose names hold a word.
// What it needs of npm, `npm ci --ignore-scripts` in this folder installs.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { report, start } = require('../harness.js')
const { play } = require('./payload/player.js')

const binary = path.resolve(process.argv[2] || 'build/release/parley')
const words = process.argv.slice(3)
const cases = path.join(__dirname, 'payload/cases')

const chosen = (name) => !words.length || words.some((word) => name.includes(word))
const files = (folder, end) => fs.readdirSync(folder).filter((name) => name.endsWith(end)).sort()

// Each step counts as a test. The answers go to `answers`, for those who look at them in other ways.
async function recorded(answers) {
  const counts = { passed: 0, failed: 0 }
  const fail = (name, flaws) => { counts.failed++; console.log([`FAIL ${name}`, ...flaws].join('\n     ')) }
  const server = await start(binary)
  for (const file of files(cases, '.json')) {
    const results = await play(server.url, path.join(cases, file), { order: true, seen: (step, answer) => answers.push({ step, answer }) })
    for (const { name, flaws } of results) {
      if (!flaws.length) counts.passed++
      else fail(`${file}: ${name}`, flaws)
    }
  }
  await server.stop().catch((error) => fail('the server that played the recorded cases', [error.message]))
  return counts
}

async function main() {
  const answers = []
  const extra = chosen('recorded') ? await recorded(answers) : undefined
  for (const name of files(__dirname, '.test.js').filter(chosen)) require(path.join(__dirname, name))(binary, answers)
  await report({ extra })
}
main()
