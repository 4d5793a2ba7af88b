// Every language, its plural forms and its direction.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server, WRONG } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const GREETINGS = {
  en: ['Sign in', 'Write a message', 'Last seen yesterday at'],
  de: ['Anmelden', 'Nachricht schreiben', 'Zuletzt gestern um'],
  es: ['Iniciar sesión', 'Escribe un mensaje', 'Última vez ayer a las'],
  fr: ['Se connecter', 'Écrire un message', 'Dernière visite hier à'],
  ar: ['تسجيل الدخول', 'اكتب رسالة', 'آخر ظهور أمس'],
  zh: ['登录', '输入消息', '最后上线：昨天'],
}

test('the page speaks the browser’s language, or the one that is chosen, at once and over a reload', async (t) => {
  const { server } = await Server.withPeople(t)
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

test('another language changes the words alone: what one has begun stays, and where one is', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  await server.postAll(bob, alice, Array.from({ length: 30 }, (_, i) => `message ${i}`))
  const code = await server.post(bob, alice, '```\nsome code\n```')
  await server.call('PATCH', `messages/${code.id}`, { content: '```\nsome more code\n```' })
  await server.post(alice, bob, 'mine')
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const { page } = visitor
  await page.locator('input[type=file]').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a file') })
  await page.locator('.chips li:not(:has(progress))', { hasText: 'a.txt' }).waitFor()
  await visitor.menu('mine', 'Edit')
  await page.getByLabel('Edit the message').fill('half an edit')
  await page.locator('.code').getByText('Copy').waitFor()
  const place = async () => (await visitor.row('message 25').boundingBox()).y
  await page.locator('.scroller').evaluate((box) => { box.scrollTop = -200 })
  await page.getByTitle('To the newest message').waitFor()
  const before = await place()

  await visitor.button('Settings').click()
  await page.getByLabel('Language').selectOption('de')
  await visitor.heading('Einstellungen').waitFor()
  await visitor.escape()
  await page.locator('.chips li', { hasText: 'a.txt' }).waitFor()
  assert.equal(await page.getByLabel('Nachricht bearbeiten').inputValue(), 'half an edit')
  assert.equal(await place(), before)
  const row = visitor.row('some more code')
  await row.getByText('Kopieren').waitFor()
  await row.getByText('bearbeitet').waitFor()
  await row.getByRole('button', { name: 'Was mit dieser' }).waitFor({ state: 'attached' })
  await visitor.talk('bob').getByText('Du: mine').waitFor()
  await page.locator('.day').getByText('Heute').waitFor()
  await visitor.button('Senden').click()
  await page.locator('.row.mine .file', { hasText: 'a.txt' }).waitFor()
})

// In their order below.
const REASONS = {
  de: ['E-Mail oder Passwort ist falsch.', 'Zu viele Versuche. Versuche es in 10 Minuten noch einmal.', 'Mit dieser Adresse gibt es schon ein Konto.',
    'Das ist keine E-Mail-Adresse.', 'Ein Passwort hat mindestens 3 Zeichen.', 'Der Server nimmt diese Datei nicht an.',
    'Zu groß für diesen Server.', 'Diese Person ist nicht mehr hier.', 'Nobody knows this.'],
  ar: ['البريد الإلكتروني أو كلمة المرور غير صحيحة.', /^محاولات كثيرة. حاول بعد .+\.$/, 'يوجد حساب بهذا العنوان بالفعل.',
    'هذا ليس بريدًا إلكترونيًا صحيحًا.', /^لا تقل كلمة المرور عن [3٣] أحرف\.$/, 'لا يقبل الخادم هذا الملف.',
    'أكبر مما يقبله هذا الخادم.', 'لم يعد هذا الشخص هنا.', 'Nobody knows this.'],
}

test('what the server refuses is told in the page’s language; what is not known, as the server says it', async (t) => {
  for (const [locale, reasons] of Object.entries(REASONS)) {
    const { server, bob } = await Server.withPeople(t)
    const visitor = await Visitor.open(t, server.url, { locale })
    visitor.expectErrors(/status of (40[01]|413)/)
    const { page } = visitor
    const told = async (where = page) => {
      const [wanted] = reasons
      await where.locator('.flaw, .under', { hasText: wanted }).first().waitFor()
      reasons.shift()
    }
    const fill = async (where, values) => {
      for (const [name, value] of Object.entries(values)) await where.locator(`[name=${name}]`).fill(value)
      await page.keyboard.press('Enter')
    }
    const guess = { email: BOB, password: WRONG }
    for (let n = 0; n < 4; n++) await server.call('POST', 'users/login', guess).catch(() => {})
    await page.waitForFunction(() => document.activeElement.name === 'email')
    await fill(page, guess)
    await told()
    await fill(page, guess)
    await told()
    await fill(page, { email: ALICE, password: PASSWORD })
    await visitor.isIn()

    await page.locator('.side header .sign').nth(1).click()
    const dialog = page.getByRole('dialog')
    for (const values of [{ email: BOB, password: PASSWORD }, { email: 'a@b' }, { email: 'new@example.com', password: 'ab' }]) {
      await fill(dialog, values)
      await told(dialog)
    }
    await visitor.escape()

    await visitor.talkTo('bob')
    const attach = (name) => page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/html', buffer: Buffer.from('<!doctype html>') })
    await attach('page.html')
    await told()
    // As a proxy does.
    await page.route('**/api/media', (route) => route.fulfill({ status: 413, contentType: 'text/html', body: '<h1>413</h1>' }))
    await attach('page.html')
    await told()

    const answers = [`This relationship field has the following invalid relationships: ${bob} 0`, 'Nobody knows this.']
    await visitor.onSend((route) => route.fulfill({ status: 400, json: { errors: [{ name: 'ValidationError', data: { errors: [{ path: 'receiver', message: answers.shift() }] }, message: 'The following field is invalid: Receiver' }] } }))
    for (const text of ['one', 'two']) {
      await page.locator('#composer').fill(text)
      await page.keyboard.press('Enter')
      await told()
    }
    assert.deepEqual(reasons, [])
  }
})

test('a text that runs the other way begins at its own side, and is cut at its end', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
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
  const { server, alice, token } = await Server.withPeople(t)
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
  const { server, alice, bob } = await Server.withPeople(t)
  await server.post(bob, alice, 'Hello')
  for (const [language, [title, placeholder, seen]] of Object.entries(GREETINGS)) {
    const visitor = await Visitor.open(t, server.url, { ...PHONE, viewport: { width: 320, height: 640 }, locale: language })
    await visitor.page.route(/api\/parley\/presence\//, (route) =>
      route.fulfill({ json: { user: bob, online: false, lastSeen: new Date(Date.now() - 86_400_000) } }))
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
    await visitor.page.locator('.top h1').press('?')
    await visitor.page.getByRole('dialog').waitFor()
    await visitor.fits()
  }
})
