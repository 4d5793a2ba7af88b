// node build.mjs FOLDER [--watch]: builds the page into FOLDER, which the server embeds or serves with --ui-dir.
//
//   FOLDER/index.html, sw.js, manifest.webmanifest, icon….svg, .png   to be asked for anew
//   FOLDER/a/NAME-HASH.js, .css                                       never change under their names
//   FOLDER/….gz                                                       beside each text of them, but with --watch
//
// The packages are those of the folder it is run in, so that nothing need be installed in the source tree. The source is
// written against React's API and runs on preact; UI_REACT=1 takes React itself.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const MOST_IN_ALL = 60 * 1024 // bytes of all .gz
const MOST_AT_FIRST = 35 * 1024 // of those that a first thread needs, which the page names

const STATIC = ['icon.svg', 'icon-maskable.svg', 'manifest.webmanifest']
// For systems that take no SVG, as the home screen of iOS, which wants it as wide as this and without an edge.
const DRAWN = { name: 'icon.png', of: 'icon-maskable.svg', width: 180 }

const source = join(dirname(fileURLToPath(import.meta.url)), 'src')
const modules = resolve('node_modules')
const load = createRequire(resolve('package.json'))
const [esbuild, terser, zopfli, resvg] = ['esbuild', 'terser', '@gfx/zopfli', '@resvg/resvg-wasm'].map(load)
await resvg.initWasm(readFileSync(load.resolve('@resvg/resvg-wasm/index_bg.wasm')))
const { version: terserVersion } = load('terser/package.json')
const react = process.env.UI_REACT === '1'
const [out, watch] = [resolve(process.argv[2] ?? 'dist'), process.argv[3] === '--watch']

const PREACT = {
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react-dom/client': 'preact/compat/client',
  'react-dom': 'preact/compat',
  react: 'preact/compat',
}

// terser's options. What it does to these is shorter, but compresses less well: 100 bytes.
const UNTOUCHED = { sequences: false, lhs_constants: false, computed_props: false }
const PRESS = { module: true, ecma: 2020, compress: { passes: 3, ...UNTOUCHED } }

const common = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? 'inline' : false,
  target: ['chrome92', 'firefox98', 'safari15.4'], // which have <dialog> and Array.prototype.at
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

// A plural form that is as `other` need not be there.
function withoutEqual(text) {
  if (typeof text === 'string') return text
  const forms = Object.entries(text).filter(([form, one]) => form === 'other' || one !== text.other)
  return forms.length > 1 ? Object.fromEntries(forms) : text.other
}

// What comes later. English texts that nothing else asks for come with it (i18n-later.ts).
const LATER = /\bsrc\/(lazy\/\w+|views\/(auth|dialog|field|form))\.tsx?$/

const catalogue = (name) => JSON.parse(readFileSync(join(source, 'i18n', name), 'utf8'))

// English's keys: those that a first thread may ask for, and the others.
function keysOfEnglish() {
  const first = files(source).filter((path) => /\.tsx?$/.test(path) && !LATER.test(path)).map((path) => readFileSync(path, 'utf8')).join('\n')
  const keys = Object.keys(catalogue('en.json'))
  const early = keys.filter((key) => first.includes(`'${key}'`) || first.includes(`"${key}"`))
  return { early, late: keys.filter((key) => !early.includes(key)) }
}

// Texts without their keys, in English's order, and where a key is written, its place there instead: 1.6 KB, compressed.
// A key with a dot is one wherever it stands, another one in t('…') alone. A text that is missing, or of which English
// knows nothing, ends the build.
const catalogues = {
  name: 'catalogues',
  setup: (build) => {
    let early, late, keys
    build.onStart(() => {
      ({ early, late } = keysOfEnglish())
      keys = [...early, ...late]
    })
    build.onLoad({ filter: /i18n\/\w+\.json$/ }, ({ path, suffix }) => {
      const name = basename(path)
      const texts = catalogue(name)
      const wrong = [...keys.filter((key) => !(key in texts)), ...Object.keys(texts).filter((key) => !keys.includes(key))]
      if (wrong.length) return { errors: [{ text: `${name} and en.json differ in: ${wrong.join(', ')}` }] }
      const list = (some) => JSON.stringify(some.map((key) => withoutEqual(texts[key])))
      if (name !== 'en.json') return { contents: list(keys), loader: 'json' }
      if (!suffix) return { contents: list(early), loader: 'json' }
      // With holes, so that each is at its place.
      return { contents: `export default [${','.repeat(early.length)}${list(late).slice(1)}`, loader: 'js' }
    })
    build.onLoad({ filter: /\/src\/ui\/src\/.*\.tsx?$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replace(/(\bt\()'(\w+)'|'(\w+\.[\w.]+)'|="(\w+\.[\w.]+)"/g, (found, call = '', word, key, attribute) => {
        const place = keys.indexOf(word ?? key ?? attribute)
        if (place < 0) return found
        return attribute ? `={${place}}` : `${call}${place}`
      })
      return { contents, loader: extname(path).slice(1) }
    })
  },
}

// marked is one module, of which markdown.tsx uses the reader alone, without what it puts out of use there (`Plain`). The
// rest is left out: what writes HTML, which is made as the module is loaded, the methods that are replaced with what calls
// them, the rules that only they ask for, extensions, other ways in, and the old dialect, "pedantic". 6 KB of 12, compressed.
const OFF = [...readFileSync(join(source, 'markdown.tsx'), 'utf8').matchAll(/^ {2}(\w+) = \(\) => undefined$/gm)].map(([, name]) => name)
const CUTS = [ // what, how often, what stands in its place
  [/\n\/\/ src\/Renderer\.ts\n.*/gs, 1, '\nexport { _Lexer as Lexer, _Tokenizer as Tokenizer }'],
  [new RegExp(`\n {2}(${OFF.join('|')})\\(src.*?\n {2}}(?=\n)`, 'gs'), OFF.length, ''],
  [new RegExp(`\n {6}if \\(token = this\\.tokenizer\\.(${OFF.join('|')})\\(.*?\n {6}}(?=\n)`, 'gs'), OFF.length, ''],
  [/\n {6}if \(this\.options\.extensions\?.*?\n {6}}(?=\n)/gs, 4, ''],
  [/(?<=\nfunction _getDefaults\(\) {\n {2}return {).*?(?=};\n)/gs, 1, ''],
  [/\n {2}static (get rules|lex|lexInline)\(.*?\n {2}}(?=\n)/gs, 3, ''],
  [/\nfunction (escape2|cleanUrl|splitCells)\(.*?\n}(?=\n)/gs, 3, ''],
  [/\n {4}if \(this\.tokens\.links\) {.*?\n {4}}(?=\n)/gs, 1, ''],
  [/\nvar (html|def|lheading|lheadingGfm|gfmTable|tag|reflink|nolink|reflinkSearch|emStrongLDelim|emStrongRDelimAst) = edit\(.*?\.getRegex\(\);/gs, 11, '\nvar $1 = noopTest;'],
  [/,\n {2}paragraph: edit\(_paragraph\).*?"table", gfmTable\).*?(?=\n)/g, 1, ''],
  [/\.replace\("html", "<\/\?.*?\.replace\("tag", _tag\)/g, 1, '.replace("|html", "")'],
  [/\nvar (block|inline)Pedantic = {.*?\n};/gs, 2, ''],
  [/,\n {2}pedantic: \w+Pedantic/g, 2, ''],
  [/this\.options\.pedantic/g, 8, 'false'],
]
// The small rules, which are one object: those that what is left asks for.
const SMALL = /(?<=\nvar other = {)\n.*?(?=\n};)/s
const used = (contents) => contents.replace(SMALL, (rules) =>
  rules.replace(/\n {2}(\w+): \/.*,(?=\n)/g, (rule, name) => (contents.includes(`other.${name}`) ? rule : '')))

const reader = {
  name: 'reader',
  setup: (build) => {
    build.onLoad({ filter: /marked\.esm\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8')
      for (const [what, times, instead] of CUTS) {
        const found = contents.match(what)?.length ?? 0
        if (found !== times) return { errors: [{ text: `marked is not made as it was: ${what} is found ${found} times, not ${times}` }] }
        contents = contents.replace(what, instead)
      }
      return { contents: used(contents) }
    })
  },
}

const pages = {
  ...common,
  entryPoints: { app: join(source, 'main.tsx'), style: join(source, 'app.css'), later: join(source, 'later.css') },
  outdir: join(out, 'a'),
  splitting: true,
  write: false,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  banner: watch ? {} : { js: `// ${terserVersion} ${JSON.stringify(PRESS)}` }, // the names tell this, too
  plugins: [catalogues, reader, { name: 'page', setup: (build) => build.onEnd(finish) }],
}

// The files that esbuild has made, and what is static: the page, which names them, the service worker, which keeps them,
// and the icon.
async function finish({ metafile, outputFiles }) {
  if (!metafile) return
  rmSync(out, { recursive: true, force: true })
  const made = new Map(Object.entries(metafile.outputs).map(([file, info]) => [basename(file), info]))
  const madeOf = (name) => [...made.keys()].find((file) => made.get(file).entryPoint?.endsWith(name))
  const imported = (file) => made.get(file).imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => basename(path))
  const withImported = (file) => [file, ...imported(file).flatMap(withImported)]
  const style = madeOf('app.css')
  // Whatever comes later imports main.tsx: so all that the page begins with is in one file, for which esbuild makes an
  // entry that does nothing but import it.
  const script = [...made.keys()].find((file) => Object.keys(made.get(file).inputs).some((name) => name.endsWith('main.tsx')))
  if (imported(script).length && !react) return fail('what the page begins with is in two files: something that comes later does not import main.tsx')
  if (!made.get(script).entryPoint) made.delete(madeOf('main.tsx'))
  const early = withImported(script).flatMap((file) => Object.keys(made.get(file).inputs)).find((name) => LATER.test(name))
  if (early) return fail(`${early} comes at first: its texts would come later`)
  for (const { path, text } of outputFiles) {
    const name = basename(path)
    if (made.has(name)) write(`a/${name}`, name.endsWith('.js') ? await press(text) : text)
  }
  const read = (name) => readFileSync(join(source, name), 'utf8')
  const names = { STYLE: style, LATER: madeOf('later.css'), SCRIPT: script }
  write('index.html', read('index.html').replace(/%(\w+)%/g, (_, name) => `a/${names[name]}`))
  for (const name of STATIC) write(name, read(name))
  write(DRAWN.name, new resvg.Resvg(read(DRAWN.of), { fitTo: { mode: 'width', value: DRAWN.width } }).render().asPng())
  const kept = ['./', ...STATIC, ...[...made.keys()].map((name) => `a/${name}`).sort()]
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
  write('sw.js', await press(worker.outputFiles[0].text))
  if (watch) return
  const sizes = await compress()
  const sum = (names) => [...new Set(names)].reduce((total, name) => total + sizes.get(name), 0)
  const first = ['index.html', ...[style, ...withImported(script)].map((name) => `a/${name}`)]
  const form = withImported(madeOf('auth.tsx')).map((name) => `a/${name}`)
  const [all, thread, signIn] = [sum(sizes.keys()), sum(first), sum([...first, ...form])]
  console.log(`page: ${all} bytes compressed, of which a first thread needs ${thread}, signing in ${signIn}`)
  if (!react && (all > MOST_IN_ALL || thread > MOST_AT_FIRST)) {
    fail(`the page is too large: at most ${MOST_IN_ALL} bytes, and ${MOST_AT_FIRST} at first`)
  }
}

function fail(why) {
  console.error(why)
  process.exitCode = 1
}

async function press(text) {
  return watch ? text : (await terser.minify(text, PRESS)).code
}

function write(name, text) {
  mkdirSync(dirname(join(out, name)), { recursive: true })
  writeFileSync(join(out, name), text)
}

// Their sizes, compressed, by their names.
async function compress() {
  const sizes = new Map()
  for (const file of files(out).filter((path) => extname(path) !== '.png')) {
    const bytes = await zopfli.gzipAsync(readFileSync(file), { numiterations: 200 })
    writeFileSync(`${file}.gz`, bytes)
    sizes.set(relative(out, file), bytes.length)
  }
  return sizes
}

function files(folder) {
  return readdirSync(folder).map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path) : [path]))
}

if (watch) await (await esbuild.context(pages)).watch()
else await esbuild.build(pages).catch(({ message }) => {
  console.error(message)
  process.exit(1)
})
