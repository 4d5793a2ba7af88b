// Bundles each test beside it and runs them all: node --test knows no TypeScript.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const esbuild = createRequire(import.meta.url)('esbuild')
const out = mkdtempSync(join(tmpdir(), 'parley-ui-'))
process.on('exit', () => rmSync(out, { recursive: true, force: true }))

const names = readdirSync(here).filter((name) => name.endsWith('.test.ts'))
await esbuild.build({
  entryPoints: names.map((name) => join(here, name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node18',
  format: 'esm',
  jsx: 'automatic',
  tsconfigRaw: '{}',
  logLevel: 'warning',
  // What modules look at when they are loaded; nothing of a page is made up beyond that.
  banner: {
    js: "import { webcrypto } from 'node:crypto'\n" +
      "for (const [name, value] of Object.entries({ crypto: webcrypto, navigator: { languages: ['en-GB'] } }))\n" +
      "  Object.defineProperty(globalThis, name, { value, configurable: true })",
  },
  define: { SOURCE: JSON.stringify(join(here, '../src')) },
})
const files = names.map((name) => join(out, name.replace(/\.ts$/, '.mjs')))
process.exit(spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1)
