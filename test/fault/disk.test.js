// A disk that fails under a commit: a file size limit makes the write-ahead log's writes fail. Writes are refused from then on, reads and
// streams go on, and after a restart on a sound disk all that was acknowledged is there.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, request, admin, say, stream, folder, remove, test } = require('../harness.js')

module.exports = (binary) => {
  test('disk: after a failed commit writes are refused, reads go on, and nothing acknowledged is lost', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const data = path.join(dir, 'data')
    // The signal that goes with the limit would end the program; ignored, the write fails instead.
    const limited = path.join(dir, 'limited')
    fs.writeFileSync(limited, `#!/bin/sh\ntrap '' XFSZ\nulimit -f 4096\nexec '${binary}' "$@"\n`, { mode: 0o755 })
    let server = await start(limited, { data })
    after(() => server.kill())
    await admin(server.url)
    const s = await stream(`${server.url}/api/messages/sse`)
    after(s.close)
    await s.first('hello')

    const kept = []
    let refused
    for (let i = 0; i < 200 && !refused; i++) {
      const r = await say(server.url, `${i} ${'x'.repeat(30000)}`)
      if (r.status === 201) kept.push(r.json.doc.id)
      else refused = r
    }
    assert.ok(kept.length > 5, 'the limit came too early')
    assert.strictEqual(refused.status, 503, refused.text)
    for (let i = 0; i < 3; i++) {
      const r = await say(server.url, 'small')
      assert.strictEqual(r.status, 503)
      assert.match(r.json.errors[0].message, /disk has failed/)
      assert.ok(r.headers['retry-after'])
    }
    assert.strictEqual((await request(`${server.url}/api/messages/count`)).json.totalDocs, kept.length)
    assert.deepStrictEqual((await s.docs(kept.length)).map((d) => d.id), kept)
    assert.match(server.err, /the disk failed/)
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })

    server = await start(binary, { data })
    const docs = (await request(`${server.url}/api/messages?limit=0&depth=0&sort=id&select[id]=true`)).json.docs
    assert.deepStrictEqual(docs.map((d) => d.id), kept)
    assert.strictEqual((await say(server.url, 'well again')).status, 201)
  })
}
