// nginx and haproxy before a server, with a configuration as one writes it for a site. Each runs in the foreground as one process, with a
// folder and a port of its own. Without abortonclose haproxy keeps a stream whose reader has gone until its second comment, 30 s later.
'use strict'
const fs = require('node:fs')
const net = require('node:net')
const { folder, remove, launch, sleep } = require('../harness.js')

// Debian keeps them where only root looks.
const env = { PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin` }

const nginx = (dir, port, to, how = 'proxy_http_version 1.1;\n      proxy_set_header Connection "";') => `daemon off;
master_process off;
pid ${dir}/pid;
error_log stderr warn;
worker_rlimit_nofile 4096;
events { worker_connections 2000; }
http {
  access_log off;
  gzip on;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${to};
      proxy_set_header Host $host;
      ${how}
    }
  }
}
`

const haproxy = (dir, port, to) => `global
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  timeout tunnel 1h
  option abortonclose
frontend site
  bind 127.0.0.1:${port}
  compression algo gzip
  default_backend parley
backend parley
  server parley 127.0.0.1:${to}
`

// What to run, and its configuration.
const proxies = {
  nginx: ['nginx', ['-e', 'stderr', '-c'], nginx],
  'nginx with HTTP/1.0 behind it': ['nginx', ['-e', 'stderr', '-c'], (dir, port, to) => nginx(dir, port, to, '')],
  haproxy: ['haproxy', ['-db', '-f'], haproxy],
}

const freePort = () => new Promise((resolve, reject) => {
  const server = net.createServer().on('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

const answers = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1')
  const end = (yes) => () => { socket.destroy(); resolve(yes) }
  socket.on('connect', end(true)).on('error', end(false))
})

async function attempt(command, args, config, to) {
  const dir = folder()
  const port = await freePort()
  fs.writeFileSync(`${dir}/conf`, config(dir, port, to))
  const proxy = { port, err: '' }
  const child = launch(command, [...args, `${dir}/conf`], { env, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr.on('data', (d) => { proxy.err += d })
  child.on('error', (error) => { proxy.missing = error.code === 'ENOENT' })
  const ended = new Promise((resolve) => child.on('close', resolve))
  proxy.stop = async () => { child.kill('SIGKILL'); await ended; remove(dir) }
  let over = false
  ended.then(() => { over = true })
  while (!over && !(await answers(port))) await sleep(20)
  if (!over) return proxy
  await proxy.stop()
  return proxy.missing ? 'missing' : proxy.err
}

// { port, stop() } of a proxy by its name before the port `to`; null when it is not installed.
async function start(name, to) {
  let failure
  for (let i = 0; i < 5; i++) { // another may take the free port first
    const proxy = await attempt(...proxies[name], to)
    if (proxy === 'missing') return null
    if (proxy.port) return proxy
    failure = proxy
  }
  throw new Error(`${name} does not start: ${failure}`)
}

module.exports = { names: Object.keys(proxies), start }
