// node test/fault/run.js BINARY [WORD…] : what must survive, or the files whose names hold a word. PARLEY_TEST_ALL=1: longer.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { report } = require('../harness.js')

const binary = path.resolve(process.argv[2] || 'build/release/parley')
const words = process.argv.slice(3)
const chosen = (name) => name.endsWith('.test.js') && (!words.length || words.some((word) => name.includes(word)))
for (const name of fs.readdirSync(__dirname).filter(chosen).sort()) require(path.join(__dirname, name))(binary)
report()
