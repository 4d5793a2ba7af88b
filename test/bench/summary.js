// From the results of all rounds to what is reported of a case: each figure of each column with its least, median and greatest over
// the rounds, the goals likewise (a ratio is taken within a round), and curves for the plots.
'use strict'

function spread(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  if (!sorted.length) return null
  const middle = (sorted.length - 1) / 2
  return { min: sorted[0], median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2, max: sorted[sorted.length - 1] }
}

function met(limit, value) {
  if (!limit || !value) return null
  const [sign, number] = limit.split(' ')
  return sign === '<=' ? value.median <= Number(number) : value.median >= Number(number)
}

// [[percent, spread of ms], …] of a histogram.
function curve(histograms) {
  const whole = histograms.filter(Boolean)
  return whole.length ? whole[0].curve.map(([percent], i) => [percent, spread(whole.map((h) => h.curve[i][1]))]) : []
}

// Requests that failed; messages that did not come to a stream just once and in order; streams that were refused or cut off.
const wrong = (r) => ['missing', 'duplicates', 'disorder', 'foreign', 'failed', 'lost'].reduce((sum, name) => sum + (r[name] ?? 0), 0) +
  (r.beside ? wrong(r.beside) : 0)

// A result without its histograms' buckets, of which the curve says enough here.
function brief(result) {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return result
  return Object.fromEntries(Object.entries(result).filter(([name]) => name !== 'buckets').map(([name, value]) => [name, brief(value)]))
}

// `runs`: those of the case that ran, a column each; `rounds`: for each round, its results by column. A goal that needs a column which
// did not run has no value.
function summarize(c, runs, rounds) {
  const columns = runs.map((run) => run.name)
  const own = runs.filter((run) => run.server === 'parley').map((run) => run.name)
  const figures = (result) => Object.fromEntries(c.figures.map(([label, , of]) => [label, of(result)]))
  const ofRound = rounds.map((results) => Object.fromEntries(columns.map((name) => [name, figures(results[name])])))
  const overRounds = (of) => spread(ofRound.map((row) => of((name) => row[name] ?? {})))
  return {
    name: c.name,
    title: c.title,
    elsewhere: c.elsewhere ?? [],
    columns,
    servers: runs.map((run) => run.server),
    figures: c.figures.map(([label, unit]) =>
      ({ label, unit, values: columns.map((name) => overRounds((column) => column(name)[label])) })),
    goals: c.goals.map(([label, limit, of]) => {
      const value = overRounds(of)
      return { label, limit, value, met: met(limit, value) }
    }),
    plots: c.plots.map(({ of, ...plot }) =>
      ({ ...plot, curves: of && columns.map((name) => curve(rounds.map((results) => of(results[name])))) })),
    wrong: rounds.flatMap((results) => own.map((name) => wrong(results[name]))).reduce((a, b) => a + b, 0),
    rounds: rounds.map((results) => Object.fromEntries(Object.entries(results).map(([name, result]) => [name, brief(result)]))),
  }
}

module.exports = { summarize, wrong }
