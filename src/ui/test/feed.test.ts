import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Feed } from '../src/feed'
import type { Seen } from '../src/snapshot'
import type { Message } from '../src/types'

const ME = 1
const PEER = 2
const THEN = '2024-05-01T10:00:00.000Z'

const message = (id: number, content: string, minute = 0): Message => {
  const time = `2024-05-01T10:${String(minute).padStart(2, '0')}:00.000Z`
  return { id, sender: PEER, receiver: ME, content, timestamp: THEN, createdAt: THEN, updatedAt: time }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 10))

// A feed with what was seen, before a server that answers when it is told to.
async function begin(seen: Message[] | null) {
  const written = new Map<string, () => unknown>()
  const feed = new Feed(ME, {
    read: async <T>() => (seen ? { at: THEN, what: seen as T } : undefined) as Seen<T> | undefined,
    write: (name, look) => void written.set(name, look),
  })
  const answers: ((docs: Message[] | null, more?: boolean) => void)[] = [] // to what has been asked, in that order
  globalThis.fetch = () => new Promise<Response>((resolve, reject) => {
    answers.push((docs, more = false) =>
      docs ? resolve(Response.json({ docs, totalDocs: docs.length, hasNextPage: more })) : reject(new TypeError('no')))
  })
  feed.begin()
  const timeline = feed.open(PEER)
  const read = feed.readNewest(PEER)
  await soon()
  return {
    feed, timeline, read, answers,
    answer: (docs: Message[] | null, more?: boolean) => answers.shift()?.(docs, more),
    kept: () => written.get(`thread ${PEER}`)?.() as Message[] | null,
    shown: () => timeline.get().messages.map(({ content }) => content),
  }
}

test('what was seen is shown until the answer is there, and nothing of it outlives that', async () => {
  const { timeline, read, answer, shown, kept } = await begin([message(1, 'gone'), message(2, 'edited later', 30), message(3, 'stays')])
  assert.deepEqual(shown(), ['gone', 'edited later', 'stays'])
  assert.equal(timeline.get().asOf, THEN)
  assert.equal(kept(), null)
  // The edit is not in the server's data: it went back to an older state.
  answer([message(4, 'new'), message(3, 'stays'), message(2, 'as before', 0)], true)
  await read
  assert.deepEqual(shown(), ['as before', 'stays', 'new'])
  assert.deepEqual([timeline.get().asOf, timeline.get().older], ['', 'more'])
  assert.deepEqual(kept()?.map(({ id }) => id), [2, 3, 4])
})

test('what was seen comes too late where the answer is there', async () => {
  let found: (seen: Seen<Message[]>) => void = () => {}
  const late = new Promise<Seen<Message[]>>((resolve) => { found = resolve })
  const feed = new Feed(ME, { read: <T>() => late as Promise<Seen<T>>, write: () => {} })
  globalThis.fetch = async () => Response.json({ docs: [], totalDocs: 0, hasNextPage: false })
  feed.begin()
  const timeline = feed.open(PEER)
  await feed.readNewest(PEER)
  found({ at: THEN, what: [message(1, 'deleted')] })
  await soon()
  assert.deepEqual([timeline.get().messages, timeline.get().asOf], [[], ''])
})

test('what comes by the stream while all is read anew stays, the newer of two', async () => {
  const { feed, read, answer, shown } = await begin([message(1, 'one'), message(2, 'two')])
  feed.learn([message(2, 'two, edited', 40), message(5, 'five')], true)
  answer([message(4, 'four'), message(2, 'two'), message(1, 'one')])
  await read
  assert.deepEqual(shown(), ['one', 'two, edited', 'four', 'five'])
})

test('without an answer what was seen stays, and is not kept anew as if it were of now', async () => {
  const { timeline, read, answer, shown, kept } = await begin([message(1, 'one')])
  answer(null)
  await read
  assert.deepEqual([shown(), timeline.get().older, timeline.get().asOf], [['one'], 'failed', THEN])
  assert.equal(kept(), null)
})

test('a message that comes while an old one is led to leaves no hole', async () => {
  const { feed, read, answer, shown, timeline, answers } = await begin(null)
  answer([message(500, 'the newest')], true)
  await read
  const around = feed.readAround(PEER, 40)
  await soon()
  feed.learn([message(501, 'news')], true)
  const [before, after] = answers.splice(0)
  before([message(40, 'forty')], true)
  after([message(41, 'one more')], true)
  await around
  assert.deepEqual([shown(), timeline.get().newer], [['forty', 'one more'], 'more'])
})

test('what is told while the last page is under way follows it', async () => {
  const { feed, read, answer, shown, timeline, answers } = await begin(null)
  answer([], false)
  await read
  const around = feed.readAround(PEER, 1)
  await soon()
  const [before, after] = answers.splice(0)
  before([message(1, 'one')])
  after([message(2, 'two')], true)
  await around
  const newer = feed.readNewer(PEER)
  feed.learn([message(4, 'after it was read')], true)
  feed.learn([message(5, 'and not for long')], true)
  feed.forget([5])
  await soon()
  answer([message(3, 'three')])
  await newer
  assert.deepEqual([shown(), timeline.get().newer], [['one', 'two', 'three', 'after it was read'], 'none'])
})

test('an edit that is told while an older page is under way stands', async () => {
  const { feed, read, answer, shown } = await begin(null)
  answer([message(3, 'three')], true)
  await read
  const older = feed.readOlder(PEER)
  feed.learn([message(2, 'two, edited', 40)], true)
  await soon()
  answer([message(2, 'two'), message(1, 'one')])
  await older
  assert.deepEqual(shown(), ['one', 'two, edited', 'three'])
})

test('an end that was dropped for the other one meanwhile is read anew', async () => {
  const run = (from: number, n: number) => Array.from({ length: n }, (_, i) => message(from + i, `${from + i}`))
  const { feed, read, answer, shown, timeline, answers } = await begin(null)
  answer([], false)
  await read
  const around = feed.readAround(PEER, 1000)
  await soon()
  const [before, after] = answers.splice(0)
  before(run(1000, 1), true)
  after(run(1001, 290), true)
  await around
  const newer = feed.readNewer(PEER)
  const older = feed.readOlder(PEER)
  await soon()
  const [above, below] = answers.splice(0).reverse()
  above(run(980, 20).reverse(), true)
  await older
  below(run(1291, 5))
  await newer
  assert.deepEqual([shown().length, shown().at(-1), timeline.get().newer], [280, '1259', 'more'])
})

test('at most the last forty are kept', async () => {
  const { read, answer, kept, feed } = await begin(null)
  answer(Array.from({ length: 40 }, (_, at) => message(100 - at, `${at}`)), true)
  await read
  feed.learn([message(101, 'newest')], true)
  assert.equal(kept()?.length, 40)
  assert.equal(kept()?.at(-1)?.id, 101)
})

test('nothing is read before it is said that one begins, and what is told until then counts', async () => {
  const asked: string[] = []
  globalThis.fetch = async (address) => {
    asked.push(String(address))
    return Response.json({ docs: [message(1, 'one')], totalDocs: 1, hasNextPage: false })
  }
  const feed = new Feed(ME, { read: async () => undefined, write: () => {} })
  const timeline = feed.open(PEER)
  const read = feed.readNewest(PEER)
  await soon()
  assert.deepEqual(asked, [])
  feed.learn([message(1, 'one, edited', 40)], true)
  feed.begin()
  await read
  assert.deepEqual([asked.length, timeline.get().messages.map(({ content }) => content)], [1, ['one, edited']])
})
