// Files through the API, where no recorded case shows it: names, types, ranges, replacement, deletion, what is cut off and what is refused.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { start, request, multipart, raw, admin, folder, remove, run, test } = require('../harness.js')

// 4 x 3 pixels.
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAIAAAA7ljmRAAAAEUlEQVR4nGP4z8AARwgWOgcA9TEL9VuTca0AAAAASUVORK5CYII=', 'base64')
const SVG = (inside, attributes = 'width="30" height="20"') => `<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${inside}</svg>`
const BOUNDARY = '----parts'

const payload = (value) => ({ name: '_payload', data: JSON.stringify(value) })
const file = (filename, type, data) => ({ name: 'file', filename, type, data })

// A server with a first user: upload(parts), api(method, path, body), get(path, headers), stored() of the folder.
async function serve(binary, after, options = {}) {
  const server = await start(binary, options)
  after(() => server.stop())
  const { token } = await admin(server.url)
  const headers = { Authorization: `JWT ${token}` }
  const send = (method, at, parts, more = {}) => request(server.url + at,
    { method, body: multipart(BOUNDARY, parts), headers: { ...headers, 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`, ...more } })
  return {
    server,
    token,
    send,
    upload: (...parts) => send('POST', '/api/media', parts),
    api: (method, at, body) => request(server.url + at, { method, body, headers }),
    get: (at, more = {}) => request(server.url + at, { headers: more }),
    stored: () => fs.readdirSync(path.join(server.data, 'media')).sort(),
    parts: () => fs.readdirSync(path.join(server.data, 'media.part')),
    count: async () => (await request(`${server.url}/api/media/count`)).json.totalDocs,
  }
}

const messageOf = ({ json }) => json.errors[0].data ? json.errors[0].data.errors[0].message : json.errors[0].message

module.exports = (binary) => {
  test('media: a name is one piece of a path, free of what some system forbids, and never taken twice', async ({ after }) => {
    const m = await serve(binary, after)
    const names = [
      ['../../etc/passwd.png', 'passwd.png'], ['C:\\Windows\\win.png', 'win.png'], ['a/b\\c.png', 'c.png'], ['a:b?c*d|e<f>.png', 'abcdef.png'],
      ['..', 'file'], ['.', 'file-1'], ['...', 'file-2'], ['con.png', 'file.png'], ['LPT1.png', 'file-1.png'], ['  two  .png', '  two.png'],
      ['a\u0001\u0085b.png', 'ab.png'], ['ünï 文.png', 'ünï 文.png'], ['%2e%2e%2fx.png', '%2e%2e%2fx.png'], ['x.png?y', 'x.png'],
      ['red-5.png', 'red-5.png'], ['red-5.png', 'red-6.png'], ['red-5.png', 'red-7.png'], ['no extension', 'no extension'], ['no extension', 'no extension-1'],
    ]
    for (const [sent, kept] of names) {
      const { status, json: answer } = await m.upload(file(sent, 'image/png', PNG), payload({ alt: sent || 'x' }))
      assert.strictEqual(status, 201, sent)
      assert.strictEqual(answer.doc.filename, kept)
      assert.strictEqual(answer.doc.url, `/api/media/file/${encodeURIComponent(kept)}`)
      assert.ok((await m.get(answer.doc.url)).bytes.equals(PNG))
    }
    const long = (await m.upload(file(`${'é'.repeat(300)}.png`, 'image/png', PNG), payload({ alt: 'long' }))).json.doc
    assert.ok(Buffer.byteLength(long.filename) <= 255 && long.filename.endsWith('é.png'), long.filename)
    assert.strictEqual(m.stored().length, names.length + 1)
    assert.deepStrictEqual(fs.readdirSync(m.server.data).filter((name) => !name.startsWith('parley.db')).sort(), ['media', 'media.part', 'secret'])
  })

  test('media: bytes that are no UTF-8 in a name, and a file without a name, are 400', async ({ after }) => {
    const m = await serve(binary, after)
    const body = multipart(BOUNDARY, [file('NAME.png', 'image/png', PNG), payload({ alt: 'x' })])
    body.write('\xff\xfe', body.indexOf('NAME'), 'latin1')
    const headers = { Authorization: `JWT ${m.token}`, 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }
    assert.strictEqual((await request(`${m.server.url}/api/media`, { method: 'POST', body, headers })).status, 400)
    const nameless = await m.upload(file('', 'image/png', PNG), payload({ alt: 'x' }))
    assert.deepStrictEqual([nameless.status, messageOf(nameless)], [400, 'A file name is required.'])
    const unchosen = await m.upload(file('', 'application/octet-stream', ''), payload({ alt: 'x' }))
    assert.deepStrictEqual([unchosen.status, messageOf(unchosen)], [400, 'No files were uploaded.'])
    const two = await m.upload(file('a.txt', 'text/plain', '1'), file('b.txt', 'text/plain', '2'), payload({ alt: 'x' }))
    assert.strictEqual(two.status, 400)
    assert.deepStrictEqual([m.stored(), m.parts(), await m.count()], [[], [], 0])
  })

  test('media: the type is what the content shows, and what is declared only where content shows nothing', async ({ after }) => {
    const m = await serve(binary, after)
    const types = [
      ['a.txt', 'text/plain', PNG, 'image/png'], ['a.bin', undefined, PNG, 'image/png'], ['p.bin', 'application/octet-stream', '%PDF-1.4\n', 'application/pdf'],
      ['q.pdf', 'application/pdf', 'no PDF', 'text/plain'], ['a.csv', 'Text/CSV; charset=utf-8', 'a,b\n', 'text/csv'], ['b.csv', undefined, 'a,b\n', 'text/csv'],
      ['a.json', 'application/json', '{}', 'application/json'], ['z.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'PK\x03\x04rest', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'], ['z.zip', undefined, 'PK\x03\x04rest', 'application/zip'],
      ['v.webm', 'video/webm', Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'), 'video/webm'],
      ['s.ogg', undefined, Buffer.concat([Buffer.from('OggS'), Buffer.alloc(24), Buffer.from('OpusHead')]), 'audio/ogg'],
      ['h.txt', 'text/plain', '<html><script>1</script></html>', 'text/plain'], ['e.txt', 'text/plain', '', 'text/plain'],
      ['x.xml', 'application/xml', '<a/>', 'application/xml'], ['s.svg', 'text/plain', SVG('<rect/>'), 'image/svg+xml'], ['odd', 'no type at all', 'some text', 'text/plain'],
    ]
    for (const [name, declared, data, type] of types) {
      const r = await m.upload(file(name, declared, data), payload({ alt: name }))
      assert.deepStrictEqual([name, r.status, r.json.doc && r.json.doc.mimeType], [name, 201, type])
      const sent = await m.get(r.json.doc.url)
      assert.deepStrictEqual([sent.headers['content-type'], sent.headers['x-content-type-options']], [type, 'nosniff'])
      assert.ok(sent.bytes.equals(Buffer.from(data)))
    }
  })

  test('media: scripts and programs are refused by extension and by type, whatever the case', async ({ after }) => {
    const m = await serve(binary, after)
    for (const [name, type] of [['x.HTML', 'text/plain'], ['x.exe', 'application/octet-stream'], ['x.js', 'text/plain'], ['x', 'text/html; charset=utf-8'],
      ['x.txt', 'TEXT/JAVASCRIPT'], ['x.php', 'image/png'], ['x.xhtml', 'text/plain'], ['x.tar.ps1', 'text/plain']]) {
      const r = await m.upload(file(name, type, 'x'), payload({ alt: 'x' }))
      assert.strictEqual(r.status, 400, name)
      assert.match(messageOf(r), /Restricted file type detected/)
    }
    assert.deepStrictEqual([m.stored(), m.parts(), await m.count()], [[], [], 0])
  })

  test('media: an SVG keeps its size and nothing that acts', async ({ after }) => {
    const m = await serve(binary, after)
    const svg = (text) => m.upload(file('p.svg', 'image/svg+xml', text), payload({ alt: 'x' }))
    for (const text of [SVG('<script>1</script>'), SVG('', 'width="1" height="1" onload="x()"'), SVG('<a href="java&#10;script:x()"/>'),
      SVG('<foreignObject><p/></foreignObject>'), SVG('<style>@im/**/port url(x)</style>'), SVG('<set attributeName="onclick" to="x()"/>'),
      `<!DOCTYPE svg [<!ENTITY a "b">]>${SVG('&a;')}`, `<?xml-stylesheet href="x"?>${SVG('')}`, SVG('<x:script xmlns:x="http://www.w3.org/2000/svg"/>')]) {
      const r = await svg(text)
      assert.deepStrictEqual([text, r.status, messageOf(r)], [text, 400, 'SVG file contains potentially harmful content.'])
    }
    const good = await svg(SVG('<linearGradient id="g"/><rect fill="url(#g)" style="stroke:red"/><style>rect{fill:red}</style>', 'viewBox="0 0 10 5"'))
    assert.deepStrictEqual([good.status, good.json.doc.width, good.json.doc.height, good.json.doc.focalX], [201, 10, 5, null])
    const sent = await m.get(good.json.doc.url)
    assert.match(sent.headers['content-security-policy'], /script-src 'none'.*sandbox/)
  })

  test('media: a file is sent whole, in part, or not at all when it is known', async ({ after }) => {
    const m = await serve(binary, after)
    const { url } = (await m.upload(file('n.txt', 'text/plain', 'hello text file\n'), payload({ alt: 'x' }))).json.doc
    const whole = await m.get(url)
    const { etag, 'last-modified': modified } = whole.headers
    assert.strictEqual(whole.headers['cache-control'], 'public, no-cache')
    const ranges = [['bytes=0-4', 206, 'hello'], ['bytes=-5', 206, 'file\n'], ['bytes=6-', 206, 'text file\n'], ['bytes=-999', 206, 'hello text file\n'],
      ['bytes=0-0,5-6', 206, 'h'], ['bytes=99-,0-1', 206, 'he'], ['bytes=16-', 416, ''], ['bytes=5-2', 416, ''], ['bytes=a-b', 416, ''], ['lines=1-2', 416, ''],
      ['bytes=6-99999999999999999999', 206, 'text file\n'], ['bytes=99999999999999999999-', 416, ''], ['bytes=-0', 416, ''], ['bytes 0-4', 416, '']]
    for (const [range, status, text] of ranges) {
      const r = await m.get(url, { Range: range })
      assert.deepStrictEqual([range, r.status, r.text], [range, status, text])
      if (status === 416) assert.strictEqual(r.headers['content-range'], 'bytes */16')
    }
    const conditions = [[{ 'If-None-Match': etag }, 304], [{ 'If-None-Match': `"x", W/${etag}` }, 304], [{ 'If-None-Match': '*' }, 304], [{ 'If-None-Match': '"x"' }, 200],
      [{ 'If-Modified-Since': modified }, 304], [{ 'If-Modified-Since': modified, 'If-None-Match': '"x"' }, 200],
      [{ Range: 'bytes=0-1', 'If-Range': etag }, 206], [{ Range: 'bytes=0-1', 'If-Range': '"old"' }, 200], [{ Range: 'bytes=0-1', 'If-Range': modified }, 206]]
    for (const [headers, status] of conditions) {
      const r = await m.get(url, headers)
      assert.deepStrictEqual([headers, r.status], [headers, status])
      if (status === 304) assert.strictEqual(r.bytes.length, 0)
    }
    const head = await request(m.server.url + url, { method: 'HEAD', headers: { Range: 'bytes=0-1' } })
    assert.deepStrictEqual([head.status, head.headers['content-length'], head.headers.etag, head.text], [200, '16', etag, ''])
    for (const [at, status] of [['/api/media/file/none', 404], ['/api/media/file/..%2Fsecret', 404], ['/api/media/file/..', 404], ['/api/users/file/n.txt', 404],
      ['/api/media/file/n.txt%00', 404], ['/api/media/file/', 404]]) assert.deepStrictEqual([at, (await request(m.server.url, { path: at })).status], [at, status])
  })

  test('media: a file on the disk that no document names is not sent', async ({ after }) => {
    const m = await serve(binary, after)
    fs.writeFileSync(path.join(m.server.data, 'media', 'stray.txt'), 'x')
    fs.symlinkSync(path.join(m.server.data, 'secret'), path.join(m.server.data, 'media', 'link.txt'))
    assert.strictEqual((await m.get('/api/media/file/stray.txt')).status, 404)
    const taken = await m.upload(file('stray.txt', 'text/plain', 'mine'), payload({ alt: 'x' }))
    assert.strictEqual(taken.json.doc.filename, 'stray-1.txt', 'a file of another program is not replaced')
    const link = await m.upload(file('link.txt', 'text/plain', 'mine'), payload({ alt: 'x' }))
    assert.strictEqual(link.json.doc.filename, 'link-1.txt')
    assert.deepStrictEqual(m.stored(), ['link-1.txt', 'link.txt', 'stray-1.txt', 'stray.txt'])
  })

  test('media: PATCH replaces a file and removes the old one; fields of the server stay the server\'s', async ({ after }) => {
    const m = await serve(binary, after)
    const made = (await m.upload(file('a.png', 'image/png', PNG), payload({ alt: 'x', focalX: 10, focalY: 20.6, filename: 'z', mimeType: 'a/b' }))).json.doc
    assert.deepStrictEqual([made.filename, made.mimeType, made.focalX, made.focalY], ['a.png', 'image/png', 10, 21])
    const patched = await m.send('PATCH', `/api/media/${made.id}`, [file('b.txt', 'text/plain', 'hello')])
    const { filename, mimeType, filesize, width, height, focalX, alt } = patched.json.doc
    assert.deepStrictEqual({ filename, mimeType, filesize, width, height, focalX, alt },
      { filename: 'b.txt', mimeType: 'text/plain', filesize: 5, width: null, height: null, focalX: null, alt: 'x' })
    assert.deepStrictEqual(m.stored(), ['b.txt'])
    assert.strictEqual((await m.get(made.url)).status, 404)
    const same = await m.send('PATCH', `/api/media/${made.id}`, [file('b.txt', 'text/plain', 'again')])
    assert.strictEqual(same.json.doc.filename, 'b-1.txt')
    assert.deepStrictEqual(m.stored(), ['b-1.txt'])
    const plain = await m.api('PATCH', `/api/media/${made.id}`, { focalX: 5, width: 9, url: '/x', filesize: 1, filename: '../x' })
    assert.deepStrictEqual([plain.json.doc.focalX, plain.json.doc.width, plain.json.doc.url, plain.json.doc.filesize], [5, null, '/api/media/file/b-1.txt', 5])
    assert.strictEqual((await m.send('PATCH', '/api/media/999', [file('c.txt', 'text/plain', 'x')])).status, 404)
    assert.strictEqual((await m.send('PATCH', `/api/media/${made.id}`, [file('c.txt', 'text/plain', 'x'), payload({ alt: '' })])).status, 400)
    const bulk = await m.send('PATCH', '/api/media?where[id][exists]=true', [file('c.txt', 'text/plain', 'x')])
    assert.strictEqual(bulk.status, 400)
    assert.deepStrictEqual([m.stored(), m.parts()], [['b-1.txt'], []])
    assert.strictEqual((await m.api('DELETE', `/api/media/${made.id}`)).status, 200)
    assert.deepStrictEqual([m.stored(), await m.count()], [[], 0])
  })

  test('media: a duplicate has a file of its own, and a bulk delete takes all of them', async ({ after }) => {
    const m = await serve(binary, after)
    const made = (await m.upload(file('a.png', 'image/png', PNG), payload({ alt: 'x' }))).json.doc
    const copy = (await m.api('POST', `/api/media/${made.id}/duplicate`, { alt: 'copy' })).json.doc
    assert.deepStrictEqual([copy.alt, copy.filename, copy.url, copy.width, copy.filesize, copy.focalX], ['copy', 'a-1.png', '/api/media/file/a-1.png', 4, PNG.length, 50])
    await m.api('DELETE', `/api/media/${made.id}`)
    assert.ok((await m.get(copy.url)).bytes.equals(PNG))
    fs.unlinkSync(path.join(m.server.data, 'media', 'a-1.png'))
    assert.strictEqual((await m.api('POST', `/api/media/${copy.id}/duplicate`)).status, 409, 'its file is missing')
    for (let i = 0; i < 5; i++) await m.upload(file('b.txt', 'text/plain', `${i}`), payload({ alt: 'x' }))
    assert.strictEqual((await m.api('DELETE', '/api/media?where[id][exists]=true')).json.message, 'Deleted 6 Media successfully.')
    assert.deepStrictEqual([m.stored(), await m.count()], [[], 0])
    const again = await m.upload(file('b.txt', 'text/plain', 'x'), payload({ alt: 'x' }))
    assert.strictEqual(again.json.doc.filename, 'b.txt', 'a name is free again')
  })

  test('media: an upload that is cut off at any byte leaves no row and no file', async ({ after }) => {
    const m = await serve(binary, after)
    const body = multipart(BOUNDARY, [file('a.txt', 'text/plain', 'hello'), payload({ alt: 'x' })])
    const head = `POST /api/media HTTP/1.1\r\nHost: x\r\nAuthorization: JWT ${m.token}\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\nConnection: close\r\n`
    // Ended by the client, and whole by its length but not by its boundary. Behind the closing boundary's dashes it is whole.
    const whole = body.length - 2
    for (let n = 0; n < whole; n++) {
      const short = await raw(m.server.port, [`${head}Content-Length: ${n}\r\n\r\n`, body.subarray(0, n)])
      assert.match(short.text, /^HTTP\/1\.1 400 /, `${n} bytes: ${short.text}`)
    }
    const net = require('node:net')
    const cut = (n) => new Promise((resolve) => {
      const socket = net.connect(m.server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('close', resolve)
      socket.resume()
      socket.write(`${head}Content-Length: ${body.length}\r\n\r\n`)
      socket.end(body.subarray(0, n))
    })
    for (let n = 0; n < body.length; n++) await cut(n)
    assert.deepStrictEqual([m.stored(), m.parts(), await m.count()], [[], [], 0])
    const chunked = await raw(m.server.port, [`${head}Transfer-Encoding: chunked\r\n\r\n`, ...[...body].flatMap((c) => ['1\r\n', Buffer.from([c]), '\r\n']), '0\r\n\r\n'])
    assert.match(chunked.text, /^HTTP\/1\.1 201 /)
    assert.deepStrictEqual([m.stored(), m.parts(), await m.count()], [['a.txt'], [], 1])
  })

  test('media: a file over the limit is 413 and leaves nothing; one of the limit is taken', async ({ after }) => {
    const m = await serve(binary, after, { args: ['--upload-bytes', '100000'] })
    const size = (n) => m.upload(file('a.bin', 'application/octet-stream', Buffer.alloc(n, 1)), payload({ alt: 'x' }))
    assert.strictEqual((await size(100000)).status, 201)
    const over = await size(100001)
    assert.deepStrictEqual([over.status, messageOf(over)], [413, 'A file may be 100000 bytes large.'])
    const other = await m.upload({ name: 'other', filename: 'x', data: Buffer.alloc(4 << 20) }, payload({ alt: 'x' }))
    assert.strictEqual(other.status, 413, 'parts that count for nothing are limited too')
    const json = await m.upload(file('b.bin', 'application/octet-stream', 'x'), payload({ alt: 'x'.repeat(2 << 20) }))
    assert.strictEqual(json.status, 413)
    assert.deepStrictEqual([m.stored(), m.parts(), await m.count()], [['a.bin'], [], 1])
  })

  test('media: a large file costs no memory, up and down', async ({ after }) => {
    const m = await serve(binary, after)
    const peak = () => Number(fs.readFileSync(`/proc/${m.server.pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1])
    const bytes = Buffer.alloc(96 << 20, 7)
    await m.upload(file('small.bin', 'application/octet-stream', bytes.subarray(0, 1 << 20)), payload({ alt: 'x' }))
    const before = peak()
    const made = await m.upload(file('large.bin', 'application/octet-stream', bytes), payload({ alt: 'x' }))
    assert.strictEqual(made.status, 201)
    assert.ok((await m.get(made.json.doc.url)).bytes.equals(bytes))
    assert.ok(peak() - before < 24 << 10, `${peak() - before} KiB more`)
  })

  test('media: files lie where --uploads says, and a file of Payload\'s there is served', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const uploads = path.join(dir, 'files')
    const m = await serve(binary, after, { args: ['--uploads', uploads] })
    const made = (await m.upload(file('a.txt', 'text/plain', 'hello'), payload({ alt: 'x' }))).json.doc
    assert.deepStrictEqual(fs.readdirSync(path.join(uploads, 'media')), ['a.txt'])
    assert.ok(!fs.existsSync(path.join(m.server.data, 'media')))
    fs.writeFileSync(path.join(uploads, 'media', 'a.txt'), 'another program wrote this')
    assert.strictEqual((await m.get(made.url)).text, 'another program wrote this')
    const file_ = path.join(dir, 'file')
    fs.writeFileSync(file_, '')
    const bad = await run(binary, ['--listen', '127.0.0.1:0', '--data', path.join(dir, 'data'), '--uploads', file_])
    assert.notStrictEqual(bad.code, 0)
    assert.match(bad.err, /Cannot (make|open) the folder .*--uploads/)
  })

  test('media: what cannot be removed at a start is told, and keeps nobody from starting', async ({ after }) => {
    const dir = folder()
    after(() => remove(dir))
    const data = path.join(dir, 'data')
    const first = await start(binary, { data })
    await first.stop()
    fs.mkdirSync(path.join(data, 'media', 'stuck.bin'))
    fs.writeFileSync(path.join(data, 'media', 'left.bin'), 'x')
    await run('sqlite3', [path.join(data, 'parley.db'), "INSERT INTO parley_files VALUES ('media', 'left.bin'), ('media', 'stuck.bin')"])
    const second = await start(binary, { data })
    after(() => second.stop())
    assert.match(second.err, /stuck\.bin has no document and stays/)
    assert.deepStrictEqual(fs.readdirSync(path.join(data, 'media')), ['stuck.bin'])
    assert.strictEqual((await request(`${second.url}/api/media/count`)).json.totalDocs, 0)
  })
}
