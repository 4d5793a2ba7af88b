// A real server on a port and a data folder of its own, and calls of its API as another program would make them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BINARY = process.env.PARLEY || fileURLToPath(new URL('../../build/release/parley', import.meta.url))
const START_MS = 60_000
const ANSWER_MS = 30_000

export const ALICE = 'alice@example.com'
export const BOB = 'bob@example.com'
export const PASSWORD = 'correct horse'
export const WRONG = 'incorrect horse'

const running = new Set()

let made = null // see Server.withPeople

async function makePeople() {
  let stop
  const server = await Server.start({ defer: (act) => { stop = act } })
  const people = await server.addPeople()
  const sessions = {}
  for (const email of [ALICE, BOB]) sessions[email] = (await server.signIn(email)).token
  await stop()
  return { data: server.folder, people, sessions }
}

// The token of a session that each of those servers knows, beside the one that withPeople gives.
export const sessionOf = async (email) => (await made).sessions[email]

export function killAll() {
  for (const child of running) child.kill('SIGKILL')
}

export class Server {
  #child = null
  #said = ''

  // `options`, `env`: further ones of the program's; `data`: a folder whose copy it begins with.
  static async start(t, listen = '127.0.0.1:0', options = [], env = {}, data = null) {
    const server = new Server()
    Object.assign(server, { options, env })
    server.folder = mkdtempSync(join(tmpdir(), 'data-'))
    if (data) cpSync(data, server.folder, { recursive: true })
    await server.#run(listen)
    t.defer(() => server.stop())
    return server
  }

  // One with the accounts of addPeople, which are given beside it. They are made once and copied: hashing passwords takes
  // longer than most of what is tried.
  static async withPeople(t, listen, options, env) {
    const { data, people } = await (made ??= makePeople())
    return { server: await Server.start(t, listen, options, env, data), ...people }
  }

  // Fails when it does not end as it should.
  async stop() {
    if (!this.#child) return
    const { code, signal } = await this.#end('SIGTERM')
    if (code !== 0) throw new Error(`the server ended with ${signal ?? code}:\n${this.#said}`)
  }

  kill() {
    return this.#end('SIGKILL')
  }

  // On the same port and data.
  async startAgain() {
    await this.#run(`127.0.0.1:${this.port}`)
  }

  // The data folder as it is now; the server must not run. What it returns puts it back.
  backUp() {
    const copy = `${this.folder}.copy`
    cpSync(this.folder, copy, { recursive: true })
    return () => {
      rmSync(this.folder, { recursive: true })
      cpSync(copy, this.folder, { recursive: true })
    }
  }

  async call(method, path, body, token) {
    const headers = { Connection: 'close', 'Content-Type': 'application/json' }
    if (token) headers.Authorization = `JWT ${token}`
    const request = { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_MS) }
    const response = await fetch(`${this.url}/api/${path}`, request)
    const answer = response.status === 204 ? null : await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }

  // Many messages, in their order.
  async postAll(sender, receiver, contents) {
    for (const content of contents) await this.post(sender, receiver, content)
  }

  async contents() {
    const { docs } = await this.call('GET', 'messages?limit=0&sort=id&depth=0')
    return docs.map((doc) => doc.content)
  }

  // The first account and another, by the API: their ids and the first's token.
  async addPeople() {
    const { user, token } = await this.call('POST', 'users/first-register', { email: ALICE, password: PASSWORD })
    const { doc } = await this.call('POST', 'users', { email: BOB, password: PASSWORD }, token)
    return { alice: user.id, bob: doc.id, token }
  }

  signIn(email) {
    return this.call('POST', 'users/login', { email, password: PASSWORD })
  }

  async post(sender, receiver, content, more = {}) {
    return (await this.call('POST', 'messages', { sender, receiver, content, ...more })).doc
  }

  // Whose token it is has read what they have with `peer` up to that message.
  async markRead(token, peer, message) {
    await this.call('POST', `parley/conversations/${peer}/read`, { message }, token)
  }

  async #run(listen) {
    const page = process.env.UI_DIR ? ['--ui-dir', process.env.UI_DIR] : []
    const options = ['--listen', listen, '--data', this.folder, ...page, ...this.options]
    const child = spawn(BINARY, options, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.env } })
    this.#child = child
    this.#said = ''
    running.add(child)
    child.stderr.on('data', (text) => { this.#said += text })
    this.port = await this.#address(child)
    this.url = `http://${listen.replace(/:\d+$/, '')}:${this.port}`
  }

  #address(child) {
    return new Promise((resolve, reject) => {
      let text = ''
      const fail = (why) => reject(new Error(`${BINARY} ${why}:\n${text}${this.#said}`))
      const timer = setTimeout(fail, START_MS, 'does not say that it is listening')
      child.on('error', (error) => fail(`cannot be started (${error.message})`))
      child.on('exit', (code) => fail(`ended with ${code}`))
      child.stdout.on('data', (piece) => {
        text += piece
        const line = /^Parley is listening on http:\/\/.*:(\d+)$/m.exec(text)
        if (!line) return
        clearTimeout(timer)
        resolve(Number(line[1]))
      })
    })
  }

  async #end(signal) {
    const child = this.#child
    this.#child = null
    if (child.kill(signal)) await once(child, 'exit') // it may have ended by itself
    running.delete(child)
    return { code: child.exitCode, signal: child.signalCode }
  }
}
