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
const latencyPlot = { kind: 'percentiles', file: 'latency', title: 'latency from due to received', of: (r) => r.latency }

module.exports = (size) => [
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
    runs: everywhere({ streams: most(10000), missed: 100, timeout: 60 }),
    figures: [
      ['until all have caught up', 's', (r) => r.seconds],
      ['until one has caught up, median', 's', (r) => r.arrival?.p50 / 1000],
      ['streams that caught up', '', (r) => r.ready],
      ['lost, repeated, out of order, refused', '', wrong],
      ['server CPU a stream, user', 'µs', (r) => r.all.user * 1e6 / r.ready],
      ['server CPU a stream, kernel', 'µs', (r) => r.all.kernel * 1e6 / r.ready],
      ['load CPU a stream', 'µs', (r) => r.reading_cpu * 1e6 / r.ready],
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
