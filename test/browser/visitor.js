// Somebody before the page, with a browser context of her own. Her page must stay without an error, a breach of its
// content policy and a request to another origin, or the test fails at its end.
import assert from 'node:assert/strict'
import { PASSWORD } from './server.js'

const LONGEST_MS = 30_000 // a wait is for something to appear; only a failure takes this long

export class Visitor {
  #flaws = []
  #expected = []

  static async open(t, url, options = {}) {
    const visitor = new Visitor()
    const context = await t.browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options })
    const page = await context.newPage()
    Object.assign(visitor, { url, context, page })
    t.defer(async () => {
      await context.close()
      visitor.#check()
    })
    page.setDefaultTimeout(LONGEST_MS)
    visitor.#watch()
    await page.goto(url)
    return visitor
  }

  static async signedIn(t, url, email, options) {
    const visitor = await Visitor.open(t, url, options)
    await visitor.signIn(email)
    return visitor
  }

  // Errors that the test brings about itself.
  expectErrors(pattern) {
    this.#expected.push(pattern)
  }

  async signIn(email, password = PASSWORD) {
    await this.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await this.fillEntry(email, password)
    await this.isIn(email)
  }

  async fillEntry(email, password) {
    const entry = this.page.locator('#entry')
    await entry.getByLabel('E-mail').fill(email)
    await entry.getByLabel('Password').fill(password)
    await this.page.keyboard.press('Enter')
  }

  async isIn(email) {
    await this.page.locator('#me', { hasText: email }).waitFor({ state: 'attached' })
    await this.connection('live')
  }

  connection(text) {
    return this.page.locator('#connection', { hasText: text }).waitFor()
  }

  get box() {
    return this.page.getByLabel('Message', { exact: true })
  }

  async write(text) {
    await this.box.fill(text)
    await this.page.keyboard.press('Enter')
  }

  button(name) {
    return this.page.getByRole('button', { name })
  }

  row(text) {
    return this.page.locator('.message', { hasText: text })
  }

  // Waits until these are the messages' texts, all of them and in this order.
  async shows(texts) {
    const same = (wanted) => {
      const seen = [...document.querySelectorAll('.message:not(.sending, .failed) .text')].map((e) => e.textContent)
      return JSON.stringify(seen) === JSON.stringify(wanted)
    }
    await this.page.waitForFunction(same, texts).catch(async () => {
      assert.deepEqual(await this.page.locator('.message .text').allTextContents(), texts)
      throw new Error('the messages are there, but not as sent')
    })
  }

  #watch() {
    const origin = new URL(this.url).origin
    this.page.on('pageerror', (error) => this.#flaws.push(error.stack))
    this.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.#flaws.push(message.text())
    })
    this.page.on('request', (request) => {
      const { protocol, origin: asked } = new URL(request.url())
      if (asked !== origin && protocol !== 'data:') this.#flaws.push(`a request to ${request.url()}`)
    })
  }

  #check() {
    const flaws = this.#flaws.filter((text) => !this.#expected.some((pattern) => pattern.test(text)))
    assert.deepEqual(flaws, [], 'errors on the page')
  }
}
