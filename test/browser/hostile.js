// What people write, meant well or not, is shown as what it is.
import assert from 'node:assert/strict'
import { test } from './harness.js'
import { ALICE, BOB, PASSWORD, Server } from './server.js'
import { PHONE, Visitor } from './visitor.js'

const MARKUP = '<img src=x onerror="document.title=1"><script>document.title=1</script> &amp; <b>bold</b>'

async function visit(t, contents) {
  const { server, alice, bob, token } = await Server.withPeople(t)
  await server.postAll(bob, alice, contents)
  const visitor = await Visitor.with(t, server.url, ALICE, 'bob')
  return { server, alice, bob, token, visitor }
}

test('markup of HTML is shown as it was typed, wherever somebody can type', async (t) => {
  const contents = [MARKUP, `**${MARKUP}**`, `\`${MARKUP}\``, `> ${MARKUP}`, `- ${MARKUP}`, `\`\`\`\n${MARKUP}\n\`\`\``, `[${MARKUP}](https://example.com)`]
  const { server, alice, token, visitor } = await visit(t, contents)
  await visitor.page.waitForFunction(() => document.querySelectorAll('.row .text strong').length === 1)
  for (const row of await visitor.rows.locator('.text').allTextContents()) assert.ok(row.includes('<script>document.title=1</script> &amp; <b>'), row)
  await visitor.write(MARKUP)
  await visitor.rows.nth(contents.length).waitFor()
  assert.equal(await visitor.page.locator('.shell').locator('img:not([src="icon.svg"]), script, b b').count(), 0)

  visitor.expectErrors(/404 .*presence\/99$/)
  // Servers' addresses of people are checked; a page would not have to rely on it.
  await visitor.page.route(/api\/parley\/people\?/, async (route) => {
    const response = await route.fetch()
    const body = await response.json()
    body.docs.push({ id: 99, email: `${MARKUP}@example.com`, name: null })
    await route.fulfill({ response, json: body })
  })
  await visitor.page.reload()
  await visitor.page.locator('.talk[data-peer="99"]', { hasText: '<img' }).waitFor()
  await visitor.page.evaluate(() => { location.hash = '#/c/99' })
  await visitor.page.locator('.top', { hasText: '<script>' }).waitFor()
  await visitor.page.keyboard.press('Control+k')
  await visitor.page.getByPlaceholder('Search for people and messages').fill('document.title')
  await visitor.page.locator('.found mark').first().waitFor()
  assert.match(await visitor.page.title(), /Parley/)
  assert.ok(server && alice && token)
})

test('links lead to where one expects and nowhere else', async (t) => {
  const good = ['https://example.com/a?b=c#d', 'http://example.com', '[mail](mailto:bob@example.com)', 'www.example.com', 'see [file](/api/media/file/x.png) here']
  const bad = ['[a](javascript:alert(1))', '[a](JaVaScRiPt:alert(1))', '[a](data:text/html,x)', '[a](vbscript:x)', '[a](file:///etc/passwd)', '[a](//example.com)', '[a](/api/users/logout)', '[a](java&#115;cript:x)', '[a](\u0001javascript:x)', '<javascript:alert(1)>']
  const { visitor } = await visit(t, [...good, ...bad])
  await visitor.page.waitForFunction((n) => document.querySelectorAll('.row a').length === n, good.length)
  const links = await visitor.page.locator('.row a').evaluateAll((all) => all.map((a) => [a.protocol, a.target, a.rel]))
  for (const [protocol, target, rel] of links) {
    assert.match(protocol, /^(https?|mailto):$/)
    assert.deepEqual([target, rel], ['_blank', 'noopener noreferrer nofollow'])
  }
  for (const text of bad) await visitor.row(text.replace('\u0001', '')).or(visitor.row('javascript:x')).first().waitFor()
})

test('text that turns around stays within its own message', async (t) => {
  const { visitor } = await visit(t, ['\u202eabc', 'שלום hello', 'plain', '\u2067\u2067\u2067open', 'after'])
  const box = async (text) => (await visitor.row(text).locator('.bubble').boundingBox()).x
  assert.ok(Math.abs(await box('plain') - await box('after')) < 1)
  const isolated = await visitor.page.locator('.row .text').evaluateAll((all) => all.every((e) => ['plaintext', 'isolate'].includes(getComputedStyle(e).unicodeBidi)))
  assert.ok(isolated)
})

test.alone('very long and very strange texts neither hang nor burst the page', async (t) => {
  const contents = [
    'x'.repeat(40_000), 'word '.repeat(8_000), 'line\n'.repeat(10_000).slice(0, 39_999), '😀'.repeat(2_000), '👩‍👩‍👧‍👦'.repeat(500),
    'ب'.repeat(40_000), '\u0e49'.repeat(40_000), `a${'\u0300'.repeat(39_000)}`, `${'ب'.repeat(3_000)} *x*`, '\n'.repeat(9_999) + 'x',
    '*'.repeat(7_900), '[['.repeat(3_900), '> '.repeat(3_900), `${'- '.repeat(40)}deep`, '`'.repeat(7_900), '<'.repeat(7_900), '*a '.repeat(2_600), '_a_'.repeat(2_600),
    '![](x'.repeat(1_500), 'a\u0300'.repeat(3_000), '\u200b\u2028\u2029\ufeff', 'http://'.repeat(1_100), '|a'.repeat(3_900), 'a@'.repeat(3_900),
    '![](x'.repeat(600), '[a]('.repeat(750), '_b '.repeat(1_000), '*_a '.repeat(750), '> '.repeat(1_500), '1. '.repeat(1_000), '!'.repeat(3_000),
  ]
  const { visitor } = await visit(t, contents)
  await visitor.page.evaluate(() => new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest ?? 0, duration)
  }).observe({ type: 'longtask', buffered: true }))
  await visitor.page.waitForFunction((n) => document.querySelectorAll('.row').length === n, contents.length)
  await visitor.fits()
  const folded = visitor.button('Show all of it')
  for (let left = await folded.count(); left > 0; left--) {
    await folded.first().click()
    await visitor.page.waitForFunction((n) => [...document.querySelectorAll('.text > .link')].length === n, left - 1)
    await visitor.fits()
  }
  const longest = () => visitor.page.evaluate(() => Math.max(...[...document.querySelectorAll('.text')].map((e) => e.textContent.length)))
  assert.equal(await longest(), 40_000)
  await visitor.write('still alive')
  await visitor.row('still alive').waitFor()
  console.log(`         the longest task ${Math.round(await visitor.page.evaluate(() => window.longest ?? 0))} ms`)
})

test('strange texts keep to their lines in the list, in what is told of them, and in what is found', async (t) => {
  const { server, alice, bob } = await Server.withPeople(t)
  for (const options of [{}, PHONE]) {
    const visitor = await Visitor.signedIn(t, server.url, ALICE, options)
    if (options !== PHONE) await visitor.talkTo('Notes to yourself')
    const texts = ['x'.repeat(40_000), 'line\n'.repeat(7_900), '😀'.repeat(2_000), `\u202e\u2067\u2067x${MARKUP}`, `x${'\u0300'.repeat(30_000)}`, `[x](/api/media/file/${'z'.repeat(390)})`]
    for (const text of texts) {
      const begins = text.slice(0, 2).replace('[', 'File: ')
      // What is told of it stays for five seconds only, so the page itself is to look.
      const told = visitor.page.waitForFunction((wanted) => document.querySelector('.toast > *')?.textContent.includes(wanted), begins)
      await Promise.all([told, server.post(bob, alice, text)])
      await visitor.talk('bob').locator('.line', { hasText: begins }).waitFor()
      await visitor.fits()
    }
    const heights = await visitor.page.locator('.talk').evaluateAll((rows) => rows.map((row) => row.offsetHeight))
    assert.ok(Math.max(...heights) < 80, String(heights))
    await visitor.page.keyboard.press('Control+k')
    for (const text of ['x', 'line', '😀', '<script>']) {
      await visitor.page.getByPlaceholder('Search for people and messages').fill(text)
      await visitor.page.locator('.found mark', { hasText: text }).first().waitFor()
      await visitor.fits()
    }
    assert.equal(await visitor.page.locator('.toast img, .toast script, .found img, .side img:not([src="icon.svg"])').count(), 0)
    assert.match(await visitor.page.title(), /Parley$/)
  }
})

test('half of a character is mended before it is sent', async (t) => {
  const { server, visitor } = await visit(t, [])
  await visitor.write('a\ud83d b\ude00 😀')
  await visitor.rows.first().waitFor()
  assert.deepEqual(await server.contents(), ['a\ufffd b\ufffd 😀'])
})

test('a text that is too long is not sent, and nothing of it is lost', async (t) => {
  const { server, visitor } = await visit(t, [])
  await visitor.box.fill('x'.repeat(36_000))
  assert.equal(await visitor.page.getByText('characters left').count(), 0)
  await visitor.box.fill('x'.repeat(36_001))
  await visitor.page.getByText('3,999 characters left').waitFor()
  await visitor.box.fill('x'.repeat(40_001))
  await visitor.page.getByText('1 character too long').waitFor()
  assert.ok(await visitor.button('Send').isDisabled())
  await visitor.box.press('Enter')
  assert.equal((await visitor.box.inputValue()).length, 40_001)
  assert.deepEqual(await server.contents(), [])
  await visitor.box.fill('x'.repeat(40_000))
  await visitor.button('Send').click()
  await visitor.rows.first().waitFor()
  assert.equal((await server.contents())[0].length, 40_000)
})

test('wrong passwords, an account that is there already, a locked one: the form says what is wrong', async (t) => {
  const { server } = await Server.withPeople(t)
  const visitor = await Visitor.open(t, server.url)
  visitor.expectErrors(/status of 40[01]/)
  await visitor.heading('Sign in').waitFor()
  const tryIt = async (said) => {
    await visitor.fillEntry(BOB, 'wrong horse')
    await visitor.page.getByRole('alert').getByText(said).waitFor()
    await visitor.page.getByLabel('E-mail').fill('')
  }
  for (let n = 0; n < 5; n++) await tryIt('The e-mail or the password is wrong.')
  await tryIt('Too many tries. Try again in 10 minutes.')
  await visitor.signIn(ALICE)
  await visitor.button('Add a person').click()
  const dialog = visitor.page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill(BOB)
  await dialog.getByLabel('Password').fill(PASSWORD)
  await visitor.page.keyboard.press('Enter')
  await dialog.getByText('This address has an account already.').waitFor()
  assert.equal(await visitor.page.evaluate(() => document.activeElement.name), 'email')
})
