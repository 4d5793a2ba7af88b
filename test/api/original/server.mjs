#!/usr/bin/env node
// server.mjs [--listen ADDR:PORT] [--data DIR] [--mail-command COMMAND]: the original Payload with the chat's three collections and no
// Next around it. It takes those options of Parley's, and reads and says at its start what Parley does, so that a test that starts the one
// can start the other. The file is DIR/parley.db, uploads are in DIR/media.
//
// Out of production mode (NODE_ENV) Payload brings the file's schema to its own, and asks before it drops anything: the answer is yes.
import buffer from 'node:buffer'
import { spawn } from 'node:child_process'
import http from 'node:http'
import path from 'node:path'
import { parseArgs } from 'node:util'

// Payload's libraries want Node.js 20, which has this one name more than 18.
globalThis.File ??= buffer.File
// Its client, which lies beside it, has no release of the same number.
process.env.PAYLOAD_DISABLE_DEPENDENCY_CHECKER = 'true'
const [{ buildConfig, getPayload, handleEndpoints }, { sqliteAdapter }, { default: prompts }] =
  await Promise.all(['payload', '@payloadcms/db-sqlite', 'prompts'].map((name) => import(name)))

const { values: options } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:0' },
    data: { type: 'string', default: '.' },
    'mail-command': { type: 'string' },
    'log-level': { type: 'string' },
  },
})
const data = path.resolve(options.data)

const mail = () => ({
  name: 'command',
  defaultFromAddress: 'payload@localhost',
  defaultFromName: 'Payload',
  sendEmail: async ({ to, subject, html }) => {
    if (!options['mail-command']) return
    const child = spawn('sh', ['-c', options['mail-command']], { stdio: ['pipe', 'ignore', 'inherit'] })
    child.stdin.end(`To: ${to}\nSubject: ${subject}\n\n${html}\n`)
  },
})

const anyone = () => true
const user = (name) => ({ name, type: 'relationship', relationTo: 'users', required: true })

prompts.inject([true])
const config = await buildConfig({
  admin: { user: 'users' },
  collections: [
    { slug: 'users', auth: true, fields: [] },
    { slug: 'media', access: { read: anyone }, upload: { staticDir: path.join(data, 'media') }, fields: [{ name: 'alt', type: 'text', required: true }] },
    {
      slug: 'messages',
      access: { create: anyone, read: anyone, update: anyone, delete: anyone },
      fields: [
        user('sender'),
        user('receiver'),
        { name: 'content', type: 'text', required: true },
        { name: 'timestamp', type: 'date', required: true, defaultValue: () => new Date().toISOString() },
      ],
    },
  ],
  cors: ['http://localhost:3000', 'http://localhost:5173'],
  db: sqliteAdapter({ client: { url: `file:${path.join(data, 'parley.db')}` } }),
  email: mail,
  logger: { options: { level: 'error' }, destination: process.stderr },
  secret: process.env.PAYLOAD_SECRET || 'the secret of a test',
  telemetry: false,
  typescript: { autoGenerate: false },
})
await getPayload({ config })

async function answer(req, res) {
  const method = req.method
  const headers = Object.entries(req.headers).map(([name, value]) => [name, String(value)])
  const body = ['GET', 'HEAD'].includes(method) ? undefined : Buffer.concat(await req.toArray())
  const request = new Request(`http://${req.headers.host}${req.url}`, { method, headers, body })
  const response = await handleEndpoints({ config, request })
  for (const [name, value] of response.headers) if (name !== 'set-cookie') res.setHeader(name, value)
  // Debian's Node.js 18 knows no getSetCookie; Payload never sets more than one.
  const cookies = response.headers.getSetCookie?.() ?? [response.headers.get('set-cookie')].filter(Boolean)
  if (cookies.length) res.setHeader('set-cookie', cookies)
  res.writeHead(response.status).end(Buffer.from(await response.arrayBuffer()))
}

const server = http.createServer((req, res) => {
  answer(req, res).catch((error) => {
    console.error(error)
    res.destroy()
  })
})
const [address, port] = options.listen.split(/:(?=\d+$)/)
server.listen(Number(port), address, () => console.log(`http://${address}:${server.address().port}`))
process.on('SIGTERM', () => process.exit(0))
