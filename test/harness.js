// What the tests share: a real server on a free port with a data folder of its own, plain requests, raw sockets, streams.
'use strict'
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')

// What a child needs of this environment; the rest could hold options of Parley's.
const tools = Object.fromEntries(['PATH', 'TSAN_OPTIONS', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'].filter((k) => k in process.env).map((k) => [k, process.env[k]]))

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// What is left of servers and folders goes with this process, however it ends.
const children = new Set()
const folders = new Set()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const dir of folders) fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

function folder() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-test-'))
  folders.add(dir)
  return dir
}

function remove(dir) {
  fs.rmSync(dir, { recursive: true, force: true })
  folders.delete(dir)
}

// Certificates that requests and streams to https://… believe in.
const trusted = []
const trust = (pem) => { trusted.push(pem) }
const speaker = (url) => url.startsWith('https:') ? https : http

function launch(binary, args, options) {
  const child = spawn(binary, args, options)
  children.add(child)
  child.on('close', () => children.delete(child))
  return child
}

// Nothing takes a minute to end; what does is killed, and its end tells.
function impatiently(child) {
  const timer = setTimeout(() => child.kill('SIGKILL'), 60000)
  child.on('close', () => clearTimeout(timer))
}

// Runs the program to its end: { code, signal, out, err }.
function run(binary, args, { env = {}, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = launch(binary, args, { env: { ...tools, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    impatiently(child)
    let out = '', err = ''
    child.stdout.on('data', (d) => { out += d })
    child.stderr.on('data', (d) => { err += d })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, out, err }))
    child.stdin.end(input)
  })
}

// A server that serves when the promise is done. `data` is removed by stop() unless it was given; `listen: null` leaves the place to the
// environment. `port` and `url` are those of the first of its `addresses`. stop() fails when the server did not end well, unless it was killed.
async function start(binary, { args = [], data, env = {}, cwd, port = 0, listen = `127.0.0.1:${port}` } = {}) {
  const dir = data || folder()
  const server = { data: dir, out: '', err: '' }
  const child = launch(binary, [...(listen ? ['--listen', listen] : []), '--data', dir, '--log-level', 'warning', ...args],
    { env: { ...tools, PARLEY_DRAIN: '0', ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
  const release = () => { if (!data) remove(dir) }
  child.stderr.on('data', (d) => { server.err += d })
  try {
    server.addresses = await new Promise((resolve, reject) => {
      child.stdout.on('data', (d) => {
        server.out += d
        const found = server.out.match(/https?:\/\/[^\s]*:\d+(?=\n)/g)
        if (found) resolve(found)
      })
      child.on('error', reject)
      child.on('close', () => reject(new Error(`the server ended: ${server.err}`)))
    })
  } catch (error) {
    release()
    throw error
  }
  const [scheme, port_] = server.addresses[0].match(/^\w+|\d+$/g)
  server.port = Number(port_)
  server.url = `${scheme}://127.0.0.1:${server.port}`
  server.pid = child.pid
  let killed = false
  server.kill = (signal = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) {
      killed = signal === 'SIGKILL'
      child.kill(signal)
      impatiently(child)
    }
    return ended
  }
  server.stop = async () => {
    const end = await server.kill()
    release()
    if (end.code !== 0 && !killed) throw new Error(`the server ended with ${end.code ?? end.signal}: ${server.err}`)
    return end
  }
  return server
}

// { status, headers, bytes, text, json }. A `path` is sent as it is, in place of the address's.
function request(url, { method = 'GET', path, headers = {}, body, agent = false } = {}) {
  const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const own = text === undefined ? {} : { 'Content-Length': Buffer.byteLength(text) }
  if (text !== undefined && text !== body) own['Content-Type'] = 'application/json'
  return new Promise((resolve, reject) => {
    const req = speaker(url).request(url, { method, headers: { ...own, ...headers }, agent, ca: trusted, ...(path && { path }) }, (res) => {
      const chunks = []
      res.on('data', (c) => chunks.push(c))
      res.on('error', reject)
      res.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const all = bytes.toString()
        resolve({ status: res.statusCode, headers: res.headers, bytes, text: all, json: json(all) })
      })
    })
    req.setTimeout(30000, () => req.destroy(new Error('no answer in 30 s')))
    req.on('error', reject)
    req.end(text)
  })
}

const ADMIN = { email: 'admin@example.com', password: 'admin-pass-1' }

// The first user: { id, token }.
async function admin(url) {
  const r = await request(`${url}/api/users/first-register`, { method: 'POST', body: ADMIN })
  return { id: r.json.user.id, token: r.json.token }
}

const say = (url, content, more = {}) =>
  request(`${url}/api/messages`, { method: 'POST', body: { sender: 1, receiver: 1, content, ...more } })

// A body of multipart/form-data: parts are { name, data } and, for files, filename and type.
const multipart = (boundary, parts) => Buffer.concat([
  ...parts.flatMap(({ name, filename, type, data }) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n` +
      `${type ? `Content-Type: ${type}\r\n` : ''}\r\n`), Buffer.from(data), Buffer.from('\r\n')]),
  Buffer.from(`--${boundary}--\r\n`)])

// Bytes over a raw connection until the server closes it, or until `done(text)`.
function raw(port, bytes, done) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    let text = '', closed = false
    const end = () => { socket.destroy(); resolve({ text, closed }) }
    socket.setTimeout(20000, () => { socket.destroy(); reject(new Error(`no end after ${JSON.stringify(text.slice(0, 300))}`)) })
    socket.on('data', (d) => { text += d; if (done && done(text)) end() })
    socket.on('error', () => {}) // a reset behind the answer is a close
    socket.on('close', () => { closed = true; end() })
    for (const part of [].concat(bytes)) socket.write(part)
  })
}

// An EventSource of a few lines: s.events is all that came; s.until(test) waits for it.
function stream(url, headers = {}) {
  return new Promise((resolve, reject) => {
    const s = { events: [], raw: '', lastId: undefined, closed: false, waiting: [] }
    const look = () => { s.waiting = s.waiting.filter((w) => !w()) }
    s.until = (test, what = 'an event', within = 15000) => new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`${what} did not come; came: ${s.raw.slice(-600)}`)), within)
      const try_ = () => {
        const found = test(s)
        if (found) { clearTimeout(timer); done(found) } else if (s.closed) { clearTimeout(timer); failed(new Error(`closed before ${what}`)) }
        return found || s.closed
      }
      if (!try_()) s.waiting.push(try_)
    })
    s.of = (name) => s.events.filter((e) => e.event === name)
    s.first = (name) => s.until(() => s.of(name)[0], `the event ${name}`)
    // The documents of all `message` events, once there are n of them.
    s.docs = (n) => s.until(() => { const all = s.of('message').flatMap((e) => e.json); return all.length >= n && all }, `${n} documents`)
    const req = speaker(url).get(url, { headers: { Accept: 'text/event-stream', ...headers }, agent: false, ca: trusted }, (res) => {
      let rest = '', event = '', data = []
      s.status = res.statusCode
      s.headers = res.headers
      res.setEncoding('utf8')
      res.on('data', (d) => {
        s.raw += d
        const lines = (rest + d).split('\n')
        rest = lines.pop()
        for (const line of lines) {
          if (line === '') {
            if (data.length) s.events.push({ event: event || 'message', id: s.lastId, json: json(data.join('\n')), data: data.join('\n') })
            event = ''
            data = []
            continue
          }
          const [, field, value] = line.match(/^([^:]*):? ?(.*)$/)
          if (field === 'event') event = value
          else if (field === 'data') data.push(value)
          else if (field === 'id') s.lastId = value
        }
        look()
      })
      const over = () => { s.closed = true; look() }
      res.on('error', over)
      res.on('close', over)
      resolve(s)
    })
    req.on('error', (error) => { s.closed = true; look(); reject(error) })
    s.close = () => req.destroy()
  })
}

function json(text) {
  try { return JSON.parse(text) } catch { return undefined }
}

// ---- a test runner of a few lines: test(name, body) registers, report() runs all and prints "N passed, N failed" -------------

const tests = []
const test = (name, body) => tests.push({ name, body })

// Ends a test that cannot be done here; it is told, and counts as neither.
class Skipped extends Error {}
const skip = (why) => { throw new Skipped(why) }

async function report({ extra = { passed: 0, failed: 0 } } = {}) {
  let { passed, failed } = extra
  for (const { name, body } of tests) {
    const cleanups = []
    let failure
    const keep = (error) => { failure ??= error }
    try {
      await body({ after: (f) => cleanups.push(f) })
    } catch (error) {
      keep(error)
    }
    for (const f of cleanups.reverse()) {
      try {
        await f()
      } catch (error) {
        keep(error)
      }
    }
    if (failure instanceof Skipped) console.log(`skipped  ${name}: ${failure.message}`)
    else if (failure) {
      failed++
      console.log(`FAIL ${name}\n     ${String(failure.stack || failure).replace(/\n/g, '\n     ')}`)
    } else passed++
  }
  // A server that a failed test left behind would keep this process.
  for (const child of children) child.kill('SIGKILL')
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed || !passed ? 1 : 0
}

module.exports = { trust, sleep, folder, remove, launch, run, start, request, admin, ADMIN, say, multipart, raw, stream, json, test, skip, report }
