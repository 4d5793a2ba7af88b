// Runs the browser tests, one after the other, each with a server and pages of its own.
//
//   PARLEY        the server's binary          (build/release/parley)
//   CHROMIUM      the browser                  (/usr/bin/chromium-headless-shell; for a few tests, /usr/bin/chromium)
//   SCREENSHOTS   a folder for pictures of the page; without it none are made
//   UI_DIR        a folder with a built page, instead of the one in the binary
//   SLOW=MS       each piece that goes to a server or comes from it takes up to that long
//   UI_REACT=1    the page is built with React, which it is written for, instead of preact
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// All that the tests, Playwright and Chromium write is in one folder, which goes with this process. Playwright reads
// the variable when it is loaded.
process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'parley-browser-'))

if (process.env.UI_REACT === '1') {
  process.env.UI_DIR = join(process.env.TMPDIR, 'page')
  execFileSync(process.execPath, ['build.mjs', process.env.UI_DIR], { cwd: new URL('../../src/ui', import.meta.url), stdio: 'inherit' })
}

const { tests, runAll } = await import('./harness.js')
await import('./screens.js') // the longest first: at the end there would be nothing beside them
await import('./source.js')
await import('./chat.js')
await import('./list.js')
await import('./talk.js')
await import('./session.js')
await import('./account.js')
await import('./reading.js')
await import('./notices.js')
await import('./unsent.js')
await import('./cuts.js')
await import('./reconnect.js')
await import('./asleep.js')
await import('./page.js')
await import('./offline.js')
await import('./update.js')
await import('./app.js')
await import('./scroll.js')
await import('./files.js')
await import('./keys.js')
await import('./access.js')
await import('./hostile.js')
await import('./languages.js')
await import('./tabs.js')
await import('./demo.js')

const words = process.argv.slice(2)
const chosen = tests.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
const { passed, failed } = await runAll(chosen)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
