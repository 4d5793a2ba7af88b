// The page's source: its types, and what of it needs no browser.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from './harness.js'

const PAGE = new URL('../../src/ui/', import.meta.url)
const run = promisify(execFile)

const passes = async (...command) => {
  await run(process.execPath, command, { cwd: PAGE }).catch(({ stdout, stderr }) => { throw new Error(`${stdout}${stderr}`) })
}

test('the page: its types are right', () => passes('node_modules/typescript/bin/tsc', '--noEmit'))

test('the page: what needs no browser', () => passes('test/run.mjs'))
