// The API's description as a thing to ask: which operation answers a request, and whether an answer is what it says. All schemas are made
// strict here: a member that they do not name is one too many.
'use strict'
const Ajv = require('ajv/dist/2020.js').default
const addFormats = require('ajv-formats').default

const METHODS = ['get', 'head', 'post', 'patch', 'put', 'delete', 'options']

const resolve = (document, object) => (object?.$ref ? object.$ref.slice(2).split('/').reduce((inner, name) => inner[name], document) : object)

// Calls `visit` with each object in `value`, and returns `value`.
function walk(value, visit) {
  if (value && typeof value === 'object') {
    if (!Array.isArray(value)) visit(value)
    Object.values(value).forEach((inner) => walk(inner, visit))
  }
  return value
}

function tighten(schema) {
  if (schema.type === 'object' && schema.properties && !('additionalProperties' in schema)) schema.additionalProperties = false
}

// `partly`: documents may lack what their schemas require, as they do when select or populate leave it out.
function compiler(document, partly) {
  const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: false })
  addFormats(ajv)
  const $defs = walk(JSON.parse(JSON.stringify(document.components.schemas).replaceAll('"#/components/schemas/', '"api#/$defs/')), tighten)
  if (partly) walk($defs, (schema) => { if (schema.properties?.id) delete schema.required })
  ajv.addSchema({ $id: 'api', $defs })
  const compiled = new Map()
  return (schema) => {
    const text = JSON.stringify(schema).replaceAll('"#/components/schemas/', '"api#/$defs/')
    if (!compiled.has(text)) compiled.set(text, ajv.compile(walk(JSON.parse(text), tighten)))
    return compiled.get(text)
  }
}

class Description {
  constructor(document) {
    this.document = document
    const pattern = (path) => new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`)
    const places = (path) => (path.match(/\{/g) || []).length
    this.paths = Object.keys(document.paths).sort((a, b) => places(a) - places(b)).map((path) => ({ path, pattern: pattern(path) }))
    this.compilers = { whole: compiler(document, false), partly: compiler(document, true) }
  }

  // [{ path, method, operation }]
  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })))
  }

  // The operation of a request; among those that fit, the one with the fewest parameters that has the method.
  find(method, address) {
    const path = address.split('?')[0].replace(/(.)\/$/, '$1')
    const fitting = this.paths.filter(({ pattern }) => pattern.test(path)).map((one) => this.document.paths[one.path][method.toLowerCase()])
    return fitting.find(Boolean)
  }

  // What is wrong with an answer, as sentences.
  flaws(operation, { status, headers, json, bytes }, { partly = false, head = false } = {}) {
    const response = resolve(this.document, operation.responses[status])
    if (!response) return [`the status ${status} is not described`]
    const type = (headers['content-type'] || '').split(';')[0]
    const content = response.content?.[type] || response.content?.['*/*']
    if (!content) return bytes.length && !head ? [`a body of type ${type} is not described for ${status}`] : []
    if (type !== 'application/json' || head) return []
    return this.differs(content.schema, json, partly)
  }

  differs(schema, value, partly = false) {
    const check = this.compilers[partly ? 'partly' : 'whole'](schema)
    return check(value) ? [] : check.errors.map((e) => `${e.instancePath || 'the body'} ${e.message} ${JSON.stringify(e.params)}: ${JSON.stringify(value).slice(0, 300)}`)
  }

  // An event of a stream, { event, id, data }.
  eventFlaws(operation, event) {
    const { schema } = operation.responses[200].content['text/event-stream']
    const flaws = this.differs(schema.items, event)
    if (flaws.length) return flaws
    const one = resolve(this.document, schema.items).oneOf.find(({ properties }) => properties.event.const === event.event)
    const { contentSchema } = one.properties.data
    return contentSchema ? this.differs(contentSchema, JSON.parse(event.data)) : []
  }

  // Every schema is one that the dialect knows: unknown keywords and unresolved references throw.
  compileAll() {
    for (const name of Object.keys(this.document.components.schemas)) this.compilers.whole({ $ref: `#/components/schemas/${name}` })
  }
}

module.exports = { Description, resolve }
