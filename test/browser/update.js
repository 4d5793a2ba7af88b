// A new version of the page: those who have the old one open are told, and what the service worker keeps is whole.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from './harness.js'
import { keeps } from './kept.js'
import { ALICE, BOB, Server } from './server.js'
import { Visitor } from './visitor.js'

// The page's files as a server has them, in a folder; change() makes another build of them, in the style's first line.
class Build {
  static async of(t) {
    const server = await Server.start(t)
    const build = new Build()
    build.folder = mkdtempSync(join(tmpdir(), 'build-'))
    const worker = await (await fetch(`${server.url}/sw.js`)).text()
    const names = [...worker.matchAll(/"((?:a\/|icon|manifest)[\w.-]+)"/g)].map(([, name]) => name)
    for (const name of ['index.html', 'sw.js', ...names]) {
      mkdirSync(join(build.folder, dirname(name)), { recursive: true })
      writeFileSync(join(build.folder, name), Buffer.from(await (await fetch(`${server.url}/${name === 'index.html' ? '' : name}`)).arrayBuffer()))
    }
    build.style = names.find((name) => /^a\/style/.test(name))
    build.late = names.find((name) => /^a\/de-/.test(name)) // nobody here reads it
    return build
  }

  change() {
    const { folder, style } = this
    this.style = 'a/style-ANOTHER1.css'
    const path = (name) => join(folder, name)
    cpSync(path(style), path(this.style))
    rmSync(path(style))
    const build = /parley.*?"([0-9a-f]{8})"/s.exec(readFileSync(path('sw.js'), 'utf8'))[1]
    for (const name of ['index.html', 'sw.js'])
      writeFileSync(path(name), readFileSync(path(name), 'utf8').replaceAll(style, this.style).replaceAll(`"${build}"`, '"another1"'))
  }

  hide(name) {
    renameSync(join(this.folder, name), join(this.folder, `${name}.away`))
    return () => renameSync(join(this.folder, `${name}.away`), join(this.folder, name))
  }
}

async function visit(t, name) {
  const build = await Build.of(t)
  const { server, ...people } = await Server.withPeople(t, '127.0.0.1:0', ['--ui-dir', build.folder])
  const url = `http://${name}:${server.port}`
  const alice = await Visitor.with(t, url, ALICE, 'bob', { serviceWorkers: 'allow' })
  alice.expectErrors(/net::ERR_|Failed to load resource|ServiceWorker/)
  await keeps(alice, BOB)
  return { build, server, alice, people }
}

const NEW = 'A new version of this page is here.'
const style = (visitor) => visitor.page.locator('link[rel=stylesheet]').first().getAttribute('href')

async function restart(server, ...tabs) {
  await server.kill()
  for (const tab of tabs) await tab.lost()
  const asked = tabs.map((tab) => tab.page.waitForResponse(`${tab.url.replace(/\/#.*/, '')}/`))
  await server.startAgain()
  for (const tab of tabs) await tab.page.evaluate(() => dispatchEvent(new Event('online')))
  await Promise.all(asked)
  for (const tab of tabs) await tab.live()
}

for (const name of ['127.0.0.1', 'parley.lan']) {
  test(`a new version of the page is told of in all tabs, and nothing is lost by taking it: ${name}`, async (t) => {
    const { build, server, alice, people } = await visit(t, name)
    const second = await Visitor.open(t, alice.page.url(), { beside: alice })
    second.expectErrors(/net::ERR_|Failed to load resource|ServiceWorker/)
    await second.isIn()
    await alice.box.fill('half a sen')
    await restart(server, alice, second)
    await server.post(people.bob, people.alice, 'the same as before')
    for (const tab of [alice, second]) await tab.shows(['the same as before'])
    for (const tab of [alice, second]) assert.equal(await tab.page.getByText(NEW).count(), 0)

    build.change()
    await restart(server, alice, second)
    await second.page.getByText(NEW).waitFor()
    await alice.page.getByText(NEW).waitFor()
    await alice.button('Reload').click()
    await alice.isIn()
    await alice.page.waitForFunction((href) => document.querySelector('link[rel=stylesheet]').getAttribute('href') === href, build.style)
    assert.equal(await alice.box.inputValue(), 'half a sen')
    assert.equal(await alice.page.getByText(NEW).count(), 0)
  })
}

test('a page with a file that waits for its message asks before it is left', async (t) => {
  const { build, server, alice } = await visit(t, 'parley.lan')
  await alice.box.fill('see this')
  await alice.page.locator('input[type=file]').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('notes') })
  await alice.page.locator('.chips li').waitFor()
  build.change()
  await restart(server, alice)
  const asked = alice.page.waitForEvent('dialog')
  const clicked = alice.button('Reload').click()
  const dialog = await asked
  assert.equal(dialog.type(), 'beforeunload')
  await dialog.dismiss()
  await clicked
  await alice.page.locator('.chips li').waitFor()
  await alice.button('Remove notes.txt').click()
  await alice.button('Reload').click()
  await alice.page.getByText(NEW).waitFor({ state: 'detached' })
  assert.equal(await alice.box.inputValue(), 'see this')
})

test('a version that does not come whole changes nothing; once it is whole the old one goes', async (t) => {
  const { build, server, alice } = await visit(t, '127.0.0.1')
  const { page } = alice
  await page.evaluate(() => navigator.serviceWorker.ready)
  const old = await style(alice)
  build.change()
  const back = build.hide(build.late)
  const failed = page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    const found = new Promise((resolve) => registration.addEventListener('updatefound', () => {
      const worker = registration.installing
      worker.addEventListener('statechange', () => worker.state === 'redundant' && resolve(true))
    }))
    await registration.update().catch(() => {})
    return found
  })
  assert.equal(await failed, true)
  await server.kill()
  await page.reload()
  await alice.talk('bob').waitFor()
  assert.equal(await style(alice), old)
  await page.waitForFunction(() => document.querySelector('.side h2 img').naturalWidth > 0)

  back()
  await server.startAgain()
  await page.reload()
  await alice.isIn()
  // Browsers look for a new worker some time after the page was loaded.
  const isAlone = () => page.evaluate(async (href) => (await window.caches.keys()).length === 1 && !!(await window.caches.match(href)), build.style)
  for (let n = 0; !(await isAlone()); n++) {
    assert.ok(n < 300, 'the old version stays')
    await page.waitForTimeout(200)
  }
  await server.kill()
  await page.reload()
  await alice.talk('bob').waitFor()
  assert.equal(await style(alice), build.style)
})

test('a server that does not answer is not waited for with the page itself', async (t) => {
  const { alice } = await visit(t, '127.0.0.1')
  await alice.page.evaluate(() => navigator.serviceWorker.ready)
  let asked = 0
  await alice.context.route(`${alice.url}/`, () => { asked++ })
  await alice.page.reload()
  await alice.talk('bob').waitFor()
  assert.ok(asked > 0)
})

test('what is under api/ is the server’s to give, whatever is kept', async (t) => {
  const { alice } = await visit(t, '127.0.0.1')
  await alice.page.evaluate(() => navigator.serviceWorker.ready)
  await alice.page.reload()
  await alice.isIn()
  const urls = await alice.page.evaluate(async () => {
    const all = await Promise.all((await window.caches.keys()).map(async (name) => (await window.caches.open(name)).keys()))
    return all.flat().map(({ url }) => url)
  })
  assert.ok(urls.length > 5)
  assert.deepEqual(urls.filter((url) => url.includes('/api/')), [])
})
