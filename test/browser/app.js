// The page as an app: what it tells the system of itself, and how many unread messages it shows there.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { Visitor } from './visitor.js'

test('the page can be installed', async (t) => {
  const server = await Server.start(t)
  const visitor = await Visitor.open(t, server.url)
  const debug = await visitor.context.newCDPSession(visitor.page)
  const { errors, data } = await debug.send('Page.getAppManifest')
  assert.deepEqual(errors, [])
  const { name, start_url, display, theme_color, background_color, icons } = JSON.parse(data)
  assert.deepEqual({ name, start_url, display }, { name: 'Parley', start_url: '.', display: 'standalone' })
  assert.match(`${theme_color} ${background_color}`, /^#\w{6} #\w{6}$/)
  assert.deepEqual(icons.map(({ purpose = 'any' }) => purpose).sort(), ['any', 'maskable'])
  for (const { src } of icons) {
    const size = await visitor.page.evaluate(async (address) => {
      const icon = new Image()
      icon.src = address
      await icon.decode()
      return icon.naturalWidth
    }, src)
    assert.ok(size > 0, src)
  }
  const { installabilityErrors } = await debug.send('Page.getInstallabilityErrors')
  // The tests' windows are all private ones.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), [])
})

test('a home screen that takes no SVG has a picture as large as it wants, which is fetched by nothing else', async (t) => {
  const server = await Server.start(t)
  const visitor = await Visitor.open(t, server.url)
  const icon = await visitor.page.locator('link[rel=apple-touch-icon]').evaluate(async ({ href }) => {
    const asked = performance.getEntriesByName(href).length
    const answer = await fetch(href)
    const picture = await createImageBitmap(await answer.blob())
    const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d')
    pen.drawImage(picture, 0, 0)
    const [, , , opaque] = pen.getImageData(0, 0, 1, 1).data
    return { asked, type: answer.headers.get('Content-Type'), width: picture.width, height: picture.height, opaque }
  })
  assert.deepEqual(icon, { asked: 0, type: 'image/png', width: 180, height: 180, opaque: 255 })
  assert.ok(!(await (await fetch(`${server.url}/sw.js`)).text()).includes('icon.png'))
})

test('what is unread is counted on the app’s icon and in the title, and the tab’s icon has a dot', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url)
  await visitor.page.addInitScript(() => {
    window.badge = null
    Object.defineProperty(navigator, 'setAppBadge', { value: async (count) => { window.badge = count } })
  })
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  await visitor.talkTo('Notes to yourself')
  const shows = (count) => visitor.page.waitForFunction((wanted) => {
    const dotted = document.querySelector('link[rel=icon]').href.startsWith('data:image/png')
    return window.badge === wanted && dotted === wanted > 0 && document.title === (wanted ? `(${wanted}) Parley` : 'Parley')
  }, count)
  await shows(0)
  await server.post(bob, alice, 'one')
  await shows(1)
  await server.post(bob, alice, 'two')
  await shows(2)
  await visitor.talkTo('bob')
  await shows(0)
  await visitor.talk('bob').locator('.count').waitFor({ state: 'detached' })
  await visitor.talkTo('Notes to yourself')
  await server.post(bob, alice, 'three')
  await shows(1)
  await visitor.button('Settings').click()
  await visitor.button('Sign out').last().click()
  await visitor.heading('Sign in').waitFor()
  await shows(0)
})
