// Searching texts, with the index in its file and without: the same is found, at once, whatever becomes of the file.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, request, admin, say, stream, folder, remove, sleep, test } = require('../harness.js')

module.exports = (binary) => {
  const where = (filter) => `where=${encodeURIComponent(JSON.stringify(filter))}`
  const find = async (url, filter, more = '') => (await request(`${url}/api/messages?${where(filter)}&depth=0${more}`)).json
  const search = async (url, text, more) => (await find(url, { content: { like: text } }, more)).docs.map((d) => d.content)
  const change = (url, id, method, body) => request(`${url}/api/messages/${id}`, { method, body })
  const index = (data) => path.join(data, 'parley.db-text')

  // Until the file is there and has something in it.
  const filled = async (data) => {
    while (!fs.existsSync(index(data)) || !fs.statSync(index(data)).size) await sleep(10)
  }

  test('search: who has written finds it, whoever writes meanwhile', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    await admin(server.url)
    const { url } = server
    await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 30; i++) {
        const word = `w${writer}x${i}y`
        const { json: { doc } } = await say(url, `Some ${word} here`)
        assert.deepStrictEqual(await search(url, word.toUpperCase()), [doc.content])
        await change(url, doc.id, 'PATCH', { content: `${word} no longer: z${writer}x${i}y` })
        assert.deepStrictEqual(await search(url, `some ${word}`), [])
        assert.strictEqual((await search(url, `z${writer}x${i}y ${word}`)).length, 1)
        if (i % 3) continue
        await change(url, doc.id, 'DELETE')
        assert.deepStrictEqual(await search(url, word), [])
      }
    }))
    const { totalDocs, docs } = await find(url, { content: { contains: 'no longer' } }, '&limit=0')
    assert.strictEqual(totalDocs, 8 * 20)
    assert.strictEqual(docs.length, 8 * 20)
  })

  // The answers must not hang on whether there is an index, nor on what is in its file.
  test('search: the same with the index, without it, and when its file is gone, damaged or in the way', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    const texts = ['Grüße aus Köln', 'grüsse aus koeln', 'GRÜSSE', '100% "sure" it\'s_so', '😀😀😀 smile', 'a\\b\\c', 'Kelvin \u212a', 'ab', 'line\nbreak', '中文字符']
    const words = ['grüße', 'GRÜSSE', 'köln', 'KÖLN', '100%', '0%"', '"sure"', "it's_", '_so', '😀😀😀', '😀', '\\b\\', 'kelvin', 'ab', 'BREAK', '中文字', '文字符', 'aus gr', 'zzz']
    const answers = async (url) => {
      const found = {}
      for (const word of words) for (const op of ['like', 'contains', 'equals', 'not_like']) {
        const { docs, totalDocs } = await find(url, { content: { [op]: word } }, '&limit=5')
        found[`${op} ${word}`] = [totalDocs, docs.map((d) => d.id)]
      }
      return found
    }
    let server = await start(binary, { data, args: ['--text-index', 'off'] })
    await admin(server.url)
    for (const text of texts) await say(server.url, text)
    const expected = await answers(server.url)
    assert.deepStrictEqual(expected['like GRÜSSE'], [1, [3]])
    assert.deepStrictEqual(expected['like KÖLN'], [0, []])
    await server.stop()
    assert.ok(!fs.existsSync(index(data)))

    const beforehand = {
      'no file': () => {},
      'a file': () => {},
      'no file again': () => fs.rmSync(index(data)),
      'no database': () => fs.writeFileSync(index(data), 'no database at all, but longer than a header of one would be '.repeat(50)),
      'half of it': () => fs.truncateSync(index(data), fs.statSync(index(data)).size / 2),
      'a folder': () => { fs.rmSync(index(data)); fs.mkdirSync(index(data)) },
    }
    for (const [name, prepare] of Object.entries(beforehand)) {
      prepare()
      server = await start(binary, { data })
      assert.deepStrictEqual(await answers(server.url), expected, name)
      if (name !== 'a folder') await filled(data)
      assert.deepStrictEqual(await answers(server.url), expected, `${name}, later`)
      await server.stop()
    }
  })

  test('search: the file may be read by those who may read the database', async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    await (await start(binary, { data, args: ['--text-index', 'off'] })).stop()
    fs.chmodSync(path.join(data, 'parley.db'), 0o640)
    const server = await start(binary, { data })
    after(server.stop)
    await filled(data)
    assert.strictEqual(fs.statSync(index(data)).mode & 0o777, 0o640)
  })

  test('search: a stream begins with what is found, and a bulk write changes it', async ({ after }) => {
    const server = await start(binary)
    after(server.stop)
    const { token } = await admin(server.url)
    for (let i = 0; i < 30; i++) await say(server.url, i % 10 ? `tea ${i}` : `coffee ${i}`)
    await filled(server.data)
    const filter = where({ content: { like: 'coffee' } })
    const s = await stream(`${server.url}/api/messages/sse?${filter}`)
    after(s.close)
    assert.deepStrictEqual((await s.first('message')).json.map((d) => d.content), ['coffee 20', 'coffee 10', 'coffee 0'])
    const { json } = await request(`${server.url}/api/messages?${filter}`,
      { method: 'PATCH', body: { content: 'water' }, headers: { Authorization: `JWT ${token}` } })
    assert.strictEqual(json.docs.length, 3)
    assert.deepStrictEqual(await search(server.url, 'coffee'), [])
    assert.strictEqual((await search(server.url, 'water')).length, 3)
  })
}
