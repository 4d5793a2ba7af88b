// GET /api/parley/metrics: Prometheus' text format, and counts that are true.
'use strict'
const assert = require('node:assert')
const { start, request, admin, say, stream, raw, sleep, test } = require('../harness.js')

// The format's grammar, line by line: each metric's HELP, then its TYPE, then its samples. { name: { type, samples: { labels: number } } }
function parse(text) {
  const metrics = {}
  let current
  assert.ok(text.endsWith('\n'))
  for (const line of text.slice(0, -1).split('\n')) {
    const help = line.match(/^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)+)$/)
    const type = line.match(/^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/)
    const sample = line.match(/^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*")\})? (-?\d+(?:\.\d+)?)$/)
    if (help) {
      assert.ok(!(help[1] in metrics), `${help[1]} twice`)
      current = metrics[help[1]] = { samples: {} }
      current.name = help[1]
    } else if (type) {
      assert.ok(current.name === type[1] && !current.type, line)
      current.type = type[2]
    } else {
      assert.ok(sample, `what is ${JSON.stringify(line)}?`)
      const [, name, labels = '', value] = sample
      assert.ok(current.name === name && current.type && !(labels in current.samples), line)
      current.samples[labels] = Number(value)
    }
  }
  return metrics
}

const NAMES = ['parley_build_info', 'process_start_time_seconds', 'process_resident_memory_bytes', 'process_open_fds', 'parley_requests_total', 'parley_connections',
  'parley_connections_waiting', 'parley_connections_accepted_total', 'parley_connections_refused_total', 'parley_streams',
  'parley_streams_opened_total', 'parley_streams_refused_total', 'parley_streams_closed_total', 'parley_users_online', 'parley_changes_total']

module.exports = (binary) => {
  let server
  const read = async () => parse((await request(`${server.url}/api/parley/metrics`)).text)
  const value = (metrics, name, labels = '') => metrics[name].samples[labels]
  // By how much each sample named has moved while `act` ran.
  const moved = async (act, samples) => {
    const before = await read()
    await act()
    const after = await read()
    return samples.map(([name, labels]) => value(after, name, labels) - value(before, name, labels))
  }
  const code = (digit) => ['parley_requests_total', `code="${digit}xx"`]

  test('metrics: the text keeps the grammar, and counters are named as counters', async () => {
    server = await start(binary, { args: ['--max-streams', '1'] })
    const answer = await request(`${server.url}/api/parley/metrics`)
    assert.deepStrictEqual([answer.status, answer.headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8'])
    assert.strictEqual(answer.headers['cache-control'], 'no-store')
    const metrics = parse(answer.text)
    assert.deepStrictEqual(Object.keys(metrics), NAMES)
    for (const { name, type, samples } of Object.values(metrics)) {
      assert.strictEqual(type, /_total$/.test(name) ? 'counter' : 'gauge', name)
      assert.ok(Object.values(samples).length > 0, name)
    }
    const head = await request(`${server.url}/api/parley/metrics`, { method: 'HEAD' })
    assert.deepStrictEqual([head.status, head.text, head.headers['content-type']], [200, '', answer.headers['content-type']])
    assert.strictEqual((await request(`${server.url}/api/parley/metrics`, { method: 'POST', body: {} })).status, 404)
  })

  test('metrics: what the process is', async () => {
    const metrics = await read()
    assert.deepStrictEqual(Object.keys(metrics.parley_build_info.samples), ['version="0.1.0"'])
    const age = Date.now() / 1000 - value(metrics, 'process_start_time_seconds')
    assert.ok(age > -5 && age < 600, `${age} s old`)
    assert.ok(value(metrics, 'process_resident_memory_bytes') > 1e6)
    assert.ok(value(metrics, 'process_open_fds') > 5)
  })

  test('metrics: requests are counted by how they were answered', async () => {
    const samples = [2, 3, 4, 5].map(code)
    await admin(server.url)
    // The first reading itself is the one more among the good ones.
    assert.deepStrictEqual(await moved(() => request(`${server.url}/api/messages`), samples), [2, 0, 0, 0])
    assert.deepStrictEqual(await moved(() => request(`${server.url}/nothing`), samples), [1, 0, 1, 0])
    assert.deepStrictEqual(await moved(() => raw(server.port, 'nonsense\r\n\r\n'), samples), [1, 0, 1, 0])
    const { etag } = (await request(`${server.url}/api/messages`)).headers
    assert.deepStrictEqual(await moved(() => request(`${server.url}/api/messages`, { headers: { 'If-None-Match': etag } }), samples), [1, 1, 0, 0])
  })

  test('metrics: changes are those of the log', async () => {
    assert.deepStrictEqual(await moved(async () => {
      const { id } = (await say(server.url, 'one')).json.doc
      await request(`${server.url}/api/messages/${id}`, { method: 'DELETE' })
    }, [['parley_changes_total', '']]), [2])
  })

  test('metrics: streams that are open, were opened, and were turned away', async ({ after }) => {
    const samples = [['parley_streams', ''], ['parley_streams_opened_total', ''], ['parley_streams_refused_total', 'reason="max-streams"'],
      ['parley_streams_refused_total', 'reason="max-streams-per-ip"'], code(2), code(5)]
    let s
    assert.deepStrictEqual(await moved(async () => {
      s = await stream(`${server.url}/api/messages/sse`)
      after(s.close)
      await s.first('hello')
      for (let i = 0; i < 2; i++) assert.strictEqual((await request(`${server.url}/api/messages/sse`)).status, 503)
    }, samples), [1, 1, 2, 0, 2, 2])
    s.close()
    for (const end = Date.now() + 15000; value(await read(), 'parley_streams');) {
      assert.ok(Date.now() < end, 'the stream is still counted')
      await sleep(50)
    }
    assert.deepStrictEqual(await server.stop(), { code: 0, signal: null })
  })
}
