import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachmentsOf, linkOf } from '../src/attachment'
import { preview } from '../src/preview'

const media = (filename: string, width: number | null = null, height: number | null = null) =>
  ({ id: 1, alt: '', url: '', filename, mimeType: '', filesize: 1, width, height })

test('what is written as a link is read as the file it was', () => {
  for (const name of ['a.png', 'ä b.png', '(1).png', '[x].png', 'back\\slash.png', '#?%.png', '100%.png', 'a]b(c.png']) {
    const { files, text } = attachmentsOf(`before\n${linkOf(media(name, 640, 400), name)}\nbehind`)
    assert.equal(text, 'before\nbehind', name)
    assert.deepEqual(files, [{ name, path: `api/media/file/${encodeURIComponent(name).replace(/[()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`, picture: { width: 640, height: 400 }, bytes: 0 }])
  }
})

test('of a file that is no picture, or none whose size is known, the bytes are told', () => {
  for (const link of [linkOf(media('a.pdf', 10, 10), 'a.pdf'), linkOf(media('a.png'), 'a.png')]) {
    const [{ picture, bytes }] = attachmentsOf(link).files
    assert.deepEqual([picture, bytes], [null, 1])
  }
  assert.equal(attachmentsOf('[a.pdf](/api/media/file/a.pdf)').files[0].bytes, 0)
})

test('only a line of its own that leads to the server’s files is one', () => {
  const texts = ['see [a](/api/media/file/a.png)', '[a](/api/media/file/)', '[a](/api/media/file/../x)', '[a](https://example.com/api/media/file/a.png)', '[a](/api/users/1)', '[](/api/media/file/a.png)']
  for (const text of texts) assert.deepEqual(attachmentsOf(text), { files: [], text }, text)
})

test('a description keeps to one line', () => {
  assert.equal(linkOf(media('a.txt'), 'two\nlines'), '[two lines](/api/media/file/a.txt#1)')
})

test('a preview is one line without markup', () => {
  const of = (content: string) => preview({ content })
  assert.equal(of('**bold** and *it* and `code`'), 'bold and it and code')
  assert.equal(of('> quoted\n\n- one\n- two'), 'quoted one two')
  assert.equal(of('```sh\nls\n```'), 'ls')
  assert.equal(of('[text](https://example.com)'), 'text')
  assert.equal(of('2 * 3 = 6'), '2 * 3 = 6')
  assert.equal(of('[a](/api/media/file/a.png#4x3)'), 'Picture')
  assert.equal(of('[a.pdf](/api/media/file/a.pdf)'), 'File: a.pdf')
  assert.equal(of('[a](/api/media/file/a.png#4x3)\nlook'), 'look')
  assert.equal(of('x'.repeat(9999)).length, 200)
})
