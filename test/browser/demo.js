// A client of another origin, as the original's demo is: it is to work as it is, and to get every message.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'

const PAGE = readFileSync(new URL('demo.html', import.meta.url))

// Its ports are what its users have in their settings; there are no others to try.
const isFree = (port, host) => new Promise((resolve) => {
  const probe = net.createServer()
  probe.on('error', (error) => resolve(error.code !== 'EADDRINUSE'))
  probe.listen(port, host, () => probe.close(() => resolve(true)))
})

async function servePage(t) {
  const server = http.createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE)
  })
  await new Promise((resolve) => server.listen(5173, '127.0.0.1', resolve))
  t.defer(() => new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  }))
}

test.alone("the original's demo sends 60 messages at once and gets them all", async (t) => {
  for (const port of [3000, 5173])
    for (const host of ['127.0.0.1', '::1'])
      if (!(await isFree(port, host))) t.skip(`port ${port} is taken, and it has no other`)
  const { server } = await Server.withPeople(t, 'localhost:3000')
  await servePage(t)
  const context = await t.browser.newContext()
  t.defer(() => context.close())
  const page = await context.newPage()
  await page.goto('http://localhost:5173')
  await page.locator('body[data-open=yes]').waitFor()
  await page.getByRole('button').click()
  await page.locator('body[data-sent="60"]').waitFor()
  await page.locator('li').nth(59).waitFor()

  const wanted = Array.from({ length: 60 }, (_, i) => `${ALICE}: message ${i + 1}`)
  const shown = await page.locator('li').allTextContents()
  assert.deepEqual(shown.sort(), wanted.sort())
})
