// Pictures and other files, on their way and in messages.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from './harness.js'
import { blank, png } from './picture.js'
import { ALICE, BOB, Server } from './server.js'
import { Visitor } from './visitor.js'

const GARDEN = { name: 'garden.png', mimeType: 'image/png', buffer: png(640, 400, [60, 120, 80]) }
const POND = { name: 'pond (1).png', mimeType: 'image/png', buffer: png(300, 300, [60, 80, 150]) }
const PLAN = { name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') }

async function visit(t, options) {
  const { server } = await Server.withPeople(t, '127.0.0.1:0', options)
  const alice = await Visitor.with(t, server.url, ALICE, 'bob')
  const attach = (...files) => alice.page.locator('input[type=file]').setInputFiles(files)
  return { server, alice, attach }
}

test.everywhere('files are sent with a message: pictures are shown, others are cards', async (t) => {
  const { server, alice, attach } = await visit(t)
  const bob = await Visitor.with(t, server.url, BOB, 'alice')
  await attach(GARDEN, POND, PLAN)
  await alice.page.getByLabel('Description of garden.png').fill('The garden [in] May')
  await alice.page.waitForFunction(() => !document.querySelector('.chips progress'))
  await alice.box.fill('Look **here**')
  const described = alice.page.waitForResponse((response) => response.request().method() === 'PATCH')
  await alice.button('Send').click()
  await alice.page.locator('.chips').waitFor({ state: 'detached' })
  await described
  for (const visitor of [alice, bob]) {
    const row = visitor.row('Look here')
    await row.getByRole('button', { name: 'Open the picture The garden [in] May' }).waitFor()
    await visitor.page.waitForFunction(() => [...document.querySelectorAll('.picture img')].every((img) => img.complete && img.naturalWidth > 0))
    assert.equal(await row.locator('.picture').count(), 2)
    await row.getByRole('link', { name: 'plan.txt 8B' }).waitFor()
    await visitor.fits()
  }
  await bob.button('Open the picture The garden').click()
  const viewer = bob.page.getByRole('dialog', { name: 'The garden [in] May' })
  await viewer.waitFor()
  await bob.page.keyboard.press('ArrowRight')
  await bob.page.getByRole('dialog', { name: 'pond' }).waitFor()
  const download = bob.page.waitForEvent('download')
  await bob.page.getByRole('dialog').getByRole('link', { name: 'Download' }).click()
  assert.deepEqual(readFileSync(await (await download).path()), POND.buffer)
  await bob.escape()

  const { docs } = await server.call('GET', 'media?where[filename][equals]=garden.png')
  assert.equal(docs[0].alt, 'The garden [in] May')
  const [content] = await server.contents()
  assert.match(content, /^Look \*\*here\*\*\n\[The garden \\\[in\\\] May\]\(\/api\/media\/file\/garden\.png#640x400\)\n/)
  await alice.talk('bob').getByText('You: Look here').waitFor()
})

test('a picture alone keeps its room before it is there, and is called a picture in the list', async (t) => {
  const { alice, attach } = await visit(t)
  await attach(GARDEN)
  await alice.page.waitForFunction(() => !document.querySelector('.chips progress'))
  await alice.button('Send').click()
  await alice.page.locator('.picture img').waitFor()
  await alice.talk('bob').getByText('You: Picture').waitFor()
  let release
  const held = new Promise((resolve) => { release = resolve })
  await alice.page.route('**/api/media/file/**', async (route) => { await held; await route.continue() })
  await alice.page.reload()
  await alice.isIn()
  await alice.rows.locator('.picture img').waitFor()
  await alice.page.locator('.start.spin').waitFor({ state: 'detached' })
  const before = await alice.page.locator('.picture img').boundingBox()
  release()
  await alice.page.waitForFunction(() => document.querySelector('.picture img').naturalWidth > 0)
  assert.deepEqual(await alice.page.locator('.picture img').boundingBox(), before)
  assert.ok(before.height > 150)
})

test('what is too large is not sent, what fails is tried again, what is dropped is gone', async (t) => {
  const { server, alice, attach } = await visit(t, ['--upload-bytes', '20000'])
  alice.expectErrors(/status of (503|413)/)
  const config = await fetch(`${server.url}/api/parley/config`)
  await attach({ ...PLAN, buffer: Buffer.alloc(30_000, 'x') })
  if (config.ok) await alice.page.getByText('Too large').waitFor()
  else await alice.page.locator('.chips .flaw').waitFor()
  assert.ok(await alice.button('Send').isDisabled())
  assert.equal(await alice.page.locator('.chips').getByRole('button', { name: 'Try again' }).count(), 0)
  await alice.button('Remove plan.txt').click()
  await alice.page.locator('.chips').waitFor({ state: 'detached' })

  // What is dropped on its way is not sent on.
  const asked = []
  alice.page.on('request', (request) => { if (/api\/media$/.test(request.url())) asked.push(request.method()) })
  let hold
  const held = new Promise((resolve) => { hold = resolve })
  await alice.page.route('**/api/media', hold, { times: 1 })
  await attach(PLAN)
  await held
  await alice.page.getByRole('progressbar', { name: 'plan.txt is being uploaded' }).waitFor()
  await alice.box.fill('not yet')
  assert.ok(await alice.button('Send').isDisabled(), `it can be sent with ${await alice.page.locator('.composer').innerHTML()}; asked: ${asked}`)
  await alice.button('Remove plan.txt').click()
  await alice.page.locator('.chips').waitFor({ state: 'detached' })
  await alice.button('Send').click()
  await alice.shows(['not yet'])
  assert.deepEqual([asked, (await server.call('GET', 'media')).totalDocs], [['POST'], 0])

  await alice.page.route('**/api/media', (route) => route.fulfill({ status: 503, json: { errors: [{ message: 'Not now.' }] } }), { times: 1 })
  await attach(PLAN)
  await alice.page.getByText('Not now.').waitFor()
  await alice.page.locator('.chips').getByRole('button', { name: 'Try again' }).click()
  await alice.page.waitForFunction(() => !document.querySelector('.chips progress, .chips .flaw'))
  const deleted = alice.page.waitForResponse((response) => response.request().method() === 'DELETE')
  await alice.button('Remove plan.txt').click()
  await alice.page.locator('.chips').waitFor({ state: 'detached' })
  await deleted
  assert.equal((await server.call('GET', 'media')).totalDocs, 0)
})

test('a file that is chosen in the same moment in which the last one is dropped stays', async (t) => {
  const { alice, attach } = await visit(t)
  await attach(PLAN)
  await alice.button('Remove plan.txt').waitFor()
  await alice.page.evaluate(async () => {
    const input = document.querySelector('input[type=file]')
    const gone = new Promise((resolve) => new MutationObserver(resolve).observe(document.querySelector('.composer'), { childList: true }))
    document.querySelector('.chips button').click()
    await gone
    const data = new DataTransfer()
    data.items.add(new File(['next'], 'next.txt', { type: 'text/plain' }))
    input.files = data.files
    input.dispatchEvent(new Event('change', { bubbles: true }))
  })
  await alice.page.waitForFunction(() => document.querySelector('.chips li') && !document.querySelector('.chips progress'))
  await alice.button('Send').click()
  await alice.rows.getByRole('link', { name: 'next.txt' }).waitFor()
})

test('files that would do harm are files like all others, and no picture bursts the page', async (t) => {
  const { server, alice, attach } = await visit(t)
  alice.expectErrors(/status of 40[04]/)
  const script = '<script>document.title = 1</script>'
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title = 1">${script}</svg>`
  await attach(
    { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(`<!doctype html>${script}`) },
    { name: '<img src=x onerror=alert(1)>\u202egnp.txt', mimeType: 'text/plain', buffer: Buffer.from('x') },
    { name: 'drawing.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(drawing) },
    { name: 'false.png', mimeType: 'image/png', buffer: Buffer.from(drawing) },
    { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
    { name: 'huge.png', mimeType: 'image/png', buffer: blank(6000, 6000) },
    { name: 'tall.png', mimeType: 'image/png', buffer: blank(1, 9000) },
    { name: 'wide.png', mimeType: 'image/png', buffer: blank(9000, 1) },
  )
  await alice.page.waitForFunction(() => document.querySelectorAll('.chips li').length === 8 && !document.querySelector('.chips progress'))
  await alice.fits()
  const refused = alice.page.locator('.chips .failed')
  assert.deepEqual(await refused.locator('bdi').allTextContents(), ['page.html', 'drawing.svg', 'false.png'])
  assert.equal(await refused.getByRole('button', { name: 'Try again' }).count(), 0)
  await alice.button('Send').click()
  await alice.rows.getByRole('link', { name: /^img src=x onerror=alert\(1\).*1B$/ }).waitFor()
  for (const size of ['1x99999', '99999x1', '0x0']) await server.post(2, 1, `[forged](/api/media/file/none.png#${size})`)
  await alice.page.waitForFunction(() => document.querySelectorAll('.picture img').length === 6)
  for (const picture of await alice.page.locator('.picture img').all()) {
    const { width, height } = await picture.boundingBox()
    assert.ok(width <= 320 && height <= 320 && width >= 48 && height >= 48, `${width} x ${height}`)
  }
  await alice.fits()
  await alice.button('Open the picture huge.png').click()
  await alice.page.waitForFunction(() => document.querySelector('.viewer img')?.naturalWidth === 6000)
  await alice.escape()
  assert.equal(await alice.page.title(), 'Parley')
})

test('files are dropped on the thread and pasted into the field', async (t) => {
  const { alice } = await visit(t)
  const transfer = await alice.page.evaluateHandle(() => {
    const data = new DataTransfer()
    data.items.add(new File(['dropped'], 'dropped.txt', { type: 'text/plain' }))
    return data
  })
  const drag = (over, type) => over.dispatchEvent(type, { dataTransfer: transfer })
  await drag(alice.page.getByRole('log'), 'dragover')
  const overlay = alice.page.getByText('Drop to send to bob')
  await drag(overlay, 'dragleave')
  await overlay.waitFor({ state: 'detached' })
  // Beside the thread nothing happens: neither is the file sent, nor is it opened in place of the page.
  const left = await alice.page.locator('.side').evaluate((side, dataTransfer) =>
    side.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })), transfer)
  assert.equal(left, false)
  assert.equal(await alice.page.locator('.chips').count(), 0)
  await drag(alice.page.getByRole('log'), 'dragover')
  await drag(overlay, 'drop')
  await alice.button('Remove dropped.txt').waitFor()
  await alice.box.evaluate((box) => {
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }))
    box.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  })
  await alice.button('Remove pasted.txt').waitFor()
  await alice.page.waitForFunction(() => !document.querySelector('.chips progress'))
  await alice.button('Send').click()
  await alice.page.getByRole('link', { name: 'pasted.txt' }).waitFor()
})
