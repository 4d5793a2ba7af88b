// A reader of streams on a bare socket, which can break off at any byte and come back with its cursor. It keeps what it has over its
// visits: `lastId` is that of the last event that came whole, as in a browser; `take(event)` is called with each whole { event, id, data }.
'use strict'
const net = require('node:net')

// The body of a chunked answer, piece by piece.
function dechunker() {
  let rest = '', left = -1 // -1: a size comes, -2: the line's end behind a chunk
  return (text) => {
    let out = ''
    rest += text
    for (;;) {
      if (left > 0) {
        const piece = rest.slice(0, left)
        out += piece
        left -= piece.length
        rest = rest.slice(piece.length)
        if (left) return out
        left = -2
      }
      const end = rest.indexOf('\r\n')
      if (end < 0) return out
      const line = rest.slice(0, end)
      rest = rest.slice(end + 2)
      if (left === -2) left = -1
      else if ((left = parseInt(line, 16)) === 0) return out
    }
  }
}

class Reader {
  constructor({ port, path = '/api/messages/sse', cursor, take = () => {} }) {
    Object.assign(this, { port, path, take, first: cursor, lastId: cursor, socket: undefined, rest: '' })
  }

  // How the cursor is sent: 'header', 'since', or 'both', where the address holds the first one and the header is the newer.
  head(way, headers) {
    const id = this.lastId
    const since = id === undefined || way === 'header' ? '' : `${this.path.includes('?') ? '&' : '?'}since=${way === 'both' ? this.first : id}`
    const header = id === undefined || way === 'since' ? '' : `Last-Event-ID: ${id}\r\n`
    return `GET ${this.path}${since} HTTP/1.1\r\nHost: reader\r\nAccept: text/event-stream\r\n${header}${headers}\r\n`
  }

  // One connection. It breaks off behind `bytes` bytes (what came with them is not looked at), after `ms`, or when `until()` is true
  // after an event; `reset`: with a RST. Done when the connection is gone: { broke, status, headers }, `broke` false when the other side ended it.
  visit({ way = 'header', headers = '', bytes = Infinity, ms, until = () => false, reset = false } = {}) {
    return new Promise((resolve) => {
      const socket = this.socket = net.connect(this.port, '127.0.0.1')
      const visit = { broke: false, status: undefined, headers: '' }
      let head = '', left = bytes, body
      this.rest = ''
      const leave = () => {
        visit.broke = true
        if (reset) socket.resetAndDestroy()
        else socket.destroy()
      }
      const timer = ms === undefined ? undefined : setTimeout(leave, ms)
      this.leave = leave
      socket.write(this.head(way, headers))
      if (left === 0) leave()
      socket.on('data', (buffer) => {
        if (visit.broke) return
        let text = buffer.latin1Slice(0, Math.min(buffer.length, left))
        left -= text.length
        if (!body) {
          head += text
          const end = head.indexOf('\r\n\r\n')
          text = ''
          if (end >= 0) {
            visit.headers = head.slice(0, end).toLowerCase()
            visit.status = Number(head.slice(9, 12))
            body = /^transfer-encoding: chunked$/m.test(visit.headers.replaceAll('\r', '')) ? dechunker() : (t) => t
            text = head.slice(end + 4)
          }
        }
        if (body && text) this.read(body(text))
        if (left === 0 || until()) leave()
      })
      socket.on('error', () => {}) // a close follows
      socket.on('close', () => { clearTimeout(timer); resolve(visit) })
    })
  }

  read(text) {
    const frames = (this.rest + text).split('\n\n')
    this.rest = frames.pop()
    for (const frame of frames) {
      let event = 'message', data
      for (const line of frame.split('\n')) {
        const colon = line.indexOf(':')
        const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
        if (line.startsWith('data:')) data = data === undefined ? value : `${data}\n${value}`
        else if (line.startsWith('event:')) event = value
        else if (line.startsWith('id:')) this.lastId = value
      }
      if (data !== undefined) this.take({ event, id: this.lastId, data })
    }
  }
}

const utf8 = (latin1) => Buffer.from(latin1, 'latin1').toString()

module.exports = { Reader, json: (event) => JSON.parse(utf8(event.data)) }
