// Somebody before the page, with a browser context of her own. Her page must stay without an error, a breach of its
// content policy and a request to another origin, or the test fails at its end.
import assert from 'node:assert/strict'
import { PASSWORD, sessionOf } from './server.js'
import { slowly } from './slow.js'

const LONGEST_MS = 30_000 // a wait is for something to appear; only a failure takes this long
const LEAP_MS = 5_000 // of the page's time, when it is stopped

const SENDING = /\/api\/messages(\?|$)/

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

// Asks until it holds; `why` says what it waits for.
export async function until(holds, why) {
  const end = performance.now() + LONGEST_MS
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(await why())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export class Visitor {
  #flaws = []
  #expected = [/Service Worker registration blocked/]

  // A page of her own, or, with `beside`, another tab of that visitor's browser. `token`: of the session she has.
  static async open(t, url, { beside, token, ...options } = {}) {
    const visitor = new Visitor()
    if (t.insecure) url = url.replace('//127.0.0.1:', '//parley.lan:')
    url = await slowly(url)
    const wanted = { locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', serviceWorkers: 'block', ...options }
    const context = beside?.context ?? await t.browser.newContext(wanted)
    if (token) await context.addCookies([{ name: 'payload-token', value: token, url, httpOnly: true, sameSite: 'Lax' }])
    const page = await context.newPage()
    Object.assign(visitor, { url, context, page })
    t.defer(async () => {
      if (beside) await page.close()
      else await context.close()
      visitor.#check()
    })
    page.setDefaultTimeout(LONGEST_MS)
    visitor.#watch()
    await page.goto(url)
    if (t.insecure) assert.equal(await page.evaluate(() => isSecureContext), false)
    return visitor
  }

  static async signingIn(t, url, email, options) {
    const visitor = await Visitor.open(t, url, options)
    await visitor.signIn(email)
    return visitor
  }

  // With a session already, of a server that was started with people. What a password costs is left to the tests of signing in.
  static async signedIn(t, url, email, options) {
    const visitor = await Visitor.open(t, url, { token: await sessionOf(email), ...options })
    await visitor.isIn()
    await visitor.page.locator('.talks[aria-busy=false], .shell:not(:has(.side))').first().waitFor({ state: 'attached' })
    return visitor
  }

  // Signed in and with a conversation open.
  static async with(t, url, email, name, options) {
    const visitor = await Visitor.signedIn(t, url, email, options)
    await visitor.talkTo(name)
    return visitor
  }

  // Errors that the test brings about itself.
  expectErrors(pattern) {
    this.#expected.push(pattern)
  }

  async signIn(email, password = PASSWORD) {
    await this.heading('Sign in').waitFor()
    await this.fillEntry(email, password)
    await this.isIn()
  }

  // The form takes the focus for its first field once it is drawn; what is filled in before then would go there.
  async fillToken(token) {
    await this.page.waitForFunction(() => document.activeElement.name === 'email')
    await this.page.getByLabel('Setup token').fill(token)
  }

  async fillEntry(email, password) {
    await this.page.getByLabel('E-mail').fill(email)
    for (const box of await this.page.locator('input[type=password]').all()) await box.fill(password)
    await this.page.keyboard.press('Enter')
  }

  async isIn() {
    await this.page.locator('.shell').waitFor()
    await this.live()
  }

  // The sign of the connection is in the list, which a phone shows alone.
  live() {
    return this.page.locator('.connection[data-state=live], .shell:not(:has(.side))').first().waitFor({ state: 'attached' })
  }

  lost() {
    return this.page.locator('.connection[data-state=lost]').waitFor()
  }

  // Where another conversation is open, that one goes a moment after the click.
  async talkTo(name) {
    const peer = await this.talk(name).getAttribute('data-peer')
    await this.talk(name).click()
    await this.page.locator(`.talk[data-peer="${peer}"][aria-current=page], .shell:not(:has(.side))`).first().waitFor({ state: 'attached' })
    await this.page.getByRole('log').waitFor()
    await this.page.locator('.start.spin').waitFor({ state: 'detached' })
  }

  talk(name) {
    return this.page.locator('.talk', { hasText: name })
  }

  get box() {
    return this.page.getByLabel('Message', { exact: true })
  }

  async write(text) {
    await this.box.fill(text)
    await this.button('Send').click()
  }

  // What becomes of the messages that the page sends from now on.
  async onSend(act) {
    await this.page.unroute(SENDING)
    await this.page.route(SENDING, (route) => (route.request().method() === 'POST' ? act(route) : route.continue()))
  }

  // What the page asks for there is answered by the server at once, and heard by the page when it is let go.
  async hold(path) {
    let letGo, answer
    const held = new Promise((resolve) => { letGo = resolve })
    const answered = new Promise((resolve) => { answer = resolve })
    await this.page.route(path, async (route) => {
      const response = await route.fetch()
      answer()
      await held
      await route.fulfill({ response })
    })
    const act = async () => {
      const heard = this.page.waitForResponse(path)
      letGo()
      await (await heard).finished()
      await this.page.evaluate(async () => (await fetch('icon.svg')).text()) // behind it
    }
    return Object.assign(act, { answered })
  }

  heading(name) {
    return this.page.getByRole('heading', { name })
  }

  button(name) {
    return this.page.getByRole('button', { name })
  }

  row(text) {
    return this.page.locator('.row', { hasText: text })
  }

  async menu(text, choice) {
    await this.row(text).hover()
    await this.row(text).getByRole('button', { name: 'What to do' }).click()
    await this.page.getByRole('menuitem', { name: choice }).click()
  }

  // Closes the dialog: it is gone a moment after it is not seen any more.
  async escape() {
    await this.page.keyboard.press('Escape')
    await this.page.waitForFunction(() => !document.querySelector('dialog'))
  }

  // A message that was led to: it is lit for two seconds only, so the page itself is to look.
  lit(text) {
    return this.page.waitForFunction((wanted) => document.querySelector('.row.lit')?.textContent.includes(wanted), text)
  }

  get rows() {
    return this.page.locator('.row:not(.unsent)')
  }

  // Waits until these are the texts of the stored messages that are shown, all of them and in this order.
  async shows(texts) {
    const same = (wanted) => {
      const seen = [...document.querySelectorAll('.row:not(.unsent) .text')].map((e) => e.textContent)
      return JSON.stringify(seen) === JSON.stringify(wanted)
    }
    await this.page.waitForFunction(same, texts).catch(async () => {
      assert.deepEqual(await this.page.locator('.row .text').allTextContents(), texts)
      throw new Error('the messages are there, but not as sent')
    })
  }

  // Somebody looks at something else, or at this page again. (Playwright has every page look as if it were in front.)
  async leave(hidden = true) {
    await this.page.evaluate((gone) => {
      Object.defineProperty(document, 'hidden', { get: () => gone, configurable: true })
      document.hasFocus = () => false
      dispatchEvent(new Event('blur'))
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
    }, hidden)
  }

  async comeBack() {
    await this.page.evaluate(() => {
      delete document.hidden
      delete document.hasFocus
      dispatchEvent(new Event('focus'))
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
    })
  }

  // Pages that are loaded from now on wait for whatever they wait for, however slow the test is.
  async bePatient() {
    await this.context.addInitScript(() => {
      const wait = window.setTimeout
      window.setTimeout = (act, ms) => wait(act, ms < 400 ? ms : ms * 100)
    })
  }

  // The page's time stands still but for what `pass` lets go by: nothing runs out while the test is slow. Its clock is
  // installed before it is loaded.
  async stopTime() {
    const now = await this.page.evaluate(() => Date.now())
    await this.page.clock.pauseAt(now + LEAP_MS)
  }

  // In small steps, as long as it takes.
  async pass(holds, why) {
    await until(async () => {
      await this.page.clock.runFor(50)
      return holds()
    }, why)
  }

  // No sideways scrolling, no message beyond a side, where that would not bring any, and no control whose text is cut.
  async fits() {
    const widths = () => [...document.querySelectorAll('html, .side, .scrolled, .thread, .scroller, dialog .card')]
      .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `${e.tagName}.${e.className}: ${e.scrollWidth} > ${e.clientWidth}`)
    assert.deepEqual(await this.page.evaluate(widths), [])
    const beyond = () => [...document.querySelectorAll('.scroller')].flatMap((scroller) => {
      const room = scroller.getBoundingClientRect()
      return [...scroller.querySelectorAll('.bubble')].filter((bubble) => {
        const { left, right } = bubble.getBoundingClientRect()
        return left < room.left || right > room.right
      }).map((bubble) => bubble.outerHTML)
    })
    assert.deepEqual(await this.page.evaluate(beyond), [])
    // What a list offers is as wide as the list would be with all the room it wants. Names may be of any length.
    const cut = () => [...document.querySelectorAll('button, summary, [placeholder], select')].filter((e) => {
      if (!e.checkVisibility() || e.closest('.toast, .receiver')) return false
      if (e.matches('button, summary')) return e.scrollWidth > e.clientWidth + 1
      const { font, paddingInlineStart, paddingInlineEnd } = getComputedStyle(e)
      if (e.placeholder) {
        const pen = Object.assign(document.createElement('canvas').getContext('2d'), { font })
        return e.value === '' && pen.measureText(e.placeholder).width > e.clientWidth - parseFloat(paddingInlineStart) - parseFloat(paddingInlineEnd) + 1
      }
      const free = e.parentNode.appendChild(e.cloneNode(true))
      free.style.cssText = 'position: absolute; max-width: none'
      const { width } = free.getBoundingClientRect()
      free.remove()
      return width > e.getBoundingClientRect().width + 1
    }).map((e) => e.outerHTML.slice(0, 200))
    assert.deepEqual(await this.page.evaluate(cut), [])
  }

  #watch() {
    const origin = new URL(this.url).origin
    this.page.on('pageerror', (error) => this.#flaws.push(error.stack))
    this.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#flaws.push(`${message.text()} ${message.location().url}`)
    })
    this.page.on('request', (request) => {
      const { protocol, origin: asked } = new URL(request.url())
      if (asked !== origin && !['data:', 'blob:'].includes(protocol)) this.#flaws.push(`a request to ${request.url()}`)
    })
  }

  #check() {
    const flaws = this.#flaws.filter((text) => !this.#expected.some((pattern) => pattern.test(text)))
    assert.deepEqual(flaws, [], 'errors on the page')
  }
}
