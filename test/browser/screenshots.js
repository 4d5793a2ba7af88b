// Pictures of the page, for people to look at. Made only when SCREENSHOTS names a folder.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from './harness.js'
import { PASSWORD, Server } from './server.js'
import { Visitor } from './visitor.js'

const FOLDER = process.env.SCREENSHOTS
const NAMES = ['ada', 'ben', 'chloe'].map((name) => `${name}@example.com`)

const TALK = [
  ['2026-03-12T15:58', 1, 0, 'The new sensor is on the roof. It reports every ten seconds.'],
  ['2026-03-12T16:02', 0, 1, 'Great! Does it survive a power cut?'],
  ['2026-03-12T16:03', 1, 0, 'I pulled the plug twice: nothing was lost, and the page caught up by itself.'],
  ['2026-03-13T08:40', 2, 0, 'Good morning! Is the meeting still at ten?'],
  ['2026-03-13T08:41', 0, 2, 'Yes, in the workshop.'],
  ['2026-03-13T08:41', 0, 2, 'Bring the plans:\n• ground floor\n• garden'],
  ['2026-03-13T08:44', 2, 0, 'Will do, thank you!'],
  ['2026-03-13T08:52', 1, 2, 'I am five minutes late, start without me.'],
]

async function fill(server) {
  const { user, token } = await server.call('POST', 'users/first-register', { email: NAMES[0], password: PASSWORD })
  const ids = [user.id]
  for (const email of NAMES.slice(1)) {
    const { doc } = await server.call('POST', 'users', { email, password: PASSWORD }, token)
    ids.push(doc.id)
  }
  for (const [minute, from, to, content] of TALK) {
    const time = `${minute}:00.000Z`
    await server.post(ids[from], ids[to], content, { timestamp: time, createdAt: time, updatedAt: time })
  }
}

async function take(t, server, name, options) {
  const visitor = await Visitor.open(t, server.url, options)
  await visitor.page.screenshot({ path: join(FOLDER, `${name}-entry.png`) })
  await visitor.signIn(NAMES[0])
  await visitor.shows(TALK.map(([, , , content]) => content))
  await visitor.page.screenshot({ path: join(FOLDER, `${name}.png`) })
}

if (FOLDER) {
  test('screenshots', async (t) => {
    mkdirSync(FOLDER, { recursive: true })
    const server = await Server.start(t)
    const phone = { width: 390, height: 844 }
    await fill(server)
    await take(t, server, 'desktop-light', { viewport: { width: 1100, height: 880 }, colorScheme: 'light' })
    await take(t, server, 'phone-dark', { viewport: phone, isMobile: true, deviceScaleFactor: 2, colorScheme: 'dark' })
  })
}
