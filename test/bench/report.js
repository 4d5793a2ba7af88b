// The report of a run: results.md and the plots beside it. `node report.js` makes them again from build/bench/results.json.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const plot = require('./plot.js')

// Three digits, more for what is counted.
function number(value) {
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function cell(spread) {
  if (!spread) return ''
  return spread.min === spread.max ? number(spread.median) : `${number(spread.median)} (${number(spread.min)} to ${number(spread.max)})`
}

const row = (cells) => `| ${cells.join(' | ')} |\n`
const table = (head, rows) => row(head) + row(head.map(() => '---')) + rows.map(row).join('')

const sign = (limit) => limit.replace('<=', '≤').replace('>=', '≥')

function goals(results) {
  const verdict = (goal) => goal.met === null ? '' : goal.met ? 'met' : '**not met**'
  const rows = results.cases.flatMap((c) => c.goals.filter((goal) => goal.value)
    .map((goal) => [c.title, goal.label, cell(goal.value), sign(goal.limit), verdict(goal)]))
  return table(['case', 'what', 'measured', 'goal', ''], rows) + missing(results)
}

// The goals about which this run says nothing.
function missing(results) {
  const idle = results.cases.flatMap((c) => c.goals.filter((goal) => goal.limit && !goal.value).map((goal) => `${c.title}: ${goal.label} ${sign(goal.limit)}, since not all of it ran`))
  const told = [...results.cases.flatMap((c) => c.elsewhere.map((text) => `${c.title}: ${text}`)), ...idle]
  return told.length ? `\nNot measured here:\n\n${told.map((text) => `- ${text}\n`).join('')}` : ''
}

function figures(c) {
  const name = ({ label, unit }) => unit ? `${label}, ${unit}` : label
  const rows = c.figures.filter((f) => f.values.some(Boolean)).map((f) => [name(f), ...f.values.map(cell)])
  return table(['', ...c.columns], rows)
}

function head(r) {
  const m = r.machine
  return `# Parley, measured\n\n${m.cpu}, ${m.cores} cores, ${m.memory}, ${m.kernel}, data on ${m.filesystem}. ` +
    `Commit ${r.commit}, ${r.date.slice(0, 16).replace('T', ' ')} UTC, ${r.rounds} ${r.rounds === 1 ? 'round' : 'rounds'}` +
    `${r.quick ? ' (quick)' : ''}, ${r.seconds} s; load average before it ${r.load_before.toFixed(1)}.\n` +
    `${Object.entries(r.versions).map(([name, version]) => `${name}: ${version}`).join('; ')}.\n\n` +
    'Median over the rounds, least and greatest in brackets; ratios are taken within a round. The load ran on the same cores. Latency of a ' +
    'stream is from when a message was due to be posted until the stream read it. Parley and Payload commit each message to the disk ' +
    'first; nchan and the bare loop do not.\n\n'
}

const picture = (c, p) => `${c.name}-${p.file}.svg`
const points = (curve, most) => curve.filter(([percent]) => percent <= most).map(([percent, s]) => [percent, s.median, s.min, s.max])

// A colour for each server, and a server's further columns dashed; of one server alone, a colour for each column.
function styles(c) {
  const several = new Set(c.servers).size > 1
  return c.servers.map((server, i) => ({
    name: c.columns[i],
    colour: several ? ['parley', 'nchan', 'bare', 'payload'].indexOf(server) : i,
    dashed: several && c.servers.indexOf(server) < i,
  }))
}

const kinds = {
  percentiles(c, p, labels) {
    const series = styles(c).map((style, i) => ({ ...style, points: points(p.curves[i], 99.9) })).filter((s) => s.points.length)
    const all = series.flatMap((s) => s.points.flatMap(([, , least, most]) => [least, most]))
    if (!all.length) return null
    const y = plot.logarithmic(Math.max(Math.min(...all), 0.01), Math.max(...all))
    return plot.lines({ ...labels, series, x: plot.nines(), y, xLabel: 'percentile', yLabel: 'milliseconds' })
  },
  arrivals(c, p, labels) {
    const turned = (curve) => points(curve, 100).map(([percent, ms]) => [ms / 1000, percent, percent, percent])
    const series = styles(c).map((style, i) => ({ ...style, points: turned(p.curves[i]) })).filter((s) => s.points.length)
    if (!series.length) return null
    const x = plot.linear(Math.max(...series.flatMap((s) => s.points.map(([seconds]) => seconds))))
    return plot.lines({ ...labels, series, x, y: plot.linear(100), xLabel: 'seconds since the first connect', yLabel: '% of the streams' })
  },
  // A figure of several columns against what is different in them.
  against(c, p, labels) {
    const values = ({ figure, columns }) => {
      const row = c.figures.find((f) => f.label === figure).values
      return columns.map((name, i) => [p.x[i], row[c.columns.indexOf(name)]]).filter(([, spread]) => spread)
    }
    const series = p.lines.map((line, colour) => ({ name: line.name, colour, points: values(line).map(([x, s]) => [x, s.median, s.min, s.max]) }))
      .filter((s) => s.points.length > 1)
    const all = series.flatMap((s) => s.points.flatMap(([, , least, most]) => [least, most]))
    if (!all.length) return null
    const y = p.y === 'linear' ? plot.linear(Math.max(...all)) : plot.logarithmic(Math.max(Math.min(...all), 0.01), Math.max(...all))
    return plot.lines({ ...labels, series, x: plot.logarithmic(Math.min(...p.x), Math.max(...p.x)), y, xLabel: p.xLabel, yLabel: p.unit })
  },
  bars(c, p, labels) {
    const parts = Object.entries(p.parts).map(([name, label]) => ({ name, values: c.figures.find((f) => f.label === label).values }))
    const most = Math.max(...c.columns.map((_, i) => parts.reduce((sum, { values }) => sum + (values[i]?.max ?? 0), 0)))
    if (!(most > 0)) return null
    return plot.bars({ ...labels, columns: c.columns, parts, y: plot.linear(most), xLabel: '', yLabel: p.unit })
  },
}

// Writes everything into `folder`, and returns the Markdown.
function write(results, folder) {
  for (const name of fs.readdirSync(folder)) if (name.endsWith('.svg')) fs.rmSync(path.join(folder, name))
  let markdown = head(results) + goals(results)
  for (const c of results.cases) {
    markdown += `\n## ${c.title}\n\n${figures(c)}`
    for (const p of c.plots) {
      const svg = kinds[p.kind](c, p, { title: c.title, subtitle: p.title })
      if (!svg) continue
      fs.writeFileSync(path.join(folder, picture(c, p)), svg)
      markdown += `\n![${p.title}](${picture(c, p)})\n`
    }
  }
  fs.writeFileSync(path.join(folder, 'results.md'), markdown)
  return markdown
}

module.exports = { write }

if (require.main === module) {
  const folder = path.join(__dirname, '../../build/bench')
  console.log(write(JSON.parse(fs.readFileSync(path.join(folder, 'results.json'))), folder))
}
