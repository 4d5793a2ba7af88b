// A certificate of its own for 127.0.0.1, made by openssl, that requests and streams believe in.
'use strict'
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { trust } = require('./harness.js')

// Files in `dir`: NAME.key and NAME.pem. `args` are the server's, `more` openssl's.
function certificate(dir, name, ...more) {
  const [key, pem] = ['key', 'pem'].map((end) => path.join(dir, `${name}.${end}`))
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', pem,
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', ...(more.length ? more : ['-days', '2'])], { stdio: 'pipe' })
  trust(fs.readFileSync(pem))
  return { key, pem, args: ['--tls-cert', pem, '--tls-key', key], ca: fs.readFileSync(pem) }
}

module.exports = { certificate }
