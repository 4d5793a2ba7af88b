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

// The recorded cases that ask for what is not built yet: of a file, all (true) or the steps that are named.
const later = require('./payload/later.json')

const chosen = (name) => !words.length || words.some((word) => name.includes(word))
const files = (folder, end) => fs.readdirSync(folder).filter((name) => name.endsWith(end)).sort()

// Each step counts as a test. One that passes must not be on the list of what comes later. The answers go to `answers`, for those who
// look at them in other ways.
async function recorded(answers) {
  const counts = { passed: 0, failed: 0 }
  const fail = (name, flaws) => { counts.failed++; console.log([`FAIL ${name}`, ...flaws].join('\n     ')) }
  const server = await start(binary)
  for (const file of files(cases, '.json')) {
    const results = await play(server.url, path.join(cases, file), { order: true, seen: (step, answer) => answers.push({ step, answer }) })
    const broken = (name) => results.some((result) => result.name === name && result.flaws.length)
    if (later[file] === true && results.some(({ flaws }) => flaws.length)) {
      console.log(`skipped  ${file}: all its ${results.length} steps, for what is not built yet`)
      continue
    }
    if (later[file] === true) fail(file, ['it passes: take it off later.json'])
    const waiting = later[file] === true ? [] : later[file] || []
    for (const name of waiting) {
      if (broken(name)) console.log(`skipped  ${file}: ${name}, for what is not built yet`)
      else fail(`${file}: ${name}`, ['it passes, or is no more: take it off later.json'])
    }
    for (const { name, flaws } of results) {
      if (!flaws.length) counts.passed++
      else if (!waiting.includes(name)) fail(`${file}: ${name}`, flaws)
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
