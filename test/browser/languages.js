// Every language, its plural forms and its direction.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, Server } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const GREETINGS = {
  de: ['Anmelden', 'Nachricht schreiben', 'Zuletzt gestern um'],
  es: ['Iniciar sesión', 'Escribe un mensaje', 'Última vez ayer a las'],
  fr: ['Se connecter', 'Écrire un message', 'Dernière visite hier à'],
  ar: ['تسجيل الدخول', 'اكتب رسالة', 'آخر ظهور أمس'],
  zh: ['登录', '输入消息', '最后上线：昨天'],
}

test('the page speaks the browser’s language, or the one that is chosen, at once and over a reload', async (t) => {
  const server = await Server.start(t)
  await server.addPeople()
  const visitor = await Visitor.open(t, server.url, { locale: 'de-AT' })
  await visitor.heading('Anmelden').waitFor()
  assert.equal(await visitor.page.evaluate(() => document.documentElement.lang), 'de')
  await visitor.page.getByLabel('E-Mail').fill(ALICE)
  await visitor.page.getByLabel('Passwort').fill('correct horse')
  await visitor.page.keyboard.press('Enter')
  await visitor.isIn()
  await visitor.talkTo('bob')
  await visitor.box.or(visitor.page.getByLabel('Nachricht', { exact: true })).fill('halb')
  await visitor.button('Einstellungen').click()
  await visitor.page.getByLabel('Sprache').selectOption('fr')
  await visitor.heading('Paramètres').waitFor()
  await visitor.escape()
  assert.equal(await visitor.page.getByLabel('Message', { exact: true }).inputValue(), 'halb')
  await visitor.page.reload()
  await visitor.page.getByPlaceholder('Écrire un message').waitFor()
})

test('a text that runs the other way begins at its own side, and is cut at its end', async (t) => {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  for (const [locale, content] of [['ar', 'This is more than the list has room for: '.repeat(3)], ['en', 'هذا أطول مما تتسع له القائمة '.repeat(4)]]) {
    await server.post(bob, alice, content)
    const visitor = await Visitor.open(t, server.url, { locale })
    await visitor.page.locator('[name=email]').fill(ALICE)
    await visitor.page.locator('[name=password]').fill('correct horse')
    await visitor.page.keyboard.press('Enter')
    await visitor.isIn()
    const line = visitor.page.locator('.talk .line', { hasText: content.slice(0, 20) })
    const [first, box] = await line.evaluate((e) => {
      const range = document.createRange()
      range.setStart(e.firstChild, 0)
      range.setEnd(e.firstChild, 1)
      return [range.getBoundingClientRect(), e.getBoundingClientRect()].map(({ left, right }) => ({ left, right }))
    })
    assert.ok(first.left >= box.left && first.right <= box.right, `${locale}: ${JSON.stringify([first, box])}`)
  }
})

test('where the page runs from the right, names and addresses are cut at their end, and a text stays at its side of a picture', async (t) => {
  const server = await Server.start(t)
  const { alice, token } = await server.addPeople()
  const email = 'somebody.with.a.name.longer.than.its.room@with-a-host.also.longer.example.com'
  const { doc } = await server.call('POST', 'users', { email, password: 'correct horse' }, token)
  await server.post(doc.id, alice, '[A picture](/api/media/file/none.png#320x200)\nHi')
  const visitor = await Visitor.open(t, server.url, { ...PHONE, viewport: { width: 320, height: 640 }, locale: 'ar' })
  visitor.expectErrors(/status of 404/)
  await visitor.page.locator('[name=email]').fill(ALICE)
  await visitor.page.locator('[name=password]').fill('correct horse')
  await visitor.page.keyboard.press('Enter')
  await visitor.isIn()
  // Its first letter is where its room is.
  const beginsInSight = async (line) => {
    const [first, box] = await line.evaluate((e) => {
      const text = document.createTreeWalker(e, NodeFilter.SHOW_TEXT).nextNode()
      const range = document.createRange()
      range.setStart(text, 0)
      range.setEnd(text, 1)
      return [range.getBoundingClientRect(), e.getBoundingClientRect()].map(({ left, right }) => ({ left, right }))
    })
    assert.ok(first.left >= box.left - 1 && first.right <= box.right + 1, JSON.stringify([first, box]))
  }
  await beginsInSight(visitor.talk('somebody').locator('.name'))
  await visitor.talkTo('somebody')
  await beginsInSight(visitor.page.locator('.top h1'))
  await beginsInSight(visitor.page.locator('.top p'))
  const [text, bubble] = await Promise.all([visitor.row('Hi').locator('.text').boundingBox(), visitor.row('Hi').locator('.bubble').boundingBox()])
  assert.ok(text.x + text.width > bubble.x + bubble.width - 30, JSON.stringify([text, bubble]))
  await visitor.page.keyboard.press('Control+k')
  await visitor.page.locator('dialog input').fill('somebody')
  for (const what of ['.name', '.line']) await beginsInSight(visitor.page.locator(`.found .talk ${what}`).first())
})

test('each language is whole, fits a phone, and Arabic runs from the right', async (t) => {
  const server = await Server.start(t)
  const { alice, bob } = await server.addPeople()
  await server.post(bob, alice, 'Hello')
  for (const [language, [title, placeholder, seen]] of Object.entries(GREETINGS)) {
    const visitor = await Visitor.open(t, server.url, { ...PHONE, viewport: { width: 320, height: 640 }, locale: language })
    const lastSeen = new Date(Date.now() - 86_400_000).toISOString()
    await visitor.page.route(/api\/parley\/presence\//, (route) => route.fulfill({ json: { user: bob, online: false, lastSeen } }))
    await visitor.heading(title).waitFor()
    await visitor.fits()
    await visitor.page.locator('[name=email]').fill(ALICE)
    await visitor.page.locator('[name=password]').fill('correct horse')
    await visitor.page.keyboard.press('Enter')
    await visitor.isIn()
    await visitor.fits()
    await visitor.talkTo('bob')
    await visitor.page.getByPlaceholder(placeholder).waitFor()
    await visitor.page.locator('.top').getByText(seen).waitFor()
    await visitor.fits()
    const bubble = await visitor.page.locator('.row .bubble').boundingBox()
    assert.equal(bubble.x > 160, language === 'ar', language)
    await visitor.page.evaluate(() => { location.hash = '#/settings' })
    await visitor.page.getByRole('dialog').locator('[name=name]').waitFor()
    await visitor.page.locator('details:not(:has(form)) summary').click()
    await visitor.page.locator('details li').first().waitFor()
    await visitor.fits()
    await visitor.escape()
  }
})
