// The servers that are measured. Each starts on a port of its own on loopback, in a folder of its own, and is
// { url, subscribe, publish, body, version, pids(), stop() }: `body` is what is posted, with a '#' where a message's mark goes. All
// that have streams send about as many bytes for a message: Parley makes a message's event itself, the others get its text ready-made.
'use strict'
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { execFileSync } = require('node:child_process')
const harness = require('../harness.js')

const top = path.join(__dirname, '../..')
const out = path.join(top, 'build/bench')
const work = path.join(out, 'work') // on a disk, which the folder for temporary files may not be
const binary = path.join(top, 'build/release/parley')
const packages = path.join(top, 'test/api/node_modules')
const original = path.join(top, 'test/api/original/server.mjs')
const descriptors = Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/Max open files +\S+ +(\d+)/)?.[1] ?? 1024)
const threads = 2 // that send: Parley's default

let folders = 0
function folder() {
  const dir = path.join(work, `${process.pid}-${folders++}`)
  fs.mkdirSync(dir, { recursive: true })
  return dir
}
const remove = (dir) => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 })

// ---- Parley

const register = async (url) => {
  const { id } = await harness.admin(url)
  if (id !== 1) throw new Error(`the first user has the id ${id}`)
}

// A database with so many messages of a hundred users, written as another program would and taken over by a start. Ten of the first
// thousand hold the word that is searched for.
const stored = new Map() // how many -> folder
async function store(count) {
  if (stored.has(count)) return stored.get(count)
  const data = folder()
  let server = await harness.start(binary, { data })
  await register(server.url)
  await server.stop()
  const at = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
  execFileSync('sqlite3', [path.join(data, 'parley.db'),
    `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
     INSERT INTO users (id, email, updated_at, created_at) SELECT i, 'user' || i || '@example.com', ${at}, ${at} FROM n;
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO messages (sender_id, receiver_id, content, timestamp, updated_at, created_at)
     SELECT 1 + i % 100, 1 + i / 100 % 100, 'message ' || i || iif(i <= 1000 AND i % 100 = 0, ' needle', ''), ${at}, ${at}, ${at} FROM n`])
  server = await harness.start(binary, { data })
  await server.stop()
  stored.set(count, data)
  return data
}

// A small one is copied, so that each run finds the same; a large one is only read from, or gets a few messages more.
async function dataFor(count) {
  if (!count) return { data: folder(), own: true }
  const kept = await store(count)
  if (count > 10000) return { data: kept, own: false }
  const data = folder()
  fs.cpSync(kept, data, { recursive: true })
  return { data, own: true }
}

const message = (pad) => JSON.stringify({ sender: 1, receiver: 1, content: `#${pad}` })

async function parley({ pad = '', stored: count, args }) {
  const { data, own } = await dataFor(count)
  const server = await harness.start(binary, { data, args })
  if (!count) await register(server.url)
  return {
    url: server.url,
    subscribe: '/api/messages/sse?limit=0',
    publish: '/api/messages',
    body: message(pad),
    version: execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim(),
    pids: () => family(server.pid),
    stop: async () => { await server.stop(); if (own) remove(data) },
  }
}

// ---- the original, on a database that Parley has made, with the journal that the original makes: its default is not WAL

async function payload({ pad = '' }) {
  const data = folder()
  const env = { PAYLOAD_SECRET: 'one secret for both', NODE_ENV: 'production' }
  const first = await harness.start(binary, { data, env })
  await register(first.url)
  await first.stop()
  execFileSync('sqlite3', [path.join(data, 'parley.db'), 'PRAGMA journal_mode = DELETE'])
  const server = await harness.start(original, { data, env })
  return {
    url: server.url,
    publish: '/api/messages',
    body: message(pad),
    version: `Payload ${require(path.join(packages, 'payload/package.json')).version}, Node.js ${process.version}`,
    pids: () => family(server.pid),
    stop: async () => { await server.stop(); remove(data) },
  }
}

// What Parley makes of that.
const event = (pad) => {
  const user = { id: 1, email: harness.ADMIN.email, collection: 'users' }
  const at = '2025-01-01T00:00:00.000Z'
  return JSON.stringify([{ id: 1, sender: user, receiver: user, content: `#${pad}`, timestamp: at, updatedAt: at, createdAt: at }])
}

// ---- nchan, in nginx; in memory

const configuration = (dir, port) => `load_module ${process.env.BENCH_NCHAN}usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
worker_processes ${os.cpus().length};
worker_rlimit_nofile ${descriptors};
pid ${dir}/pid;
error_log ${dir}/error.log warn;
events { worker_connections ${Math.min(descriptors, 65536)}; }
http {
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 100000000;
  nchan_shared_memory_size 512M;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} backlog=4096 reuseport;
    location = /publish {
      nchan_publisher;
      nchan_channel_id bench;
      nchan_message_buffer_length 10000;
      nchan_message_timeout 10m;
      client_body_buffer_size 64k;
    }
    location = /subscribe {
      nchan_subscriber eventsource;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
      nchan_eventsource_ping_interval 15;
    }
    location = /status { nchan_stub_status; }
  }
}
`

const freePort = () => new Promise((resolve, reject) => {
  const server = net.createServer().on('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

async function nchan({ pad }) {
  const dir = folder()
  const port = await freePort()
  fs.writeFileSync(`${dir}/nginx.conf`, configuration(dir, port))
  const log = `${dir}/error.log`
  const child = harness.launch(`${process.env.BENCH_NCHAN}usr/sbin/nginx`, ['-e', log, '-c', `${dir}/nginx.conf`], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.on('error', () => {}) // it is not there: the status does not answer either
  let status
  for (let i = 0; !status; i++) {
    await harness.sleep(50)
    status = await harness.request(`http://127.0.0.1:${port}/status`).catch(() => {})
    if (!status && (i > 100 || child.exitCode !== null)) throw new Error(`nginx does not start: ${fs.readFileSync(log, 'utf8')}`)
  }
  const pids = family(child.pid)
  const killWorkers = () => { for (const pid of pids.slice(1)) try { process.kill(pid, 'SIGKILL') } catch { /* gone */ } }
  process.on('exit', killWorkers)
  return {
    url: `http://127.0.0.1:${port}`,
    subscribe: '/subscribe',
    publish: '/publish',
    body: event(pad),
    version: `nchan ${status.text.match(/nchan version: (\S+)/)?.[1]}, nginx ${status.headers.server?.split('/')[1]}`,
    pids: () => pids,
    stop: async () => {
      child.kill('SIGTERM')
      await Promise.race([ended, harness.sleep(10000).then(() => { child.kill('SIGKILL'); killWorkers() })])
      process.off('exit', killWorkers)
      remove(dir)
    },
  }
}

// ---- the bare loop

async function bare({ pad }) {
  const child = harness.launch(path.join(out, 'bare'), [String(threads)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const port = await new Promise((resolve, reject) => {
    child.stdout.once('data', (d) => resolve(Number(d)))
    child.once('close', () => reject(new Error('the bare loop does not start')))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    subscribe: '/',
    publish: '/',
    body: event(pad),
    version: `send() in ${threads} threads`,
    pids: () => [child.pid],
    stop: () => { child.kill('SIGTERM'); return ended },
  }
}

// A process and those that it started.
function family(pid) {
  const parent = (other) => {
    try {
      return Number(fs.readFileSync(`/proc/${other}/stat`, 'utf8').match(/.*\) \S+ (\d+)/s)[1])
    } catch {
      return 0 // gone meanwhile
    }
  }
  return [pid, ...fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parent(name) === pid).map(Number)]
}

// ---- the load

// A load that is under way: `ended` becomes its result, stop() ends it early. `options`: those of `parley bench`; `path`: of the URL.
function begin(server, { path: where, ...options }) {
  const all = { processes: server.pids().join(), ...options }
  if (options.kind === 'streams') Object.assign(all, { publish: server.publish, body: server.body })
  if (options.kind === 'post') all.body = options.body ?? server.body
  const place = where ?? (options.kind === 'streams' ? server.subscribe : server.publish)
  const words = Object.entries(all).flatMap(([name, value]) => value === true ? [`--${name}`] : [`--${name}`, String(value)])
  const child = harness.launch(binary, ['bench', server.url + place, '--json', '--quiet', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = '', told = ''
  child.stdout.on('data', (d) => { text += d })
  child.stderr.on('data', (d) => { told += d })
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const result = harness.json(text)
      if (result) resolve(result)
      else reject(new Error(`parley bench ended with ${code}: ${told}`))
    })
  })
  ended.catch(() => {}) // whoever waits for it is told
  return { ended, stop: () => child.kill('SIGINT') }
}

// What opening an existing database takes: from the program's start to its first answer, and its memory when idle.
async function opening({ stored: count }, pause) {
  const { data } = await dataFor(count)
  const began = process.hrtime.bigint()
  const server = await harness.start(binary, { data })
  const { status } = await harness.request(`${server.url}/api/messages?limit=10`)
  const first = Number(process.hrtime.bigint() - began) / 1e6
  if (status !== 200) throw new Error(`the first answer is ${status}`)
  await harness.sleep(pause)
  const resident = Number(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8').match(/VmRSS:\s*(\d+)/)[1]) * 1024
  await server.stop()
  remove(data)
  const stripped = path.join(work, 'stripped')
  execFileSync('strip', ['-o', stripped, binary])
  return { first_answer: first, resident_bytes: resident, binary_bytes: fs.statSync(stripped).size }
}

const servers = { parley, nchan, bare, payload }
if (!process.env.BENCH_NCHAN) delete servers.nchan
if (!fs.existsSync(path.join(packages, 'payload'))) delete servers.payload

module.exports = { servers, begin, opening, work, out, top, descriptors, remove }
