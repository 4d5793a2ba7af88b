import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Leader } from '../src/leader'

const until = async (what: string, test: () => boolean) => {
  for (let n = 0; n < 100; n++) {
    if (test()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${what} did not come`)
}

function tab(t: TestContext, name: string) {
  const heard: unknown[] = []
  const leader = new Leader(name, {
    lead: () => heard.push('lead'),
    follow: () => heard.push('follow'),
    hear: (message) => heard.push(message),
    place: () => 'here',
    told: (place) => heard.push(`told ${place}`),
  })
  t.after(() => leader.close()) // what stays open keeps the process, also where a test fails
  return { leader, heard }
}

type Tab = ReturnType<typeof tab>
const leading = (tabs: Tab[]) => tabs.filter(({ leader }) => leader.leading)

test('of tabs that open together one leads, and what it says reaches the others', async (t) => {
  const tabs = [1, 2, 3, 4].map(() => tab(t, 'together'))
  for (const { leader } of tabs) leader.start()
  await until('one leader', () => leading(tabs).length === 1)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.equal(leading(tabs).length, 1)
  leading(tabs)[0].leader.say('news')
  const others = tabs.filter(({ leader }) => !leader.leading)
  await until('the news', () => others.every(({ heard }) => heard.includes('news')))
  assert.ok(others.every(({ heard }) => heard.includes('told here')))
})

test('when the leader leaves another one leads', async (t) => {
  const tabs = [tab(t, 'leaves'), tab(t, 'leaves')]
  tabs[0].leader.start()
  await until('a leader', () => tabs[0].leader.leading)
  tabs[1].leader.start()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  assert.equal(tabs[1].leader.leading, false)
  tabs[0].leader.close()
  await until('the other', () => tabs[1].leader.leading)
})

test('of two that lead the one with the lower id steps down', async (t) => {
  const name = 'two'
  const one = tab(t, name)
  const channel = new BroadcastChannel(name)
  t.after(() => channel.close())
  const heard: unknown[] = []
  channel.onmessage = ({ data }: MessageEvent) => heard.push(data.kind)
  one.leader.start()
  await until('a leader', () => one.leader.leading)
  heard.length = 0
  channel.postMessage({ kind: 'lead', place: 'there', from: -1 })
  await until('its word', () => heard.includes('lead'))
  assert.equal(one.leader.leading, true)
  channel.postMessage({ kind: 'lead', place: 'there', from: 2 ** 32 })
  await until('its stepping down', () => one.heard.includes('follow'))
  assert.equal(one.leader.leading, false)
})
