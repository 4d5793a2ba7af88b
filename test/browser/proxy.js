// A way to a server that breaks where a test wants it: at a byte of a message that is sent, or of its answer.
import { once } from 'node:events'
import net from 'node:net'

const SENDING = /^POST \/api\/messages[? ]/
const STREAM = /^GET \/api\/parley\/stream/

// Bytes of a request or an answer, by its head.
const lengthOf = (head) => head.indexOf('\r\n\r\n') + 4 + Number(/^content-length: (\d+)/im.exec(head)[1])

export class Proxy {
  // Asked for each message that is sent for the first time: null, or where it breaks: { way: 'up' or 'down', part } with
  // `part` of the request or of its answer. `held`: the answer waits for that.
  cut = () => null
  streams = true // false: none gets through
  broken = 0
  #dead = new WeakSet() // connections on which nothing gets through any more, and nobody is told
  #keys = new Set() // of the messages that were seen
  #sockets = new Set()

  static async start(t, port) {
    const proxy = new Proxy()
    const server = net.createServer((client) => proxy.#join(client, net.connect(port, '127.0.0.1')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy.url = `http://127.0.0.1:${server.address().port}`
    t.defer(() => {
      for (const socket of proxy.#sockets) socket.destroy()
      server.close()
    })
    return proxy
  }

  // What is connected now hears nothing any more, as over a network that is gone.
  die() {
    for (const socket of this.#sockets) this.#dead.add(socket)
  }

  #join(client, server) {
    const way = { client, server, plan: null, up: 0, down: 0 }
    for (const [socket, other] of [[client, server], [server, client]]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (!this.#dead.has(socket)) other.end() // what it was sent it gets
      })
    }
    client.on('data', (piece) => this.#goUp(way, piece))
    server.on('data', (piece) => void this.#goDown(way, piece))
  }

  #goUp(way, piece) {
    if (this.#dead.has(way.client)) return
    const text = piece.toString('latin1')
    if (STREAM.test(text) && !this.streams) return this.#break(way)
    if (SENDING.test(text)) this.#begin(way, text)
    if (way.plan?.way !== 'up') return way.server.write(piece)
    const left = way.at - way.up
    way.up += piece.length
    if (piece.length < left) return way.server.write(piece)
    way.server.end(piece.subarray(0, left))
    this.#break(way)
  }

  #begin(way, head) {
    Object.assign(way, { plan: null, up: 0, down: 0 })
    const key = /^idempotency-key: (\S+)/im.exec(head)?.[1]
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    way.plan = this.cut()
    if (way.plan?.way === 'up') way.at = Math.round(way.plan.part * lengthOf(head))
  }

  async #goDown(way, piece) {
    if (this.#dead.has(way.client)) return
    if (way.plan?.way !== 'down') return way.client.write(piece)
    await way.plan.held
    if (way.down === 0) way.at = Math.round(way.plan.part * lengthOf(piece.toString('latin1')))
    const left = Math.max(0, way.at - way.down)
    way.down += piece.length
    way.client.write(piece.subarray(0, left))
    if (piece.length >= left) this.#break(way)
  }

  // The client sees the connection closed in order, or not.
  #break({ client }) {
    if (this.broken++ % 2) client.resetAndDestroy()
    else client.end(() => client.destroy())
  }
}
