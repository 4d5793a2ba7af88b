// What is measured. A case is a row of figures for each of its runs; a run is one load on one fresh server. `goals` are ratios and
// limits, taken within each round.
//
//   runs     { server, name, load, beside, pad, stored, args, warm }: `name` is its column, `load` the options of `parley bench`,
//            `beside` those of another for as long, `pad` bytes more in a message, `stored` messages that the server has already,
//            `args` options of its own, `warm` a path that is asked for once before; or { server, name, stored, opening }: how it opens
//   figures  [label, unit, (result) => number]
//   goals    [label, limit, (column) => number], the limit as '<= 0.5' or '' when there is none; column(name).figure
//   elsewhere  goals that cannot be measured here, with the reason
//   plots    see report.js
'use strict'
const { descriptors } = require('./servers.js')
const { wrong } = require('./summary.js')

// A process holds no more streams than it may open files.
const most = (streams) => Math.min(streams, descriptors - 200)
const n = (number) => number.toLocaleString('en-US')

const cpu = (part) => (r) => (part ? r.all[part] : r.all.user + r.all.kernel) * 1e6 / r.received

const delivery = [
  ['latency, median', 'ms', (r) => r.latency?.p50],
  ['latency, 99th percentile', 'ms', (r) => r.latency?.p99],
  ['latency, longest', 'ms', (r) => r.latency?.max],
  ['POST answered, 99th percentile', 'ms', (r) => r.answer?.p99],
  ['streams ready', '', (r) => r.ready],
  ['messages received', '', (r) => r.received],
  ['lost, repeated, out of order, refused', '', wrong],
  ['server CPU a delivery, user', 'µs', cpu('user')],
  ['server CPU a delivery, kernel', 'µs', cpu('kernel')],
  ['load CPU a delivery, reading', 'µs', (r) => r.reading_cpu * 1e6 / r.received],
  ['bytes a delivery', 'bytes', (r) => r.frame_bytes],
]
const p99 = (column, name) => column(name)['latency, 99th percentile']
const everywhere = (load, pad) =>
  ['parley', 'nchan', 'bare'].map((server) => ({ server, name: server, load: { kind: 'streams', connections: 32, timeout: 30, ...load }, pad }))
const rate = (r) => r.per_second
const requests = [
  ['a second', '', rate],
  ['latency, median', 'ms', (r) => r.latency?.p50],
  ['latency, 99th percentile', 'ms', (r) => r.latency?.p99],
  ['latency, longest', 'ms', (r) => r.latency?.max],
  ['failed', '', wrong],
  ['server CPU each, user', 'µs', (r) => r.all.user * 1e6 / r.answered],
  ['server CPU each, kernel', 'µs', (r) => r.all.kernel * 1e6 / r.answered],
]

// What a request costs that does nothing: the same connections, the same parser and router, a JSON answer, and no look at the
// database. GET /api/users/me by somebody who is not signed in is such a one. The POST is the same route behind Payload's
// X-HTTP-Method-Override: its body, as long as a message, is read and parsed as one is, and then it is that GET. It does not check a
// message's fields, so a durable POST has a little more to do than reading and storing.
const nothing = { path: '/api/users/me', connections: 64 }
const noPost = { ...nothing, kind: 'post', header: 'X-HTTP-Method-Override: GET' }

const lists = {
  'page 1': () => 'limit=10',
  // A thousand messages have a hundred pages: the last of them stands for the thousandth.
  'page 1,000': (stored) => `limit=10&page=${Math.min(1000, stored / 10)}`,
  'of a sender': () => 'limit=10&where[sender][equals]=7',
  'text search': () => 'limit=10&where[content][like]=needle',
}

// What others do meanwhile: an open loop, so that one that waits does not keep the next from being due.
const ordinary = { path: '/api/messages?limit=10', connections: 16, rate: 100 }

const ofStreams = (figure) => (r) => (r.kind === 'streams' ? figure(r) : undefined)
const ofRequests = (figure) => (r) => figure((r.kind === 'get' ? r : r.beside) ?? {})

const latencyPlot = { kind: 'percentiles', file: 'latency', title: 'latency from due to received', of: (r) => r.latency }

const posting = [1, 8, 64, 128, 256, 1000] // connections
const mostStored = 1000000

module.exports = (size) => [
  {
    name: 'keepalive',
    title: '1,000 keep-alive connections, 32 of them posting, and 50 fresh ones a second that post',
    runs: [{ server: 'parley', name: 'parley', load: { kind: 'post', connections: 1000, busy: 32, seconds: size.requests },
      beside: { kind: 'post', connections: 50, rate: 50, fresh: true } }],
    figures: [
      ['POSTs a second', '', rate],
      ['POST, 99th percentile', 'ms', (r) => r.latency?.p99],
      ['connections that starved', '', (r) => r.starved + r.beside.starved],
      ['timeouts', '', (r) => r.errors.timeout + r.beside.errors.timeout],
      ['failed in any way', '', wrong],
      ["a fresh connection's POST, median", 'ms', (r) => r.beside.latency?.p50],
      ["a fresh connection's POST, 99th percentile", 'ms', (r) => r.beside.latency?.p99],
    ],
    goals: [
      ['connections that starved', '<= 0', (c) => c('parley')['connections that starved']],
      ['timeouts', '<= 0', (c) => c('parley').timeouts],
      ["a fresh connection's POST, 99th percentile, ms", '<= 40', (c) => c('parley')["a fresh connection's POST, 99th percentile"]],
    ],
    plots: [],
  },
  {
    name: 'posts',
    title: 'durable POSTs, each connection posting as fast as it is answered',
    runs: [
      ...posting.map((connections) => ({ server: 'parley', name: n(connections), load: { kind: 'post', connections, seconds: size.requests } })),
      { server: 'parley', name: 'no-op, 128', load: { ...noPost, connections: 128, seconds: size.requests } },
      { server: 'payload', name: 'Payload, 64', load: { kind: 'post', connections: 64, seconds: size.requests, timeout: 30 } },
    ],
    figures: requests,
    goals: [
      ['at 128 connections / no-op POSTs at 128', '>= 0.4', (c) => c('128')['a second'] / c('no-op, 128')['a second']],
      // A server that commits one by one: one connection's POSTs, each of which is a commit of its own, since there is no other to share it.
      ['at 256 connections / committing one by one (one connection)', '>= 10', (c) => c('256')['a second'] / c('1')['a second']],
      ["at 64 connections / Payload's", '>= 100', (c) => c('64')['a second'] / c('Payload, 64')['a second']],
    ],
    plots: [
      { kind: 'against', file: 'latency', title: 'latency of a durable POST', xLabel: 'connections', unit: 'milliseconds', x: posting, y: 'logarithmic',
        lines: ['median', '99th percentile'].map((name) => ({ name, figure: `latency, ${name}`, columns: posting.map(n) })) },
      { kind: 'against', file: 'rate', title: 'durable POSTs', xLabel: 'connections', unit: 'POSTs a second', x: posting, y: 'linear',
        lines: [{ name: 'parley', figure: 'a second', columns: posting.map(n) }] },
    ],
  },
  {
    name: 'lists',
    title: 'lists of ten, 64 connections',
    runs: [
      { server: 'parley', name: 'no-op GET', stored: 1000, load: { ...nothing, seconds: size.requests } },
      { server: 'parley', name: 'list', stored: 1000, load: { path: '/api/messages?limit=10', seconds: size.requests } },
      { server: 'parley', name: 'list beside POSTs', stored: 1000, load: { path: '/api/messages?limit=10', seconds: size.requests },
        beside: { kind: 'post', connections: 32, rate: 500 } },
    ],
    figures: [...requests, ['POSTs a second beside', '', (r) => r.beside?.per_second], ['POST, 99th percentile', 'ms', (r) => r.beside?.latency?.p99]],
    goals: [
      ['lists / no-op GETs', '>= 0.95', (c) => c('list')['a second'] / c('no-op GET')['a second']],
      ['lists beside 500 POSTs a second / no-op GETs', '>= 0.6', (c) => c('list beside POSTs')['a second'] / c('no-op GET')['a second']],
    ],
    plots: [{ ...latencyPlot, title: 'latency' }],
  },
  {
    name: 'stored',
    // Answers that are kept in memory (--cache-bytes) would all be as fast; what is found out for one page is kept for the next in any case,
    // which the first answer tells.
    title: 'lists of ten by what is stored, no answers kept, 16 connections',
    runs: Object.entries(lists).flatMap(([name, query]) => size.stored.map((stored) => ({
      server: 'parley', name: `${name}, ${n(stored)}`, stored, args: ['--cache-bytes', '0'], warm: `/api/messages?${query(stored)}`,
      load: { path: `/api/messages?${query(stored)}`, connections: 16, seconds: size.lists, timeout: 60 },
    }))),
    figures: [...requests.slice(0, 5), ['the first answer', 'ms', (r) => r.first_answer]],
    goals: Object.keys(lists).map((name) => [`${name}: at ${n(mostStored)} stored / at 1,000`, '>= 0.8',
      (c) => c(`${name}, ${n(mostStored)}`)['a second'] / c(`${name}, 1,000`)['a second']]),
    plots: [{ kind: 'against', file: 'rate', title: 'lists of ten', xLabel: 'messages stored', unit: 'lists a second', x: size.stored, y: 'linear',
      lines: Object.keys(lists).map((name) => ({ name, figure: 'a second', columns: size.stored.map((stored) => `${name}, ${n(stored)}`) })) }],
  },
  {
    name: 'opening',
    title: 'opening a database of 1,000 messages, then idle',
    runs: [{ server: 'parley', name: 'parley', stored: 1000, opening: 1000 }],
    figures: [
      ['start to first answer', 'ms', (r) => r.first_answer],
      ['resident memory when idle', 'MB', (r) => r.resident_bytes / 1e6],
      ['the program, stripped', 'MB', (r) => r.binary_bytes / 1e6],
    ],
    goals: [['start to first answer, ms', '<= 20', (c) => c('parley')['start to first answer']]],
    elsewhere: ['resident memory when idle ≤ 1.5 MB, and the program ≤ 1 MB: of a static build with musl, without TLS and page'],
    plots: [],
  },
  {
    name: 'steady',
    title: '1,000 streams, 50 messages a second',
    runs: everywhere({ streams: most(1000), rate: 50, seconds: size.seconds }),
    figures: delivery,
    goals: [
      ["99th percentile / nchan's", '', (c) => p99(c, 'parley') / p99(c, 'nchan')],
      ["99th percentile / the bare loop's", '', (c) => p99(c, 'parley') / p99(c, 'bare')],
    ],
    plots: [latencyPlot],
  },
  {
    name: 'wide',
    title: `${n(most(10000))} streams, 5 messages a second`,
    runs: everywhere({ streams: most(10000), rate: 5, seconds: size.seconds }),
    figures: delivery,
    goals: [
      ["99th percentile / nchan's", '<= 0.5', (c) => p99(c, 'parley') / p99(c, 'nchan')],
      ["99th percentile / the bare loop's", '<= 1.15', (c) => p99(c, 'parley') / p99(c, 'bare')],
    ],
    plots: [latencyPlot],
  },
  {
    name: 'idle',
    title: `${n(most(19000))} idle streams, for ${size.idle} seconds`,
    runs: everywhere({ streams: most(19000), connections: 0, seconds: size.idle }).slice(0, 2),
    figures: [
      ['streams ready', '', (r) => r.ready - r.lost],
      ['user memory a stream', 'bytes', (r) => r.user_bytes],
      ['kernel memory a stream: socket, file, epoll', 'bytes', (r) => r.slab_bytes],
      ['kernel memory a stream: buffers', 'bytes', (r) => r.buffer_bytes],
      ['resident, without files', 'MB', (r) => r.memory_bytes / 1e6],
      ['CPU for 10,000 streams, user', '% of a core', (r) => r.posting.user / r.posting.seconds / r.ready * 1e6],
      ['CPU for 10,000 streams, kernel', '% of a core', (r) => r.posting.kernel / r.posting.seconds / r.ready * 1e6],
    ],
    goals: [
      ['user memory a stream, bytes', '<= 256', (c) => c('parley')['user memory a stream']],
      ['CPU for 10,000 idle streams, % of a core', '<= 2',
        (c) => c('parley')['CPU for 10,000 streams, user'] + c('parley')['CPU for 10,000 streams, kernel']],
    ],
    plots: [
      { kind: 'bars', file: 'memory', title: 'memory of a stream', unit: 'bytes',
        parts: { user: 'user memory a stream', kernel: 'kernel memory a stream: socket, file, epoll' } },
      { kind: 'bars', file: 'cpu', title: 'CPU for 10,000 streams', unit: '% of a core',
        parts: { user: 'CPU for 10,000 streams, user', kernel: 'CPU for 10,000 streams, kernel' } },
    ],
  },
  {
    name: 'saturation',
    title: '1,000 streams, as many messages as can be delivered',
    runs: everywhere(
      { streams: most(1000), seconds: size.saturate, window: 512, connections: 64, messages: 400000, timeout: 20 }),
    figures: [
      ['deliveries a second', '', (r) => r.received_while_posting / r.posting.seconds],
      ['messages a second', '', (r) => r.acknowledged / r.posting.seconds],
      ...delivery.filter(([label]) => !label.startsWith('latency') && !label.startsWith('streams')),
    ],
    goals: [
      ["deliveries a second / nchan's", '>= 40', (c) => c('parley')['deliveries a second'] / c('nchan')['deliveries a second']],
      ["deliveries a second / the bare loop's", '', (c) => c('parley')['deliveries a second'] / c('bare')['deliveries a second']],
    ],
    plots: [{ kind: 'bars', file: 'deliveries', title: 'deliveries', unit: 'deliveries a second', parts: { all: 'deliveries a second' } }],
  },
  {
    name: 'stalled',
    title: '300 streams, 100 messages of 1 KB a second, alone and beside 200 stalled',
    runs: ['parley', 'nchan'].flatMap((server) => [0, 200].map((stalled) => ({
      server, name: stalled ? `${server}, 200 stalled` : server, pad: 1000,
      load: { kind: 'streams', connections: 32, timeout: 30, streams: 300, rate: 100, seconds: size.seconds, stalled },
    }))),
    figures: [
      ...delivery.slice(0, 3),
      ['lost, repeated, out of order, refused', '', wrong],
      ['kernel memory a stalled stream', 'KB', (r) => r.stalled_bytes / 1024],
      ['stalled streams still open', '', (r) => r.stalled_open],
    ],
    goals: [
      ['kernel memory a stalled stream, KB', '<= 64', (c) => c('parley, 200 stalled')['kernel memory a stalled stream']],
      ['99th percentile of the healthy, with stalled / without', '', (c) => p99(c, 'parley, 200 stalled') / p99(c, 'parley')],
    ],
    plots: [latencyPlot],
  },
  {
    name: 'storm',
    title: `${n(most(10000))} streams come back at once, each 100 messages behind`,
    runs: [
      ...everywhere({ streams: most(10000), missed: 100, timeout: 60 }),
      { ...everywhere({ streams: most(10000), missed: 100, timeout: 60 })[0], name: 'parley, requests beside', beside: ordinary },
      { server: 'parley', name: 'requests alone', load: { ...ordinary, seconds: size.requests } },
    ],
    figures: [
      ['until all have caught up', 's', ofStreams((r) => r.seconds)],
      ['until one has caught up, median', 's', ofStreams((r) => r.arrival?.p50 / 1000)],
      ['streams that caught up', '', (r) => r.ready],
      ['lost, repeated, out of order, refused', '', wrong],
      ['server CPU a stream, user', 'µs', (r) => r.all.user * 1e6 / r.ready],
      ['server CPU a stream, kernel', 'µs', (r) => r.all.kernel * 1e6 / r.ready],
      ['load CPU a stream', 'µs', (r) => r.reading_cpu * 1e6 / r.ready],
      ['a list of ten, 100 a second: median', 'ms', ofRequests((r) => r.latency?.p50)],
      ['a list of ten, 100 a second: 99th percentile', 'ms', ofRequests((r) => r.latency?.p99)],
      ['a list of ten, 100 a second: longest', 'ms', ofRequests((r) => r.latency?.max)],
    ],
    goals: [
      ['until all have caught up, seconds', '<= 2', (c) => c('parley')['until all have caught up']],
      ["the same / nchan's", '', (c) => c('parley')['until all have caught up'] / c('nchan')['until all have caught up']],
    ],
    plots: [{ kind: 'arrivals', file: 'arrivals', title: 'streams that have caught up', of: (r) => r.arrival }],
  },
  {
    name: 'resume',
    title: 'resuming the last 100 changes, 16 streams at a time',
    runs: [1000, 1000000].map((stored) => ({
      server: 'parley', name: `${n(stored)} stored`, stored,
      load: { kind: 'streams', connections: 32, streams: size.resumes, missed: 100, 'at-once': 16, timeout: size.patience },
    })),
    figures: [
      ['resumes a second', '', (r) => r.ready / r.seconds],
      [`streams that caught up, of ${n(size.resumes)} within ${size.patience} s`, '', (r) => r.ready],
      ['connect to caught up, median', 'ms', (r) => r.opening?.p50],
      ['connect to caught up, 99th percentile', 'ms', (r) => r.opening?.p99],
      ['lost, repeated, out of order, refused', '', wrong],
    ],
    goals: [
      ['resumes a second at 1,000,000 / at 1,000', '>= 0.8',
        (c) => c('1,000,000 stored')['resumes a second'] / c('1,000 stored')['resumes a second']],
    ],
    plots: [{ kind: 'percentiles', file: 'opening', title: 'time from connect to caught up', of: (r) => r.opening }],
  },
]
