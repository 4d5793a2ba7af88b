// The page's source: its types, and what of it needs no browser.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { test } from './harness.js'

const PAGE = new URL('../../src/ui/', import.meta.url)
const run = promisify(execFile)

const passes = async (...command) => {
  await run(process.execPath, command, { cwd: PAGE }).catch(({ stdout, stderr }) => { throw new Error(`${stdout}${stderr}`) })
}

test('the page: its types are right', () => passes('node_modules/typescript/bin/tsc', '--noEmit'))

// Languages that run from the right turn the page around.
test('the page: its style names no side', async () => {
  const style = await readFile(new URL('src/app.css', PAGE), 'utf8')
  const rules = style.replace(/\/\*[^]*?\*\//g, '').split(/[;{}]/).map((rule) => rule.trim())
  const names = (rule) => /^(-webkit-)?[\w-]*(left|right)[\w-]*:/.test(rule) || /^(text-align|float|clear|inset):.*(left|right)/.test(rule)
  // Four sides, of which start and end differ; the screen's own edges do not turn around.
  const differs = (rule) => {
    const [, values] = /^(?:margin|padding|inset|border-(?:width|style|color|radius)): ((?:[^ ()]+(?:\([^)]*\))* ?){4})$/.exec(rule) ?? []
    const sides = values?.trim().split(/ (?![^(]*\))/)
    return sides?.length === 4 && sides[1] !== sides[3] && !rule.includes('safe-area')
  }
  assert.deepEqual(rules.filter((rule) => names(rule) || differs(rule)), [])
  assert.ok(differs('margin: 0 1px 0 2px') && names('padding-left: 0') && names('text-align: right') && rules.length > 500)
})

test('the page: what needs no browser', () => passes('test/run.mjs'))
