// kill -9 at random moments while files are uploaded, replaced and deleted: after each start the folder holds the files of the documents and
// nothing else, whole, and what was acknowledged is there.
'use strict'
const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { start, request, admin, multipart, folder, remove, run, sleep, test } = require('../harness.js')

const WORKERS = 12
const KILLS = process.env.PARLEY_TEST_ALL ? 150 : 15

const BOUNDARY = 'parts'
const uploaded = (filename, data, alt) => multipart(BOUNDARY, [
  { name: 'file', filename, type: 'application/octet-stream', data }, { name: '_payload', data: JSON.stringify({ alt }) }])
const sum = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex')

module.exports = (binary) => {
  test(`media: ${KILLS} kills leave neither a document without its file nor a file without its document`, async ({ after }) => {
    const data = folder()
    after(() => remove(data))
    let server = await start(binary, { data })
    after(() => server.kill('SIGKILL'))
    const { port, url } = server
    const { token } = await admin(url)
    const headers = { Authorization: `JWT ${token}`, 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }

    let over = false
    const known = new Map() // id -> the sum of the file that an acknowledged answer promised; absent while a change is under way
    const worker = async (n) => {
      for (let i = 0; !over; i++) {
        const bytes = crypto.randomBytes(1 + (i * 7919 + n * 104729) % 200000)
        const ids = [...known.keys()]
        const id = ids[(i * 31 + n) % (ids.length || 1)]
        const kind = ids.length < 20 ? 0 : i % 3
        if (kind) known.delete(id)
        try {
          const at = kind ? `${url}/api/media/${id}` : `${url}/api/media`
          const body = kind < 2 ? uploaded(i % 2 ? 'same.bin' : `w${n}.bin`, bytes, sum(bytes)) : undefined
          const r = await request(at, { method: ['POST', 'PATCH', 'DELETE'][kind], headers, body })
          if (kind < 2 && r.status < 300) known.set(r.json.doc.id, sum(bytes))
          else if (kind === 2 ? r.status !== 200 : r.status !== 404) throw new Error(`${r.status} ${r.text}`)
        } catch (error) {
          if (/^\d/.test(error.message)) throw error
          await sleep(20) // the server is away; whether this one was stored is not known
        }
      }
    }

    const check = async () => {
      const { docs } = (await request(`${url}/api/media?limit=0`)).json
      const files = fs.readdirSync(path.join(data, 'media')).sort()
      assert.deepStrictEqual(files, docs.map((d) => d.filename).sort())
      assert.deepStrictEqual(fs.readdirSync(path.join(data, 'media.part')), [])
      for (const doc of docs) assert.strictEqual(sum(fs.readFileSync(path.join(data, 'media', doc.filename))), doc.alt, doc.filename)
      const alts = new Map(docs.map((d) => [d.id, d.alt]))
      for (const [id, promised] of known) assert.strictEqual(alts.get(id), promised, `document ${id}`)
      return docs.length
    }

    for (let kill = 0; kill < KILLS; kill++) {
      over = false
      const workers = Promise.all(Array.from({ length: WORKERS }, (_, n) => worker(n)))
      await sleep(50 + (kill * 37) % 250)
      await server.kill('SIGKILL')
      over = true
      await workers
      server = await start(binary, { data, port })
      await check()
    }
    assert.ok(await check() > 10)
    await server.stop()
    assert.strictEqual((await run('sqlite3', [path.join(data, 'parley.db'), 'SELECT count(*) FROM parley_files'])).out.trim(), '0')
  })

  test('media: a disk that is full is 507, and leaves nothing behind', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const limited = path.join(dir, 'limited')
    fs.writeFileSync(limited, `#!/bin/sh\ntrap '' XFSZ\nulimit -f 2048\nexec '${binary}' "$@"\n`, { mode: 0o755 })
    const server = await start(limited, { data: path.join(dir, 'data') })
    after(() => server.stop())
    const { token } = await admin(server.url)
    const headers = { Authorization: `JWT ${token}`, 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }
    const post = (n) => request(`${server.url}/api/media`, { method: 'POST', headers, body: uploaded('a.bin', Buffer.alloc(n), 'x') })
    const refused = await post(4 << 20)
    assert.strictEqual(refused.status, 507, refused.text)
    assert.strictEqual(refused.json.errors[0].message, 'The server\'s disk is full.')
    assert.deepStrictEqual(fs.readdirSync(path.join(dir, 'data', 'media.part')), [])
    assert.strictEqual((await post(1000)).status, 201)
  })
}
