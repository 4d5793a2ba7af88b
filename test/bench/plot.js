// Plots as SVG: lines and bars, with axes, units and a legend; no scripts, no fonts of their own, readable on light and dark pages.
'use strict'

const WIDTH = 760, HEIGHT = 400
const AREA = { left: 92, right: 170, top: 60, bottom: 56 } // margins
const COLOURS = ['#0b6bcb', '#d9660a', '#5b6470', '#7a3fb0', '#1b8a5a', '#b3264a']

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const text = (x, y, words, more = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escape(words)}</text>`
const line = (x1, y1, x2, y2, more) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${more}/>`
function short(value) {
  const [unit, size] = value >= 1e6 ? [' M', 1e6] : [value >= 1e5 ? ' k' : '', value >= 1e5 ? 1e3 : 1]
  return Number((value / size).toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 3 }) + unit
}

// A scale turns a value into 0…1, and has ticks, [value, label] each.
function linear(most) {
  const step = [1, 2, 2.5, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10(most / 5 || 1))).find((s) => most / s <= 6)
  const ticks = []
  for (let value = 0; value < most + step; value += step) ticks.push([value, short(value)])
  const end = ticks[ticks.length - 1][0]
  return { at: (value) => value / end, ticks }
}

function logarithmic(least, most) {
  const from = Math.floor(Math.log10(least)), to = Math.max(Math.ceil(Math.log10(most)), from + 1)
  const ticks = []
  for (let power = from; power <= to; power++) ticks.push([10 ** power, short(10 ** power)])
  return { at: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from), ticks }
}

// Percentiles, stretched towards 100: each nine as wide as the last.
function nines(most = 99.9) {
  const place = (percent) => -Math.log10(1 - Math.min(percent, most) / 100)
  const ticks = [0, 50, 80, 90, 95, 99, 99.9].filter((p) => p <= most)
  return { at: (percent) => place(percent) / place(most), ticks: ticks.map((p) => [p, String(p)]) }
}

const inX = (scale, value) => AREA.left + scale.at(value) * (WIDTH - AREA.left - AREA.right)
const inY = (scale, value) => HEIGHT - AREA.bottom - scale.at(value) * (HEIGHT - AREA.top - AREA.bottom)

function axes({ title, subtitle, x, y, xLabel, yLabel }) {
  const right = WIDTH - AREA.right, bottom = HEIGHT - AREA.bottom
  return [
    text(20, 24, title, 'font-size="15" font-weight="600"'),
    text(20, 44, subtitle, 'font-size="13" fill="#5b6470"'),
    ...y.ticks.map(([value, label]) => line(AREA.left, inY(y, value), right, inY(y, value), 'stroke="#d7dbe0"') +
      text(AREA.left - 8, inY(y, value) + 4, label, 'text-anchor="end"')),
    ...(x?.ticks ?? []).map(([value, label]) => line(inX(x, value), bottom, inX(x, value), bottom + 5, 'stroke="#333"') +
      text(inX(x, value), bottom + 20, label, 'text-anchor="middle"')),
    line(AREA.left, bottom, right, bottom, 'stroke="#333"'),
    line(AREA.left, AREA.top, AREA.left, bottom, 'stroke="#333"'),
    text((AREA.left + right) / 2, HEIGHT - 12, xLabel, 'text-anchor="middle"'),
    text(0, 0, yLabel, `text-anchor="middle" transform="translate(18 ${(AREA.top + bottom) / 2}) rotate(-90)"`),
  ]
}

const stroke = ({ colour, dashed }, width = 2) =>
  `stroke="${COLOURS[colour]}" stroke-width="${width}"${dashed ? ' stroke-dasharray="6 4"' : ''}`

// entries: [{ name, colour, dashed }]
const legend = (entries) => entries.map((entry, i) => {
  const x = WIDTH - AREA.right + 14, y = AREA.top + i * 22 + 8
  return line(x, y, x + 24, y, stroke(entry, entry.block ? 12 : 2)) + text(x + 32, y + 4, entry.name)
})

const svg = (parts) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ` +
  `font-family="system-ui, sans-serif" font-size="12" fill="#1b1f24">\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`

// series: [{ name, colour, dashed, points: [[x, y, least y, greatest y], …] }]; a pale band shows least to greatest.
function lines({ series, x, y, ...labels }) {
  const at = ([a, b]) => `${inX(x, a).toFixed(1)},${inY(y, b).toFixed(1)}`
  const drawn = series.map((one) => {
    const band = [...one.points.map(([a, , low]) => [a, low]), ...one.points.map(([a, , , high]) => [a, high]).reverse()]
    return `<polygon points="${band.map(at).join(' ')}" fill="${COLOURS[one.colour]}" opacity="0.15"/>` +
      `<polyline points="${one.points.map(at).join(' ')}" fill="none" ${stroke(one)}/>`
  })
  return svg([...axes({ x, y, ...labels }), ...drawn, ...legend(series)])
}

// One bar for each column: parts (one or more, one upon another) with a spread each; a single part gets a whisker from least to
// greatest.
function bars({ columns, parts, y, ...labels }) {
  const room = (WIDTH - AREA.left - AREA.right) / columns.length, wide = Math.min(90, room * 0.6)
  const drawn = columns.flatMap((name, c) => {
    const middle = AREA.left + room * (c + 0.5)
    let below = 0
    const pieces = parts.map(({ values }, i) => {
      const from = below, value = values[c]?.median ?? 0
      below += value
      const top = inY(y, below), bottom = parts.length > 1 ? inY(y, from) : HEIGHT - AREA.bottom
      return `<rect x="${(middle - wide / 2).toFixed(1)}" y="${top.toFixed(1)}" width="${wide.toFixed(1)}" ` +
        `height="${Math.max(0, bottom - top).toFixed(1)}" fill="${COLOURS[i]}"/>`
    })
    const only = parts.length === 1 && parts[0].values[c]
    if (only) pieces.push(line(middle, inY(y, only.min), middle, inY(y, only.max), 'stroke="#1b1f24" stroke-width="2"'))
    const top = inY(y, only ? only.max : below)
    const centred = 'text-anchor="middle"'
    return [...pieces, text(middle, top - 6, short(below), centred), text(middle, HEIGHT - AREA.bottom + 20, name, centred)]
  })
  const entries = parts.map(({ name }, colour) => ({ name, colour, block: true }))
  return svg([...axes({ y, ...labels }), ...drawn, ...legend(entries.length > 1 ? entries : [])])
}

module.exports = { lines, bars, linear, logarithmic, nines }
