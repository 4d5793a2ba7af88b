// test(name, run) declares a test; runAll runs them in one browser, a few at a time: most of their time they wait. One
// that measures is declared with test.alone; one declared with test.everywhere is run a second time where the page is not
// secure: on plain http, by a name. The browser is Chromium without its windows, which would take half of the processor's
// time; a test that needs what only the whole browser has, as notifications, is declared with test.whole. A test is handed
// `t`: t.browser, t.defer(act) for what is to be undone after it, the last first, and t.skip(why).
import { rmSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { killAll } from './server.js'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP parley.lan 127.0.0.1']

const AT_ONCE = 5

const SHELL = process.env.CHROMIUM || '/usr/bin/chromium-headless-shell'
const WHOLE = process.env.CHROMIUM || '/usr/bin/chromium'

export const tests = []

export function test(name, run) {
  tests.push({ name, run })
}

test.alone = (name, run) => tests.push({ name, run, alone: true })

test.whole = (name, run) => tests.push({ name, run, whole: true })

test.everywhere = (name, run) => {
  test(name, run)
  tests.push({ name: `${name}; on plain http, by a name`, run, insecure: true })
}

class Skipped extends Error {}

class Test {
  #deferred = []

  constructor(browser, insecure) {
    this.browser = browser
    this.insecure = insecure
  }

  defer(act) {
    this.#deferred.push(act)
  }

  skip(why) {
    throw new Skipped(why)
  }

  // What fails here fails the test: errors on a page, a server that does not stop.
  async end() {
    let failure = null
    for (const act of this.#deferred.reverse()) {
      try {
        await act()
      } catch (error) {
        failure ??= error
      }
    }
    if (failure) throw failure
  }
}

const launch = (executablePath) =>
  chromium.launch({ executablePath, headless: true, args: FLAGS, env: { ...process.env, HOME: process.env.TMPDIR } })

async function runOne({ name, run, insecure }, browser) {
  const t = new Test(browser, insecure)
  let failure = null
  const keep = (error) => { failure ??= error }
  const started = performance.now()
  await run(t).catch(keep)
  await t.end().catch(keep)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (!failure) console.log(`ok       ${name} (${seconds} s)`)
  else if (failure instanceof Skipped) console.log(`skipped  ${name}: ${failure.message}`)
  else console.log(`FAILED   ${name}\n${failure.stack}`)
  return failure
}

export async function runAll(chosen) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))
  process.on('exit', () => {
    killAll()
    rmSync(process.env.TMPDIR, { recursive: true, force: true, maxRetries: 5 })
  })
  let passed = 0, failed = 0
  const runNext = async (queue, browser) => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const failure = await runOne(one, browser)
      if (!failure) passed++
      else if (!(failure instanceof Skipped)) failed++
    }
  }
  const runAtOnce = async (queue, executable, n) => {
    if (queue.length === 0) return
    const browser = await launch(executable)
    await Promise.all(Array.from({ length: n }, () => runNext(queue, browser)))
    await browser.close()
  }
  await runAtOnce(chosen.filter(({ alone }) => alone), SHELL, 1)
  await runAtOnce(chosen.filter(({ alone, whole }) => !alone && !whole), SHELL, AT_ONCE)
  await runAtOnce(chosen.filter(({ whole }) => whole), WHOLE, 1)
  return { passed, failed }
}
