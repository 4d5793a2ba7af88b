// node test/api/original/run.js BINARY : what needs the original Payload beside Parley. Its packages are those of test/api.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { report } = require('../../harness.js')

const binary = path.resolve(process.argv[2] || 'build/release/parley')
const [major, minor] = process.versions.node.split('.').map(Number)
const missing = !fs.existsSync(path.join(__dirname, '../node_modules/payload')) ? 'it is not installed (npm ci in test/api)'
  : major < 18 || (major === 18 && minor < 20) || major === 19 || (major === 20 && minor < 9) ? `it does not run on Node.js ${process.version}`
  : undefined

if (missing) console.log(`skipped  the original Payload: ${missing}\n0 passed, 0 failed`)
else {
  require('./file.test.js')(binary)
  // What Payload's client is tested for holds for Payload.
  require('../sdk.test.js')(path.join(__dirname, 'server.mjs'))
  report()
}
