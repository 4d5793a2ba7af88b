// node player.js [--order] URL FILE… : plays recorded cases against a server; the last line is "N passed, N failed". What a case may hold
// is told in cases/README.md. --order: the names in JSON objects must come in the recorded order, too.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { ADMIN, request, sleep, stream } = require('../../harness.js')

// ---- what is expected --------------------------------------------------------------------------------------------------------

const like = (pattern) => (value) => typeof value === 'string' && pattern.test(value)

const PLACEHOLDERS = new Map([
  ['<any>', () => true],
  ['<int>', Number.isInteger],
  ['<number>', (value) => typeof value === 'number'],
  ['<string>', like(/./s)],
  ['<iso>', like(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)],
  ['<token>', like(/^[\w-]+(\.[\w-]+){2}$/)],
  ['<uuid>', like(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)],
])

// The test that a placeholder stands for; nothing when the text means itself.
function placeholder(text) {
  const [, pattern] = /^<re:(.*)>$/s.exec(text) || []
  return pattern === undefined ? PLACEHOLDERS.get(text) : like(new RegExp(pattern))
}

const nature = (value) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value)
const brief = (value) => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 400))

// One sentence for each place where `got` is not what is `wanted`.
function* differences(wanted, got, at, order) {
  const test = typeof wanted === 'string' && placeholder(wanted)
  if (test ? test(got) : wanted === got) return
  if (test || nature(wanted) !== nature(got) || !['array', 'object'].includes(nature(wanted))) {
    yield `${at} is ${brief(got)}, wanted ${brief(wanted)}`
  } else if (Array.isArray(wanted)) {
    if (wanted.length !== got.length) yield `${at} has ${got.length} items, wanted ${wanted.length}: ${brief(got)}`
    for (let i = 0; i < wanted.length && i < got.length; i++) yield* differences(wanted[i], got[i], `${at}[${i}]`, order)
  } else {
    const { '<more>': more, ...named } = wanted
    const both = (name) => Object.hasOwn(named, name) && Object.hasOwn(got, name)
    for (const [name, value] of Object.entries(named)) {
      if (both(name)) yield* differences(value, got[name], `${at}.${name}`, order)
      else yield `${at}.${name} is missing, wanted ${brief(value)}`
    }
    if (more === undefined) for (const name of Object.keys(got)) if (!both(name)) yield `${at}.${name} is too much: ${brief(got[name])}`
    const come = Object.keys(got).filter(both).join()
    if (order && come !== Object.keys(named).filter(both).join()) yield `${at} has its names in the order ${come}`
  }
}

const follow = (value, names) => names.split('.').reduce((inner, name) => inner?.[name], value)
const cookies = (answer) => answer.headers['set-cookie'] || []
const header = (answer, name) => (/^set-cookie$/i.test(name) ? cookies(answer).join('\n') || undefined : answer.headers[name.toLowerCase()])
const claims = (token) => JSON.parse(Buffer.from(String(token).split('.')[1] || 'bnVsbA', 'base64url'))

// Each word of `expect` that looks at an answer.
const EXPECTATIONS = {
  * status(wanted, answer) {
    if (![].concat(wanted).includes(answer.status)) yield `the status is ${answer.status}, wanted ${wanted}: ${answer.text.slice(0, 400)}`
  },
  * headers(wanted, answer) {
    for (const [name, value] of Object.entries(wanted)) yield* differences(value ?? undefined, header(answer, name), `the header ${name}`)
  },
  * json(wanted, answer, order) {
    yield* differences(wanted, answer.json, 'json', order)
  },
  * text(wanted, answer) {
    yield* differences(wanted, answer.text, 'the body')
  },
  * base64(wanted, answer) {
    yield* differences(wanted, answer.bytes.toString('base64'), 'the body in base64')
  },
  * jwt(wanted, answer, order) {
    for (const [where, value] of Object.entries(wanted)) yield* differences(value, claims(follow(answer.json, where)), `the claims of ${where}`, order)
  },
}

// ---- what is sent ------------------------------------------------------------------------------------------------------------

// ${name} alone becomes the variable itself, within other text its text; an unknown name stays.
function fill(value, variables) {
  const one = (all, name) => (Object.hasOwn(variables, name) ? variables[name] : all)
  switch (nature(value)) {
  case 'string': {
    const alone = /^\$\{(\w+)\}$/.exec(value)
    return alone ? one(...alone) : value.replace(/\$\{(\w+)\}/g, one)
  }
  case 'array':
    return value.map((item) => fill(item, variables))
  case 'object':
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [fill(name, variables), fill(inner, variables)]))
  default:
    return value
  }
}

const BOUNDARY = '-----a-part-of-a-recorded-case'

function part({ name, value, filename, type = 'application/octet-stream', base64 }) {
  const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: ${type}`
  const content = base64 === undefined ? Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) : Buffer.from(base64, 'base64')
  return [Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`), content, Buffer.from('\r\n')]
}

// The words of a step that make a body: its type, unless the step names one, and its bytes.
const BODIES = {
  body: ({ body }) => ['application/json', JSON.stringify(body)],
  raw: ({ raw, repeat: [piece, times] = ['', 0] }) => [undefined, raw.replace('<repeat>', () => piece.repeat(times))],
  multipart: ({ multipart }) => [`multipart/form-data; boundary=${BOUNDARY}`, Buffer.concat([...multipart.flatMap(part), Buffer.from(`--${BOUNDARY}--\r\n`)])],
}

async function send(url, step) {
  const { method = 'GET', headers = {} } = step
  const [type, body] = Object.keys(BODIES).filter((word) => word in step).map((word) => BODIES[word](step))[0] || []
  const typed = type && !Object.keys(headers).some((name) => /^content-type$/i.test(name))
  if (method !== 'GET') await sleep(3) // two documents are never made in one millisecond
  return request(url, { method, path: step.path, headers: typed ? { ...headers, 'Content-Type': type } : headers, body })
}

function captured(answer, from) {
  const [, kind, name] = /^(header|cookie):(.*)$/.exec(from) || []
  if (kind === 'header') return header(answer, name)
  if (kind === 'cookie') return cookies(answer).find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1).split(';')[0]
  return follow(answer.json, from)
}

// ---- a case ------------------------------------------------------------------------------------------------------------------

class Case {
  constructor(url, order, seen) {
    Object.assign(this, { url, order, seen, variables: {}, streams: {} })
  }

  // The admin is the only user, and there are no media and no messages.
  async begin() {
    const enter = (how) => request(`${this.url}/api/users/${how}`, { method: 'POST', body: ADMIN })
    let entered = await enter('login')
    if (entered.status !== 200) entered = await enter('first-register')
    if (entered.status !== 200) throw new Error(`the admin cannot sign in: ${entered.status} ${entered.text}`)
    const { token, user: { id: admin } } = entered.json
    this.variables = { token, admin }
    const headers = { Authorization: `JWT ${token}` }
    for (const collection of ['messages', 'media', 'users']) {
      const all = `${this.url}/api/${collection}`
      const { status, json } = await request(`${all}?limit=0&depth=0`, { headers })
      if (status !== 200) throw new Error(`the ${collection} cannot be listed: ${status}`)
      for (const { id } of json.docs) if (collection !== 'users' || id !== admin) await request(`${all}/${id}`, { method: 'DELETE', headers })
    }
  }

  * compare(step, answer) {
    for (const [word, wanted] of Object.entries(fill(step.expect || {}, this.variables))) yield* EXPECTATIONS[word](wanted, answer, this.order)
  }

  async exchange(step) {
    const filled = fill(step, this.variables)
    const answer = await send(this.url, filled)
    this.seen?.(filled, answer)
    const flaws = []
    for (const [name, from] of Object.entries(step.capture || {})) {
      this.variables[name] = captured(answer, from)
      if (this.variables[name] === undefined) flaws.push(`there is no ${from} in the answer: ${answer.text.slice(0, 400)}`)
    }
    return [...flaws, ...this.compare(step, answer)]
  }

  async open(step) {
    const { path, headers } = fill(step, this.variables)
    const opened = await stream(`${this.url}${path}`, headers)
    // What came so far, and how many of its events a step has looked at.
    this.streams[step.open] = { stream: opened, looked: 0 }
    return [...this.compare(step, { text: '', ...opened })]
  }

  // The events of the stream that no step has looked at yet.
  news(name) {
    const { stream, looked } = this.streams[name]
    return stream.of('message').slice(looked)
  }

  async event(step) {
    const opened = this.streams[step.event]
    const came = await opened.stream.until(() => this.news(step.event)[0], 'an event', step.within_ms ?? 4000)
    opened.looked++
    const { event, json } = fill(step.expect, this.variables)
    return [...differences(event, came.event, 'the event'), ...(json === undefined ? [] : differences(json, came.json, 'data', this.order))]
  }

  async collect(step) {
    const opened = this.streams[step.collect]
    const docs = () => this.news(step.collect).flatMap((event) => event.json ?? [])
    await opened.stream.until(() => docs().length >= step.docs, `${step.docs} documents`, step.within_ms ?? 4000)
    const came = docs()
    opened.looked = opened.stream.of('message').length
    if (step.sort) came.sort((a, b) => (a[step.sort] < b[step.sort] ? -1 : Number(a[step.sort] > b[step.sort])))
    return [...differences(fill(step.expect.json, this.variables), came, 'docs', this.order)]
  }

  async quiet(step) {
    await sleep(step.for_ms ?? 1000)
    return this.news(step.quiet).map((event) => `an event came: ${event.data.slice(0, 400)}`)
  }

  async close(step) {
    this.streams[step.close].stream.close()
    return []
  }

  async take(step) {
    const verb = ['open', 'event', 'collect', 'quiet', 'close'].find((word) => word in step) || 'exchange'
    try {
      return await this[verb](step)
    } catch (error) {
      return [String(error.message)]
    }
  }

  end() {
    for (const { stream } of Object.values(this.streams)) stream.close()
  }
}

// Plays one file: [{ name, flaws }], one for each step, and one for each part of the preparation that failed. `seen(step, answer)` is
// called for each answer.
async function play(url, file, { order = false, seen } = {}) {
  const { begin, setup = [], steps } = JSON.parse(fs.readFileSync(file))
  const one = new Case(url, order, seen)
  try {
    if (begin !== 'empty') await one.begin()
  } catch (error) {
    return steps.map(({ name }) => ({ name, flaws: [error.message] }))
  }
  const results = []
  for (const step of setup) {
    const flaws = await one.take(step)
    if (flaws.length) results.push({ name: step.name, flaws })
  }
  for (const step of steps) results.push({ name: step.name, flaws: await one.take(step) })
  one.end()
  return results
}

module.exports = { play }

async function main(words) {
  const order = words.includes('--order')
  const [url, ...files] = words.filter((word) => !word.startsWith('--'))
  if (!files.length) {
    console.error('usage: node player.js [--order] URL FILE…')
    process.exitCode = 2
    return
  }
  let passed = 0, failed = 0
  for (const file of files) {
    for (const { name, flaws } of await play(url, file, { order })) {
      if (flaws.length) failed++
      else passed++
      if (flaws.length) console.log([`FAIL ${path.basename(file)}: ${name}`, ...flaws].join('\n     '))
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed || !passed ? 1 : 0
}

if (require.main === module) main(process.argv.slice(2))
