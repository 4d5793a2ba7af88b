// node test/fault/run.js BINARY : what must survive. PARLEY_TEST_ALL=1: longer.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { report } = require('../harness.js')

const binary = path.resolve(process.argv[2] || 'build/release/parley')
for (const name of fs.readdirSync(__dirname).filter((f) => f.endsWith('.test.js')).sort()) require(path.join(__dirname, name))(binary)
report()
