// The page as an app: what it tells the system of itself.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { Server } from './server.js'
import { Visitor } from './visitor.js'

test('the page can be installed', async (t) => {
  const server = await Server.start(t)
  const visitor = await Visitor.open(t, server.url)
  const debug = await visitor.context.newCDPSession(visitor.page)
  const { errors, data } = await debug.send('Page.getAppManifest')
  assert.deepEqual(errors, [])
  const { name, short_name, start_url, scope, display, theme_color, background_color, icons } = JSON.parse(data)
  assert.deepEqual({ name, short_name, start_url, scope, display }, { name: 'Parley', short_name: 'Parley', start_url: '.', scope: '.', display: 'standalone' })
  assert.match(`${theme_color} ${background_color}`, /^#\w{6} #\w{6}$/)
  assert.deepEqual(icons.map(({ purpose }) => purpose).sort(), ['any', 'maskable'])
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
