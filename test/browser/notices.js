// How one learns of news without looking at them.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor, until } from './visitor.js'

// The system's notifications and the loudspeaker, as far as a test can see and hear them.
function record() {
  window.notices = []
  window.asked = 0
  window.tones = 0
  window.Notification = class {
    static permission = 'default'
    static requestPermission() {
      window.asked++
      this.permission = 'granted'
      return Promise.resolve('granted')
    }
    constructor(title, { body, tag }) {
      window.notices.push({ title, body, tag, notice: this })
    }
    close() {}
  }
  const { start } = OscillatorNode.prototype
  OscillatorNode.prototype.start = function (...when) {
    window.tones++
    return start.apply(this, when)
  }
}

async function visit(t) {
  const { server, ...people } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url)
  await visitor.page.addInitScript(record)
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  return { server, visitor, ...people }
}

const noticesOf = (visitor) => visitor.page.evaluate(() => window.notices.map(({ title, body, tag }) => ({ title, body, tag })))

test('a line on the page goes by itself, and nothing is told of the conversation that one looks at', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await visitor.page.clock.install()
  await visitor.page.reload()
  await visitor.isIn()
  await visitor.stopTime()
  await server.post(bob, alice, 'one')
  const line = visitor.page.locator('.toast[role=status] button')
  await visitor.pass(() => line.isVisible(), () => 'nothing is told')
  await visitor.page.clock.runFor(4_000)
  assert.equal(await line.textContent(), 'bob: one')
  await visitor.page.clock.runFor(1_500)
  await line.waitFor({ state: 'detached' })
  await visitor.page.clock.resume()
  await visitor.talkTo('bob')
  await server.post(bob, alice, 'two')
  await visitor.row('two').waitFor()
  assert.equal(await line.count(), 0)
})

test('the system tells of news when it was asked to, once for all tabs, and only where nobody looks', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  await visitor.page.waitForTimeout(1_000)
  assert.equal(await visitor.page.evaluate(() => window.asked), 0)
  await visitor.button('Settings').click()
  await visitor.page.getByLabel('Notifications of the system').check()
  assert.equal(await visitor.page.evaluate(() => window.asked), 1)
  await visitor.escape()
  const second = await Visitor.open(t, server.url, { beside: visitor })
  await second.page.addInitScript(record)
  await second.page.addInitScript(() => { window.Notification.permission = 'granted' })
  await second.page.reload()
  await second.isIn()

  const tabs = [visitor, second]
  await server.post(bob, alice, 'while one looks')
  await second.talk('bob').getByText('while one looks').waitFor()
  await visitor.leave()
  await server.post(bob, alice, 'the other tab is seen')
  for (const tab of tabs) await tab.talk('bob').getByText('the other tab is seen').waitFor()
  await visitor.page.waitForTimeout(2_000)
  for (const tab of tabs) assert.deepEqual(await noticesOf(tab), [])

  await second.leave()
  await server.post(bob, alice, 'nobody **looks**')
  const all = async () => (await Promise.all(tabs.map(noticesOf))).flat()
  await until(async () => (await all()).length > 0, () => 'nothing is told')
  await visitor.page.waitForTimeout(1_500)
  const told = await all()
  assert.deepEqual(told, [{ title: 'bob', body: 'nobody looks', tag: `parley.${bob}` }])
  const [leader] = (await Promise.all(tabs.map(async (tab) => ((await noticesOf(tab)).length ? tab : null)))).filter(Boolean)
  await leader.page.evaluate(() => {
    window.focus = () => { window.focused = true }
    window.notices[0].notice.onclick()
  })
  await leader.heading('bob').waitFor()
  assert.ok(await leader.page.evaluate(() => window.focused))
})

test('a sound is heard only where it was chosen', async (t) => {
  const { server, visitor, alice, bob } = await visit(t)
  const tones = () => visitor.page.evaluate(() => window.tones)
  await server.post(bob, alice, 'one')
  await visitor.talk('bob').getByText('one').waitFor()
  await visitor.page.waitForTimeout(700)
  assert.equal(await tones(), 0)
  await visitor.button('Settings').click()
  await visitor.page.getByLabel('A sound').check()
  assert.equal(await tones(), 2)
  await visitor.escape()
  await server.post(bob, alice, 'two')
  await visitor.page.waitForFunction(() => window.tones === 4)
  await visitor.talkTo('bob')
  await server.post(bob, alice, 'three')
  await visitor.row('three').waitFor()
  await visitor.page.waitForTimeout(700)
  assert.equal(await tones(), 4)
})

test.whole('where only a service worker may notify it does, and touching it opens the conversation', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url, { serviceWorkers: 'allow', permissions: ['notifications'] })
  // As on Android.
  await visitor.page.addInitScript(() => {
    localStorage.setItem('parley.settings', JSON.stringify({ notices: true }))
    window.Notification = class {
      static permission = 'granted'
      constructor() { throw new TypeError('Illegal constructor') }
    }
  })
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  await visitor.page.waitForFunction(() => navigator.serviceWorker.controller) // the page is its own
  await visitor.leave()
  await server.post(bob, alice, 'nobody **looks**')
  const worker = visitor.context.serviceWorkers()[0] ?? await visitor.context.waitForEvent('serviceworker')
  const told = () => worker.evaluate(async () =>
    (await self.registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag })))
  const number = (wanted) => until(async () => (await told()).length === wanted, () => `not ${wanted} are shown`)
  await number(1)
  assert.deepEqual(await told(), [{ title: 'bob', body: 'nobody looks', tag: `parley.${bob}` }])
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications()
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
  })
  await visitor.heading('bob').waitFor()
  await number(0)
})
