// A bare connection, for requests as no library would send them.
'use strict'
const net = require('node:net')
const tls = require('node:tls')

// Sealed where `ca` is given. `c.ready`: it is connected; `c.answers(n)` waits for its n-th answer's status; `c.ended` for its end, and
// gives all that came.
function dial(port, ca) {
  const socket = ca ? tls.connect({ port, host: '127.0.0.1', ca }) : net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const c = { socket, text: '', waiting: [] }
  const look = () => { c.waiting = c.waiting.filter((w) => !w()) }
  c.closed = false
  c.ended = new Promise((resolve) => socket.on('close', () => { c.closed = true; look(); resolve(c.text) }))
  c.ready = new Promise((resolve, reject) => { socket.on(ca ? 'secureConnect' : 'connect', resolve); socket.on('close', () => reject(new Error('closed'))) })
  c.ready.catch(() => {})
  socket.on('data', (d) => { c.text += d.latin1Slice(); look() })
  socket.on('end', () => socket.end())
  socket.on('error', () => {})
  c.answers = (n) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer ${n}; came: ${c.text.slice(-300)}`)), 20000)
    const try_ = () => {
      const heads = c.text.match(/HTTP\/1\.1 \d+/g) || []
      if (heads.length < n && !c.closed) return false
      clearTimeout(timer)
      if (heads.length < n) reject(new Error(`closed before answer ${n}`))
      else resolve(Number(heads[n - 1].slice(9)))
      return true
    }
    if (!try_()) c.waiting.push(try_)
  })
  return c
}

module.exports = { dial }
