// node player.js [--order] [-v] BASE_URL FILE... : runs recorded scenarios (format: cases/README.md) against a server. No dependencies.
// --order also checks the order of JSON keys; -v prints passing cases too.
'use strict'
const http = require('node:http'), fs = require('node:fs'), path = require('node:path')
const ADMIN = { email: 'admin@example.com', password: 'admin-pass-1' }
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const kinds = {
  '<any>': () => true,
  '<iso>': (v) => typeof v === 'string' && ISO.test(v),
  '<int>': (v) => Number.isInteger(v),
  '<number>': (v) => typeof v === 'number',
  '<string>': (v) => typeof v === 'string' && v.length > 0,
  '<token>': (v) => typeof v === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(v),
  '<uuid>': (v) => typeof v === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(v),
}
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))

// "${x}" alone keeps the variable's type; inside a longer string it is text.
function fill(v, vars) {
  if (typeof v === 'string') {
    const whole = v.match(/^\$\{([\w.]+)\}$/)
    if (whole) return whole[1] in vars ? vars[whole[1]] : v
    return v.replace(/\$\{([\w.]+)\}/g, (m, k) => (k in vars ? String(vars[k]) : m))
  }
  if (Array.isArray(v)) return v.map((x) => fill(x, vars))
  if (v && typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([k, x]) => [fill(k, vars), fill(x, vars)]))
  return v
}

function diff(want, got, at, out, order) {
  if (typeof want === 'string') {
    if (kinds[want]) { if (!kinds[want](got)) out.push(`${at}: want ${want}, got ${JSON.stringify(got)}`); return }
    const re = want.match(/^<re:([^]*)>$/)
    if (re) { if (typeof got !== 'string' || !new RegExp(re[1]).test(got)) out.push(`${at}: want /${re[1]}/, got ${JSON.stringify(got)}`); return }
  }
  if (Array.isArray(want)) {
    if (!Array.isArray(got)) return void out.push(`${at}: want an array, got ${JSON.stringify(got)}`)
    if (want.length !== got.length) out.push(`${at}: want ${want.length} items, got ${got.length}: ${JSON.stringify(got).slice(0, 300)}`)
    for (let i = 0; i < Math.min(want.length, got.length); i++) diff(want[i], got[i], `${at}[${i}]`, out, order)
    return
  }
  if (want && typeof want === 'object') {
    if (!got || typeof got !== 'object' || Array.isArray(got)) return void out.push(`${at}: want an object, got ${JSON.stringify(got)}`)
    const a = Object.keys(want).filter((k) => k !== '<more>'), b = Object.keys(got)
    for (const k of a) if (!(k in got)) out.push(`${at}.${k}: missing (want ${JSON.stringify(want[k])})`); else diff(want[k], got[k], `${at}.${k}`, out, order)
    if (!('<more>' in want)) for (const k of b) if (!(k in want)) out.push(`${at}.${k}: not wanted (got ${JSON.stringify(got[k])})`)
    if (order && !out.length && a.filter((k) => b.includes(k)).join() !== b.filter((k) => a.includes(k)).join()) out.push(`${at}: key order want ${a}, got ${b}`)
    return
  }
  if (want !== got) out.push(`${at}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`)
}

function encode(step) {
  const headers = { ...(step.headers || {}) }
  const has = (h) => Object.keys(headers).some((k) => k.toLowerCase() === h)
  let body
  if (step.multipart) {
    const b = 'parley-replay-boundary'
    const parts = []
    for (const p of step.multipart) {
      let h = `--${b}\r\nContent-Disposition: form-data; name="${p.name}"`
      if (p.filename !== undefined) h += `; filename="${p.filename}"\r\nContent-Type: ${p.type || 'application/octet-stream'}`
      const data = p.base64 !== undefined ? Buffer.from(p.base64, 'base64') : Buffer.from(typeof p.value === 'string' ? p.value : JSON.stringify(p.value))
      parts.push(Buffer.from(h + '\r\n\r\n'), data, Buffer.from('\r\n'))
    }
    parts.push(Buffer.from(`--${b}--\r\n`))
    body = Buffer.concat(parts)
    if (!has('content-type')) headers['Content-Type'] = `multipart/form-data; boundary=${b}`
  } else if (step.raw !== undefined) {
    body = Buffer.from(step.repeat ? step.raw.replace('<repeat>', step.repeat[0].repeat(step.repeat[1])) : step.raw)
  } else if (step.body !== undefined) {
    body = Buffer.from(JSON.stringify(step.body))
    if (!has('content-type')) headers['Content-Type'] = 'application/json'
  }
  if (body) headers['Content-Length'] = body.length
  return { headers, body }
}

async function send(base, step, onResponse) {
  const { headers, body } = encode(step)
  const u = new URL(base)
  if (step.method !== 'GET') await sleep(3) // so that creation times differ by at least a millisecond
  return new Promise((resolve, reject) => {
    const req = http.request({ host: u.hostname, port: u.port, path: step.path, method: step.method || 'GET', headers, agent: false })
    req.setTimeout(30000, () => req.destroy(new Error('no answer in 30 s')))
    req.on('error', reject)
    req.on('response', (res) => {
      if (onResponse) { req.setTimeout(0); onResponse(req, res); return resolve(res) }
      const chunks = []
      res.on('data', (c) => chunks.push(c))
      res.on('error', reject)
      res.on('end', () => {
        const buf = Buffer.concat(chunks)
        let json
        try { json = JSON.parse(buf) } catch { /* not JSON */ }
        resolve({ status: res.statusCode, headers: res.headers, buf, text: buf.toString(), json })
      })
    })
    req.end(body)
  })
}

const dig = (v, p) => p.split('.').reduce((x, k) => (x === undefined || x === null ? undefined : x[k]), v)
function value(res, where) {
  if (where.startsWith('cookie:')) {
    const c = [].concat(res.headers['set-cookie'] || []).find((x) => x.startsWith(where.slice(7) + '='))
    return c && c.slice(where.length - 6).split(';')[0]
  }
  if (where.startsWith('header:')) return res.headers[where.slice(7).toLowerCase()]
  if (where.startsWith('jwt:')) {
    const t = dig(res.json, where.slice(4))
    return t && JSON.parse(Buffer.from(t.split('.')[1], 'base64url'))
  }
  return dig(res.json, where)
}

function check(step, res, vars, order) {
  const want = fill(step.expect || {}, vars), out = []
  if (want.status !== undefined && ![].concat(want.status).includes(res.status)) out.push(`status: want ${want.status}, got ${res.status}: ${(res.text || '').slice(0, 300)}`)
  for (const [k, v] of Object.entries(want.headers || {})) {
    const got = k.toLowerCase() === 'set-cookie' ? [].concat(res.headers['set-cookie'] || []).join('\n') || undefined : res.headers[k.toLowerCase()]
    if (v === null) { if (got !== undefined) out.push(`header ${k}: want none, got ${JSON.stringify(got)}`) } else diff(v, got, `header ${k}`, out)
  }
  if ('json' in want) diff(want.json, res.json, 'json', out, order)
  if ('text' in want) diff(want.text, res.text, 'text', out)
  if ('base64' in want) diff(want.base64, res.buf.toString('base64'), 'base64', out)
  for (const [name, v] of Object.entries(want.jwt || {})) diff(v, value(res, 'jwt:' + name), `jwt ${name}`, out, order)
  if (out.length && 'json' in want) out.push(`body: ${res.text.slice(0, 600)}`)
  return out
}

// SSE: a step with "open" starts a stream; "collect" waits for docs on it; "event" waits for one event; "quiet" for none.
function openStream(base, step) {
  const s = { events: [], text: '', raw: '' }
  return new Promise((resolve, reject) => {
    send(base, { ...step, method: 'GET' }, (req, res) => {
      s.req = req; s.status = res.statusCode; s.headers = res.headers
      res.setEncoding('utf8')
      res.on('error', () => {})
      res.on('data', (d) => {
        s.text += d; s.raw += d
        for (let i; (i = s.text.indexOf('\n\n')) >= 0; s.text = s.text.slice(i + 2)) {
          const e = { event: 'message', data: [] }
          let any = false
          for (const line of s.text.slice(0, i).split('\n')) {
            const c = line.indexOf(':')
            if (c === 0 || (c < 0 && !line)) continue
            const k = c < 0 ? line : line.slice(0, c), v = c < 0 ? '' : line.slice(c + 1).replace(/^ /, '')
            if (k === 'event') { e.event = v; any = true } else if (k === 'data') { e.data.push(v); any = true } else if (k === 'id') e.id = v
          }
          if (any) s.events.push({ ...e, data: e.data.join('\n') })
        }
      })
      resolve(s)
    }).catch(reject)
  })
}
async function streamStep(base, step, streams, vars, order) {
  const out = []
  if (step.open) {
    const s = await openStream(base, fill(step, vars))
    streams[step.open] = s
    return check(step, s, vars, order)
  }
  const s = streams[step.collect || step.event || step.quiet || step.close]
  if (!s) return ['the stream is not open']
  if (step.close) { s.req.destroy(); return out }
  const real = () => s.events.filter((e) => e.event === 'message')
  if (step.quiet) {
    await sleep(step.for_ms || 2500)
    if (real().length) out.push(`want no event, got ${JSON.stringify(real()).slice(0, 400)}`)
    return out
  }
  const until = Date.now() + (step.within_ms || 4000)
  const docs = () => real().flatMap((e) => { try { return JSON.parse(e.data) } catch { return [{ unparsable: e.data }] } })
  const ready = () => (step.event ? real().length > 0 : docs().length >= step.docs)
  while (!ready() && Date.now() < until) await sleep(20)
  if (!ready()) return [`in time came only ${JSON.stringify(s.events).slice(0, 400)}`]
  const want = fill(step.expect, vars)
  if (step.event) {
    const e = s.events.splice(s.events.indexOf(real()[0]), 1)[0]
    if (want.event !== e.event) out.push(`event: want ${want.event}, got ${e.event}`)
    if ('json' in want) { let j; try { j = JSON.parse(e.data) } catch { /* shown below */ } diff(want.json, j, 'data', out, order) }
    if (out.length) out.push(`data: ${e.data.slice(0, 600)}`)
  } else {
    const got = docs()
    if (step.sort) got.sort((a, b) => (a[step.sort] > b[step.sort] ? 1 : a[step.sort] < b[step.sort] ? -1 : 0))
    s.events.length = 0
    diff(want.json, got, 'docs', out, order)
  }
  return out
}

// Every file starts from: the admin alone in users, no media, no messages. "empty" files do none of this.
async function begin(base, vars) {
  const json = { 'Content-Type': 'application/json' }
  let r = await send(base, { method: 'POST', path: '/api/users/login', headers: json, body: ADMIN })
  if (r.status !== 200) r = await send(base, { method: 'POST', path: '/api/users/first-register', headers: json, body: ADMIN })
  if (r.status !== 200) throw new Error(`cannot log in or register the first user: ${r.status} ${r.text.slice(0, 300)}`)
  vars.token = r.json.token; vars.admin = r.json.user.id
  const auth = { Authorization: `JWT ${vars.token}` }
  for (const c of ['messages', 'media', 'users']) {
    const l = await send(base, { path: `/api/${c}?limit=0&depth=0`, headers: auth })
    if (!l.json || !l.json.docs) throw new Error(`cannot list ${c}: ${l.status} ${l.text.slice(0, 300)}`)
    for (const d of l.json.docs) if (c !== 'users' || d.id !== vars.admin) await send(base, { method: 'DELETE', path: `/api/${c}/${d.id}`, headers: auth })
  }
}

async function runFile(base, file, { order, verbose, log = console.log } = {}) {
  const f = JSON.parse(fs.readFileSync(file)), vars = {}, streams = {}
  let passed = 0, failed = 0
  const name = path.basename(file, '.json')
  const report = (step, out) => {
    if (out.length) { failed++; log(`FAIL ${name}: ${step.name}\n     ${step.method || (step.open ? 'GET' : '')} ${step.path || ''}\n${out.map((x) => '     ' + x).join('\n')}`) } else { passed++; if (verbose) log(`ok   ${name}: ${step.name}`) }
  }
  try { if (f.begin !== 'empty') await begin(base, vars) } catch (e) {
    report({ name: 'begin' }, [e.message]); failed += f.steps.length
    return { passed, failed }
  }
  for (const [list, counted] of [[f.setup || [], false], [f.steps, true]]) for (const step of list) {
    let out
    try {
      if (step.wait_ms) await sleep(step.wait_ms)
      if (step.open || step.collect || step.event || step.quiet || step.close) out = await streamStep(base, step, streams, vars, order)
      else {
        const res = await send(base, fill(step, vars))
        const lost = []
        for (const [k, where] of Object.entries(step.capture || {})) {
          const v = value(res, where)
          if (v === undefined) lost.push(`nothing to capture at ${where}`); else vars[k] = v
        }
        out = check(step, res, vars, order).concat(lost)
      }
    } catch (e) { out = [`no usable answer: ${e.message}`] }
    if (counted || out.length) report(step, out)
  }
  for (const s of Object.values(streams)) s.req.destroy()
  return { passed, failed }
}

module.exports = { fill, diff, send, value, dig, begin, openStream, streamStep, runFile, sleep, ISO }

if (require.main === module) (async () => {
  const args = process.argv.slice(2), opt = new Set(args.filter((a) => a.startsWith('-')))
  const [base, ...files] = args.filter((a) => !a.startsWith('-'))
  if (!files.length) { console.error('usage: replay [--order] [-v] BASE_URL FILE...'); process.exit(2) }
  let passed = 0, failed = 0
  for (const f of files) {
    const r = await runFile(base, f, { order: opt.has('--order'), verbose: opt.has('-v') })
    passed += r.passed; failed += r.failed
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed || !passed ? 1 : 0)
})()
