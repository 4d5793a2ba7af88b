// run.js [--quick] [CASE…]: runs the cases in rounds and writes build/bench; run.sh builds first, and sees to what is left over.
// Ends with 1 when a run of Parley's failed a request, or lost, repeated or mixed up a message.
'use strict'
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { execFileSync } = require('node:child_process')
const harness = require('../harness.js')
const { servers, begin, opening, work, out, top, remove } = require('./servers.js')
const { summarize } = require('./summary.js')
const { write } = require('./report.js')

const sizes = {
  full: { rounds: 3, seconds: 10, requests: 5, lists: 3, stored: [1000, 10000, 100000, 1000000], idle: 31, saturate: 5, resumes: 2000, patience: 10 },
  quick: { rounds: 1, seconds: 3, requests: 2, lists: 2, stored: [1000, 1000000], idle: 5, saturate: 2, resumes: 500, patience: 4 },
}

const words = process.argv.slice(2)
const quick = words.includes('--quick')
const size = sizes[quick ? 'quick' : 'full']
const cases = require('./cases.js')(size)
const chosen = words.filter((word) => word !== '--quick')
const unknown = chosen.find((word) => !cases.some((c) => c.name === word))
if (unknown) {
  console.error(`${unknown === '--help' ? 'run.sh [--quick] [CASE…]' : `There is no case ${unknown}`}; the cases are:`)
  for (const c of cases) console.error(`  ${c.name.padEnd(12)}${c.title}`)
  process.exit(unknown === '--help' ? 0 : 2)
}

const git = (...args) => execFileSync('git', args, { cwd: top, encoding: 'utf8' }).trim()

function machine() {
  const [cpu] = os.cpus()
  return {
    cpu: cpu.model.trim(),
    cores: os.cpus().length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    kernel: `${os.type()} ${os.release()}`,
    filesystem: execFileSync('df', ['--output=fstype', out], { encoding: 'utf8' }).trim().split('\n').pop(),
  }
}

function commit() {
  try {
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') ? ', with changes' : '')
  } catch {
    return 'unknown'
  }
}

// One run: a fresh server, one load on it, perhaps another beside it for as long, and its end. `warm`: a path that is asked for before,
// so that what the first answer takes is told apart.
async function runOnce(run, versions) {
  if (run.opening) return opening(run, run.opening)
  const server = await servers[run.server]({ pad: 'x'.repeat(run.pad ?? 0), stored: run.stored, args: run.args })
  try {
    versions[run.server] = server.version
    let first
    if (run.warm) {
      const began = process.hrtime.bigint()
      await harness.request(server.url + run.warm)
      first = Number(process.hrtime.bigint() - began) / 1e6
    }
    const beside = run.beside && begin(server, { seconds: 600, ...run.beside })
    const result = await begin(server, run.load).ended
    beside?.stop()
    return { ...result, first_answer: first, beside: await beside?.ended }
  } finally {
    await server.stop()
  }
}

// Each round begins with another server, so that none is always the first.
async function runCase(c, versions) {
  const runs = c.runs.filter((run) => servers[run.server])
  const rounds = []
  for (let round = 0; round < size.rounds; round++) {
    const results = {}
    for (let i = 0; i < runs.length; i++) {
      const run = runs[(i + round) % runs.length]
      const began = Date.now()
      results[run.name] = await runOnce(run, versions)
      const seconds = ((Date.now() - began) / 1000).toFixed(1)
      console.error(`${c.name}, round ${round + 1} of ${size.rounds}: ${run.name}, ${seconds} s`)
    }
    rounds.push(results)
  }
  return summarize(c, runs, rounds)
}

async function main() {
  fs.mkdirSync(work, { recursive: true })
  const began = Date.now()
  const versions = {}
  const results = {
    machine: machine(),
    commit: commit(),
    date: new Date().toISOString(),
    rounds: size.rounds,
    quick,
    load_before: os.loadavg()[0],
    versions,
    cases: [],
  }
  for (const c of cases) if (!chosen.length || chosen.includes(c.name)) results.cases.push(await runCase(c, versions))
  results.seconds = Math.round((Date.now() - began) / 1000)
  fs.writeFileSync(path.join(out, 'results.json'), JSON.stringify(results, null, 1))
  console.log(write(results, out))
  const bad = results.cases.filter((c) => c.wrong)
  for (const c of bad) console.error(`${c.name}: Parley failed ${c.wrong} requests, or lost, repeated, refused or mixed up as many messages.`)
  process.exitCode = bad.length ? 1 : 0
}

process.on('exit', () => remove(work))
main().catch((error) => { console.error(error); process.exit(1) })
