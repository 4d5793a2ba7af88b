// For those who do not see the page, who use it without a mouse, with a finger, or much enlarged.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { png } from './picture.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const focused = (visitor) => visitor.page.evaluate(() => {
  const { activeElement: e } = document
  return e.getAttribute('aria-label') ?? e.textContent
})

const isWriting = (visitor) => visitor.page.waitForFunction(() => document.activeElement.id === 'composer')

async function start(t, n = 0) {
  const { server, ...people } = await Server.withPeople(t)
  await server.postAll(people.bob, people.alice, Array.from({ length: n }, (_, i) => `message ${i + 1}.`))
  if (n) await server.markRead(people.token, people.bob, n)
  return { server, ...people }
}

// Browsers look at a change a moment after it was made: what is read out is what then stands in a region that is live.
const listen = (visitor) => visitor.page.evaluate(() => {
  window.heard = []
  const isLive = (e) => e.closest('[aria-live], [role=status], [role=alert]') &&
    e.closest('[aria-live]')?.getAttribute('aria-live') !== 'off'
  new MutationObserver((changes) => {
    const nodes = changes.flatMap(({ type, target, addedNodes }) => (type === 'characterData' ? [target] : [...addedNodes]))
    setTimeout(() => {
      for (const node of nodes) {
        const element = node.nodeType === 1 ? node : node.parentElement
        if (element?.isConnected && !element.closest('[aria-hidden=true]') && isLive(element)) window.heard.push(node.textContent.trim())
      }
    }, 150)
  }).observe(document.body, { childList: true, characterData: true, subtree: true })
})

const heard = (visitor) => visitor.page.evaluate(() => window.heard)

test('others’ new messages are read out: once, and neither what was there before nor one’s own', async (t) => {
  const { server, alice, bob } = await start(t, 120)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  await listen(visitor)
  await visitor.talkTo('bob')
  await visitor.row('message 120.').waitFor()
  const beginning = visitor.page.getByText('This is the beginning')
  for (let n = 0; n < 20 && !(await beginning.isVisible()); n++) {
    await visitor.page.evaluate(() => new Promise((resolve) => {
      document.querySelector('.scroller').scrollTop -= 3000
      requestAnimationFrame(() => requestAnimationFrame(resolve))
    }))
    await visitor.page.waitForFunction(() => !document.querySelector('.start.spin'))
  }
  await beginning.waitFor()
  await visitor.page.locator('[role=log][aria-live=polite]').waitFor() // a moment after the last page was drawn
  assert.deepEqual((await heard(visitor)).filter((text) => text.includes('message')), [])
  await visitor.write('my own')
  await visitor.row('my own').waitFor()
  await server.post(bob, alice, 'from bob')
  await visitor.page.waitForFunction(() => window.heard.some((text) => text.includes('from bob')))
  const all = await heard(visitor)
  assert.equal(all.filter((text) => text.includes('from bob')).length, 1, all.join('\n'))
  assert.deepEqual(all.filter((text) => text.includes('my own')), [])
  assert.ok(all.includes('Sent'))
})

test('who is writing and that the connection is lost are read out once', async (t) => {
  const { server } = await start(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  visitor.expectErrors(/net::ERR_/)
  await listen(visitor)
  const other = await Visitor.with(t, server.url, BOB, 'alice')
  await other.box.pressSequentially('hello', { delay: 50 })
  await visitor.page.waitForFunction(() => window.heard.includes('bob is writing …'))
  await other.page.close()
  await server.kill()
  await visitor.page.waitForFunction(() => window.heard.includes('Connection lost'))
  // It is said of in each view at once, and in none of them again.
  const bar = visitor.page.locator('.bar') // its text changes while it is tried again
  await bar.waitFor()
  await visitor.talk('Notes to yourself').click()
  await visitor.heading('Notes to yourself').waitFor()
  assert.ok(await bar.isVisible())
  await visitor.page.evaluate(() => { location.hash = '#/' })
  await visitor.heading('No conversation is open').waitFor()
  assert.ok(await bar.isVisible())
  await visitor.page.waitForTimeout(1_500)
  await server.startAgain()
  await visitor.page.evaluate(() => dispatchEvent(new Event('online')))
  await visitor.page.waitForFunction(() => window.heard.includes('Connected'))
  const all = await heard(visitor)
  for (const text of ['bob is writing …', 'Connection lost', 'Connected'])
    assert.equal(all.filter((one) => one.includes(text)).length, 1, all.join('\n'))
})

test('the focus is where one goes on: in a thread, behind it, behind each dialog', async (t) => {
  const { server, alice, bob } = await start(t, 1)
  await server.post(alice, bob, 'mine')
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  const { keyboard } = visitor.page
  await visitor.talk('bob').press('Enter')
  await isWriting(visitor)
  await visitor.page.locator('.skip').focus()
  assert.ok(await visitor.page.locator('.skip').isVisible())
  await keyboard.press('Enter')
  assert.equal(await focused(visitor), 'Message')
  await keyboard.press('Escape')
  await visitor.page.waitForFunction((id) => document.activeElement.dataset.peer === String(id), bob)

  for (const name of ['Search', 'Add a person', 'Settings']) {
    await visitor.button(name).press('Enter')
    await visitor.page.getByRole('dialog').waitFor()
    await visitor.escape()
    assert.equal(await focused(visitor), name)
  }
  await visitor.talkTo('bob')
  const askToDelete = async () => {
    await keyboard.press('Enter')
    await visitor.page.waitForFunction(() => document.activeElement.role === 'menuitem')
    await keyboard.press('ArrowUp')
    await keyboard.press('Enter')
    await visitor.page.getByRole('dialog').waitFor()
  }
  await visitor.row('mine').getByRole('button', { name: 'What to do' }).focus()
  await askToDelete()
  await visitor.escape()
  assert.equal(await focused(visitor), 'What to do with this message')
  await askToDelete()
  await visitor.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).press('Enter')
  await visitor.row('mine').waitFor({ state: 'detached' })
  await visitor.page.waitForFunction(() => document.activeElement.role === 'log')
  // Whoever has gone on before the answer comes stays there.
  await server.post(alice, bob, 'mine, too')
  let release
  const held = new Promise((resolve) => { release = resolve })
  await visitor.page.route(/api\/messages\/\d+/, async (route) => { await route.fulfill({ response: await route.fetch(), body: await held }) })
  await visitor.row('mine, too').getByRole('button', { name: 'What to do' }).focus()
  await askToDelete()
  await visitor.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).press('Enter')
  await visitor.row('mine, too').waitFor({ state: 'detached' })
  await visitor.box.focus()
  const answered = visitor.page.waitForResponse(/api\/messages\/\d+/)
  release('{}')
  await answered
  await visitor.page.evaluate(() => fetch('api/users/me').then((answer) => answer.text()))
  assert.equal(await focused(visitor), 'Message')

  // Another language is chosen from row to row.
  await visitor.button('Settings').click()
  await visitor.page.getByRole('dialog').waitFor()
  await visitor.page.getByLabel('Language').focus()
  for (const [key, title] of [['d', 'Einstellungen'], ['ArrowDown', 'Ajustes']]) {
    await keyboard.press(key)
    await visitor.heading(title).waitFor()
    await visitor.page.waitForFunction(() => document.activeElement.tagName === 'SELECT')
  }
})

test('on a phone a thread is headed by the focus, without a keyboard, and its menus open at a long touch', async (t) => {
  const { server, alice, bob } = await start(t, 30)
  await server.post(alice, bob, 'mine')
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob', PHONE)
  assert.equal(await visitor.page.evaluate(() => document.activeElement.tagName), 'H1')
  const debug = await visitor.context.newCDPSession(visitor.page)
  const touch = async (type, x, y) => debug.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] })
  await visitor.row('mine').locator('.bubble').click({ trial: true }) // once nothing moves any more
  const { x, y } = await visitor.row('mine').locator('.bubble').boundingBox()
  await touch('touchStart', x + 20, y + 15)
  await visitor.page.getByRole('menu').waitFor()
  await touch('touchEnd')
  await visitor.page.getByRole('menuitem', { name: 'Edit' }).tap()
  await visitor.page.getByLabel('Edit the message').waitFor()
  await visitor.button('Cancel').tap()

  // A touch that scrolls is none, and a short one shows the button.
  // (Told at once: a finger that waits before it moves is a long one.)
  const steps = Array.from({ length: 10 }, (_, step) => touch(step ? 'touchMove' : 'touchStart', x + 20, y - 100 + 15 * step))
  await Promise.all(steps)
  await visitor.page.waitForTimeout(900)
  assert.equal(await visitor.page.getByRole('menu').count(), 0)
  await touch('touchEnd')
  await visitor.row('message 29.').locator('.bubble').tap()
  await visitor.page.waitForFunction(() => {
    const button = document.activeElement.closest('.row')?.querySelector('.tools .sign')
    return button && getComputedStyle(button).opacity === '1'
  })
  await visitor.button('Back').tap()
  await visitor.page.waitForFunction((id) => document.activeElement.dataset.peer === String(id), bob)
})

test('a message’s menu is in sight, wherever the message ends and however low the window is', async (t) => {
  const { server, alice, bob } = await start(t)
  const long = 'a message that fills its line to the end and goes on in the next'
  for (const [from, to] of [[alice, bob], [bob, alice]]) for (const text of ['short', long]) await server.post(from, to, text)
  for (const [locale, ...heights] of [['en-GB', 640, 330], ['ar', 640]]) {
    const visitor = await Visitor.open(t, server.url, { ...PHONE, viewport: { width: 360, height: 640 }, locale })
    await visitor.page.locator('[name=email]').fill(ALICE)
    await visitor.page.locator('[name=password]').fill(PASSWORD)
    await visitor.page.keyboard.press('Enter')
    await visitor.isIn()
    await visitor.talkTo('bob')
    for (const height of heights) {
      await visitor.page.setViewportSize({ width: 360, height })
      for (const row of await visitor.rows.all()) {
        await row.locator('.tools button').press('Enter')
        await row.getByRole('menu').waitFor()
        const hidden = await visitor.page.evaluate(() => {
          const [room, menu, first] = ['.scroller', '[role=menu]', '[role=menuitem]'].map((what) => document.querySelector(what).getBoundingClientRect())
          return menu.left < room.left - 1 || menu.right > room.right + 1 || first.top < room.top - 1 || first.bottom > room.bottom + 1
        })
        assert.ok(!hidden, `${locale}, ${height} px high: ${await row.textContent()}`)
        await visitor.fits()
        await visitor.page.keyboard.press('Escape')
      }
    }
  }
})

test('with large letters a window that is too narrow for both shows the list or a thread', async (t) => {
  const { server } = await start(t, 3)
  const visitor = await Visitor.open(t, server.url, { viewport: { width: 900, height: 700 } })
  const debug = await visitor.context.newCDPSession(visitor.page)
  await debug.send('Page.setFontSizes', { fontSizes: { standard: 32 } })
  await visitor.page.reload()
  await visitor.signIn(ALICE)
  await visitor.fits()
  await visitor.talkTo('bob')
  await visitor.page.locator('.side').waitFor({ state: 'detached' })
  await visitor.fits()
})

test('other letters chosen while the page is open leave the list and a thread beside each other, or one of them', async (t) => {
  const { server } = await start(t, 3)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob', { viewport: { width: 900, height: 700 } })
  const debug = await visitor.context.newCDPSession(visitor.page)
  const choose = (standard) => debug.send('Page.setFontSizes', { fontSizes: { standard } })
  const isDivided = (...starts) => visitor.page.waitForFunction((wanted) => {
    const rooms = [...document.querySelector('.shell').children].map((e) => e.getBoundingClientRect())
    return rooms.map(({ left }) => left).join() === wanted.join() && rooms.every(({ top, height }) => top === 0 && height === innerHeight)
  }, starts)
  await choose(32)
  await isDivided(0, 688)
  await visitor.comeBack() // from where they were chosen
  await isDivided(0)
  await visitor.fits()
  await choose(16)
  await isDivided(0)
  await visitor.comeBack()
  await isDivided(0, 344)
  await visitor.fits()
})

test('enlarged four times there is room to read and to write', async (t) => {
  const { server } = await start(t, 30)
  const visitor = await Visitor.open(t, server.url, { viewport: { width: 320, height: 256 } })
  visitor.expectErrors(/status of 401/) // what was in sight is told to have been read while one signs out
  await visitor.fits()
  await visitor.signIn(ALICE)
  await visitor.fits()
  await visitor.talkTo('bob')
  await visitor.fits()
  const room = await visitor.page.getByRole('log').boundingBox()
  assert.ok(room.height >= 80, `${room.height} px`)
  await visitor.write('written here')
  await visitor.row('written here').waitFor()
  await visitor.box.fill('many\n'.repeat(30))
  await visitor.button('Send').click()
  await visitor.rows.filter({ hasText: 'many' }).waitFor()
  await visitor.page.evaluate(() => { location.hash = '#/settings' })
  await visitor.heading('Settings').waitFor()
  await visitor.fits()
  await visitor.button('Sign out').last().click()
  await visitor.heading('Sign in').waitFor()
})

test('where the system chooses the colours, lines stand for what colours tell', async (t) => {
  const { server, alice, bob } = await start(t)
  await server.post(bob, alice, 'theirs')
  await server.post(alice, bob, 'mine')
  const visitor = await Visitor.open(t, server.url, { forcedColors: 'active' })
  const hasLine = (selector) => visitor.page.locator(selector).first().evaluate((e) => {
    const { borderTopStyle, outlineStyle } = getComputedStyle(e)
    return [borderTopStyle, outlineStyle].some((style) => style !== 'none')
  })
  assert.ok(await hasLine('.primary'))
  await visitor.signIn(ALICE)
  assert.ok(await hasLine('.count'))
  await visitor.talkTo('bob')
  await visitor.box.fill('x')
  for (const selector of ['.talk[aria-current]', '.bubble', '.mine .bubble', '.box .send']) assert.ok(await hasLine(selector), selector)
  await visitor.page.emulateMedia({ forcedColors: 'none', contrast: 'more' })
  const contrast = await visitor.page.evaluate(() => {
    const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4) // WCAG's relative luminance
    const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3)
      .reduce((sum, c, i) => sum + linear(c / 255) * [0.2126, 0.7152, 0.0722][i], 0)
    const style = (selector) => getComputedStyle(document.querySelector(selector))
    const [a, b] = [style('.top p').color, style('.top').backgroundColor].map(light)
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
  })
  assert.ok(contrast >= 7, `${contrast}`)
})

test('where little is to move, nothing does', async (t) => {
  const { server, alice } = await start(t, 1)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const moving = () => document.getAnimations().filter((one) => one.effect.getTiming().duration > 1).length
  const { token: bobs } = await server.call('POST', 'users/login', { email: BOB, password: PASSWORD })
  const write = async () => {
    await server.call('POST', `parley/conversations/${alice}/typing`, {}, bobs)
    await visitor.page.locator('.dots').waitFor()
  }
  await write()
  assert.equal(await visitor.page.evaluate(moving), 0)
  await visitor.page.emulateMedia({ reducedMotion: 'no-preference' })
  await write()
  await visitor.page.waitForFunction(moving)
})

test('files are attached, described, sent and looked at with the keyboard alone', async (t) => {
  const { server } = await start(t)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  const { keyboard } = visitor.page
  const goTo = async (name, key = 'Tab') => {
    for (let n = 0; !(await focused(visitor)).includes(name); n++) {
      assert.ok(n < 60, `${name} is not reached`)
      await keyboard.press(key)
    }
  }
  const asked = visitor.page.waitForEvent('filechooser') // which takes Playwright a while to prepare
  await isWriting(visitor)
  const picture = (name) => ({ name, mimeType: 'image/png', buffer: png(64, 48, [90, 120, 150]) })
  await goTo('Attach files', 'Shift+Tab')
  await keyboard.press('Enter')
  await (await asked).setFiles([picture('one.png'), picture('two.png'), picture('three.png')])
  for (const name of ['one', 'two', 'three']) await visitor.page.getByLabel(`Description of ${name}.png`).waitFor()
  await goTo('Remove three.png', 'Shift+Tab')
  await keyboard.press('Enter')
  await visitor.button('Remove three.png').waitFor({ state: 'detached' })
  await goTo('Description of one.png', 'Shift+Tab')
  await keyboard.type('The first')
  await goTo('Message')
  await keyboard.press('Enter')
  await visitor.rows.first().waitFor()
  await goTo('Open the picture The first', 'Shift+Tab')
  await keyboard.press('Enter')
  await visitor.page.getByRole('dialog', { name: 'The first' }).waitFor()
  await keyboard.press('ArrowRight')
  await visitor.page.getByRole('dialog', { name: 'two.png' }).waitFor()
  await visitor.page.evaluate(() => { document.documentElement.dir = 'rtl' })
  await keyboard.press('ArrowRight')
  await visitor.page.getByRole('dialog', { name: 'The first' }).waitFor()
  await visitor.page.evaluate(() => { document.documentElement.dir = 'ltr' })
  await visitor.escape()
  assert.equal(await focused(visitor), 'Open the picture The first')
})

test('settings are changed, people added and one signs out with the keyboard alone', async (t) => {
  const { server } = await start(t)
  const visitor = await Visitor.signedIn(t, server.url, ALICE)
  const { keyboard } = visitor.page
  const goTo = async (name) => {
    for (let n = 0; !(await focused(visitor)).includes(name); n++) {
      assert.ok(n < 60, `${name} is not reached`)
      await keyboard.press('Tab')
    }
  }
  await goTo('Add a person')
  await keyboard.press('Enter')
  await visitor.page.getByRole('dialog').waitFor()
  await keyboard.type('carol@example.com')
  await keyboard.press('Tab')
  await keyboard.type(PASSWORD)
  await keyboard.press('Enter')
  await visitor.heading('carol').waitFor()
  await keyboard.press('Escape')
  await visitor.page.waitForFunction(() => document.activeElement.dataset.peer)
  await goTo('Settings')
  await keyboard.press('Enter')
  await visitor.page.getByLabel('Theme').waitFor()
  while (await visitor.page.evaluate(() => document.activeElement.tagName !== 'SELECT')) await keyboard.press('Tab')
  await keyboard.press('d')
  await visitor.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
  while (await visitor.page.evaluate(() => document.activeElement.role !== 'switch')) await keyboard.press('Tab')
  await keyboard.press('Space')
  await visitor.page.waitForFunction(() => JSON.parse(localStorage.getItem('parley.settings')).letters === false)
  await goTo('Change the password')
  await keyboard.press('Enter')
  await visitor.page.getByLabel('The current password').waitFor()
  while (await focused(visitor) !== 'Sign out') await keyboard.press('Tab')
  await keyboard.press('Enter')
  await visitor.heading('Sign in').waitFor()
})
