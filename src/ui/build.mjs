// node build.mjs FOLDER [--watch]: builds the page into FOLDER, which the server embeds or serves with --ui-dir.
//
//   FOLDER/index.html, sw.js, manifest.webmanifest, icon….svg   to be asked for anew
//   FOLDER/a/NAME-HASH.js, .css                                 never change under their names
//   FOLDER/….gz                                                 beside each of them
//
// The packages are those of the folder it is run in, so that nothing need be installed in the source tree. The source is
// written against React's API and runs on preact; UI_REACT=1 takes React itself.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const MOST_IN_ALL = 60 * 1024 // bytes of all .gz but those of other languages, of which a browser takes one at most
const MOST_AT_FIRST = 35 * 1024 // of those that the page names
const MOST_OF_ONE = 2 * 1024 // of a language

const STATIC = ['icon.svg', 'icon-maskable.svg', 'manifest.webmanifest']

const source = join(dirname(fileURLToPath(import.meta.url)), 'src')
const modules = resolve('node_modules')
const esbuild = createRequire(resolve('package.json'))('esbuild')
const react = process.env.UI_REACT === '1'
const [out, watch] = [resolve(process.argv[2] ?? 'dist'), process.argv[3] === '--watch']

const PREACT = {
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react-dom/client': 'preact/compat/client',
  'react-dom': 'preact/compat',
  react: 'preact/compat',
}

const common = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? 'inline' : false,
  target: ['chrome90', 'firefox90', 'safari15'],
  format: 'esm',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  nodePaths: [modules],
  alias: react ? {} : PREACT,
  jsx: 'automatic',
  tsconfigRaw: '{}',
  define: { 'process.env.NODE_ENV': '"production"' },
}

// Other languages' texts without their keys, in English's order. A text that is missing, or of which English knows
// nothing, ends the build.
const catalogues = {
  name: 'catalogues',
  setup: (build) => {
    build.onLoad({ filter: /i18n\/\w+\.json$/ }, ({ path }) => {
      if (basename(path) === 'en.json') return null
      const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
      const [keys, texts] = [Object.keys(read(join(source, 'i18n/en.json'))), read(path)]
      const wrong = [...keys.filter((key) => !(key in texts)), ...Object.keys(texts).filter((key) => !keys.includes(key))]
      if (wrong.length) return { errors: [{ text: `${basename(path)} and en.json differ in: ${wrong.join(', ')}` }] }
      return { contents: JSON.stringify(keys.map((key) => texts[key])), loader: 'json' }
    })
  },
}

// marked is one module that, as it is loaded, makes what writes HTML; here only its reader is used. What stands behind
// that is left out: 3 KB of 12, compressed.
const reader = {
  name: 'reader',
  setup: (build) => {
    build.onLoad({ filter: /marked\.esm\.js$/ }, ({ path }) => {
      const [wanted, rest] = readFileSync(path, 'utf8').split('// src/Renderer.ts')
      if (!rest) return { errors: [{ text: 'marked is not made as it was: where does its Renderer begin?' }] }
      return { contents: `${wanted}export { _Lexer as Lexer, _Tokenizer as Tokenizer }` }
    })
  },
}

const pages = {
  ...common,
  entryPoints: { app: join(source, 'main.tsx'), style: join(source, 'app.css') },
  outdir: join(out, 'a'),
  splitting: true,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  plugins: [catalogues, reader, {
    name: 'page',
    setup: (build) => {
      build.onStart(() => rmSync(out, { recursive: true, force: true }))
      build.onEnd((result) => { if (result.metafile) finish(result.metafile) })
    },
  }],
}

// What is static: the page, which names the hashed files, the service worker, which keeps them, and the icon.
function finish(metafile) {
  const made = Object.entries(metafile.outputs).map(([file, info]) => ({ name: `a/${basename(file)}`, ...info }))
  const entry = made.find((file) => file.entryPoint?.endsWith('main.tsx'))
  const style = made.find((file) => file.entryPoint?.endsWith('app.css'))
  const chunks = entry.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => `a/${basename(path)}`)
  const fill = (text, values) => text.replace(/%(\w+)%/g, (_, name) => values[name])
  const read = (name) => readFileSync(join(source, name), 'utf8')
  const preloads = chunks.map((name) => `<link rel="modulepreload" href="${name}">`).join('\n')
  write('index.html', fill(read('index.html'), { STYLE: style.name, ENTRY: entry.name, PRELOADS: preloads }))
  for (const name of STATIC) write(name, read(name))
  const kept = ['./', ...STATIC, ...made.map(({ name }) => name).sort()]
  const hash = createHash('sha256')
  for (const name of kept) hash.update(readFileSync(join(out, name === './' ? 'index.html' : name)))
  const worker = esbuild.buildSync({
    ...common,
    metafile: false,
    entryPoints: [join(source, 'sw.ts')],
    format: 'iife',
    write: false,
    define: { FILES: JSON.stringify(kept), BUILD: JSON.stringify(hash.digest('hex').slice(0, 8)) },
  })
  write('sw.js', worker.outputFiles[0].text)
  compress(['index.html', entry.name, style.name, ...chunks])
}

function write(name, text) {
  mkdirSync(dirname(join(out, name)), { recursive: true })
  writeFileSync(join(out, name), text)
}

function compress(first) {
  const sizes = new Map()
  for (const file of files(out)) {
    const bytes = gzipSync(readFileSync(file), { level: 9 })
    writeFileSync(`${file}.gz`, bytes)
    sizes.set(relative(out, file), bytes.length)
  }
  const sum = (names) => names.reduce((total, name) => total + sizes.get(name), 0)
  const languages = [...sizes.keys()].filter((name) => /^a\/[a-z]{2}-/.test(name))
  const all = sum([...sizes.keys()].filter((name) => !languages.includes(name)))
  const [atFirst, longest] = [sum(first), Math.max(...languages.map((name) => sizes.get(name)))]
  console.log(`page: ${all} bytes compressed, of which it names ${atFirst}; a further language: at most ${longest}`)
  if (!react && !watch && (all > MOST_IN_ALL || atFirst > MOST_AT_FIRST || longest > MOST_OF_ONE)) {
    throw new Error(`too large: at most ${MOST_IN_ALL}, ${MOST_AT_FIRST} and ${MOST_OF_ONE} bytes`)
  }
}

function files(folder) {
  return readdirSync(folder).map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]))
}

if (watch) await (await esbuild.context(pages)).watch()
else await esbuild.build(pages)
