// The languages against English, and English against what the page asks for. (The build itself ends at a missing key.)
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

declare const SOURCE: string

type Text = string | Record<string, string>

const read = (language: string): Record<string, Text> => JSON.parse(readFileSync(join(SOURCE, `i18n/${language}.json`), 'utf8'))
const languages = readdirSync(join(SOURCE, 'i18n')).map((name) => name.replace('.json', ''))
const en = read('en')

const filesOf = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name))
  .flatMap((path) => (statSync(path).isDirectory() ? filesOf(path) : [path]))

const namesIn = (text: Text): string => {
  const all = typeof text === 'string' ? [text] : Object.values(text)
  return [...new Set(all.flatMap((one) => one.match(/\{\w+\}/g) ?? []))].sort().join()
}

test('every text of English is used', () => {
  const source = filesOf(SOURCE).filter((path) => /\.tsx?$/.test(path)).map((path) => readFileSync(path, 'utf8')).join('\n')
  assert.deepEqual(Object.keys(en).filter((key) => !source.includes(`'${key}'`) && !source.includes(`"${key}"`)), [])
})

test('every language has every text, with the same names in it', () => {
  for (const language of languages) {
    const texts = read(language)
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(en).sort(), language)
    for (const key of Object.keys(en)) assert.equal(namesIn(texts[key]), namesIn(en[key]), `${language} ${key}`)
  }
})

test('every language has all of its plural forms', () => {
  for (const language of languages) {
    const rules = new Intl.PluralRules(language)
    const needed = [...new Set(Array.from({ length: 1000 }, (_, n) => rules.select(n + 1)))]
    for (const [key, text] of Object.entries(read(language))) {
      assert.equal(typeof text, typeof en[key], `${language} ${key}`)
      if (typeof text === 'object') assert.deepEqual(needed.filter((form) => !(form in text)), [], `${language} ${key}`)
    }
  }
})
