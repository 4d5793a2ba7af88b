// SLOW=MS: a way to each server on which every piece takes up to so many milliseconds, as chance says, each connection for
// itself: what is asked first is not answered first. For finding what depends on the moment; no test counts on it.
import { once } from 'node:events'
import net from 'node:net'

const MOST_MS = Number(process.env.SLOW) || 0

const ways = new Map() // by the server's port; a way leads to itself

// What comes late, in its order.
function carry(from, to) {
  let last = Promise.resolve()
  const later = (act) => {
    const due = new Promise((resolve) => setTimeout(resolve, Math.random() * MOST_MS))
    last = last.then(() => due).then(act)
  }
  from.on('data', (piece) => later(() => to.write(piece)))
  from.on('end', () => later(() => to.end()))
  from.on('close', () => later(() => to.destroy()))
  from.on('error', () => {})
}

async function wayTo(port) {
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    carry(client, upstream)
    carry(upstream, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server.address().port
}

export async function slowly(url) {
  if (!MOST_MS) return url
  const slow = new URL(url)
  const port = Number(slow.port)
  if (!ways.has(port)) ways.set(port, wayTo(port))
  const way = await ways.get(port)
  ways.set(way, way)
  slow.port = way
  return url.endsWith('/') ? slow.href : slow.href.replace(/\/$/, '')
}
