// Many tabs of one browser: one stream, and each of them is live.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

const streams = async (server) => {
  const response = await fetch(`${server.url}/api/parley/metrics`)
  return Number(/^parley_streams(?:\{[^}]*\})? (\d+)$/m.exec(await response.text())[1])
}

async function until(what, act) {
  for (let n = 0; n < 300; n++) {
    if (await act()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${what} did not come`)
}

async function openTabs(t, n) {
  const { server, ...people } = await Server.withPeople(t)
  const first = await Visitor.with(t, server.url, ALICE, 'bob')
  const tabs = [first]
  while (tabs.length < n) {
    const tab = await Visitor.open(t, first.page.url(), { beside: first })
    await tab.isIn()
    tabs.push(tab)
  }
  return { server, tabs, ...people }
}

test.everywhere('eight tabs are live with one stream', async (t) => {
  const { server, tabs, alice, bob } = await openTabs(t, 8)
  await server.post(bob, alice, 'one')
  for (const tab of tabs) await tab.shows(['one'])
  await until('one stream', async () => await streams(server) === 1)
  await tabs[5].write('two')
  for (const tab of tabs) await tab.shows(['one', 'two'])
})

test('when the tab that has the stream is closed another takes over, and nothing is missing', async (t) => {
  const { server, tabs, alice, bob } = await openTabs(t, 3)
  await server.post(bob, alice, 'before')
  for (const tab of tabs) await tab.shows(['before'])
  await tabs[0].page.goto('about:blank')
  await server.post(bob, alice, 'in between')
  for (const tab of tabs.slice(1)) await tab.shows(['before', 'in between'])
  await until('one stream', async () => await streams(server) === 1)
  await server.post(bob, alice, 'after')
  for (const tab of tabs.slice(1)) await tab.shows(['before', 'in between', 'after'])
})

test('a tab that says nothing any more is replaced', async (t) => {
  const { server, tabs, alice, bob } = await openTabs(t, 2)
  const debug = await tabs[0].context.newCDPSession(tabs[0].page)
  await debug.send('Page.setWebLifecycleState', { state: 'frozen' })
  await server.post(bob, alice, 'in between')
  await tabs[1].shows(['in between'])
  await debug.send('Page.setWebLifecycleState', { state: 'active' })
  await tabs[0].shows(['in between'])
  await server.post(bob, alice, 'after')
  for (const tab of tabs) await tab.shows(['in between', 'after'])
  await until('one stream', async () => await streams(server) === 1)
})

test('signing out in one tab signs out the others', async (t) => {
  const { tabs } = await openTabs(t, 3)
  await tabs[1].button('Settings').click()
  await tabs[1].button('Sign out').last().click()
  for (const tab of tabs) await tab.heading('Sign in').waitFor()
})
