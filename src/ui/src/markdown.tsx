// Markup of messages, drawn as elements: never as HTML text, so that there is nothing to be cleaned. A chunk of its own,
// which is loaded when the first message needs it.
//
// Emphasis, code, quotes, lists, links and line breaks; what else Markdown knows (headings, tables, pictures, HTML, rules,
// references) stays as it was typed.
import './main' // is there already: what both use stays in its file
import { Lexer, Tokenizer, type Token, type Tokens } from 'marked'
import { Fragment, type ReactNode } from 'react'
import { CodeBlock } from './views/code'

const MOST_TOKENS = 2000
const MOST_DEEP = 6

class Reader extends Tokenizer {
  code = () => undefined
  heading = () => undefined
  lheading = () => undefined
  hr = () => undefined
  html = () => undefined
  tag = () => undefined
  table = () => undefined
  def = () => undefined
  reflink = () => undefined
}

// Drawn as it was typed instead.
class TooMuch extends Error {}

// What marks emphasis and links costs marked time by its square and its cube: 8,000 characters of "![](x" take a minute.
// No text that is meant has as many of them, outside of code.
const MOST_STARS = 300
const MOST_BRACKETS = 150
const DEEP = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){7}/m // quotes and lists in each other

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0

function isTame(text: string): boolean {
  const prose = text.replace(/```[^`]*```/g, '')
  return count(prose, /[*_~`]/g) <= MOST_STARS && count(prose, /[[(!]/g) <= MOST_BRACKETS && !DEEP.test(prose)
}

const SCHEMES = ['http:', 'https:', 'mailto:']

// The address as a link of the page, or null.
function safe(href: string): string | null {
  if (/^\/api\/media\/file\/[^/?#]+/.test(href)) return href.slice(1)
  try {
    const url = new URL(href)
    return SCHEMES.includes(url.protocol) ? url.href : null
  } catch {
    return null
  }
}

type Plain = (text: string) => ReactNode

class Drawing {
  #tokens = 0
  #plain: Plain

  constructor(plain: Plain) {
    this.#plain = plain
  }

  all(tokens: Token[] = [], depth = 0): ReactNode[] {
    if (depth > MOST_DEEP) throw new TooMuch()
    return tokens.map((token, at) => <Fragment key={at}>{this.#one(token, depth)}</Fragment>)
  }

  #one(token: Token, depth: number): ReactNode {
    if (++this.#tokens > MOST_TOKENS) throw new TooMuch()
    const inner = () => this.all((token as Tokens.Generic).tokens, depth + 1)
    switch (token.type) {
      case 'space': return null
      case 'paragraph': return <p>{inner()}</p>
      case 'blockquote': return <blockquote>{inner()}</blockquote>
      case 'code': return <CodeBlock text={token.text} />
      case 'list': return this.#list(token as Tokens.List, depth)
      case 'strong': return <strong>{inner()}</strong>
      case 'em': return <em>{inner()}</em>
      case 'del': return <del>{inner()}</del>
      case 'codespan': return <code>{this.#plain(token.text)}</code>
      case 'br': return <br />
      case 'link': return this.#link(token as Tokens.Link, depth)
      case 'escape': return token.text
      case 'text': return (token as Tokens.Text).tokens ? inner() : this.#plain(token.text)
      default: return this.#plain(token.raw)
    }
  }

  #list({ ordered, start, items }: Tokens.List, depth: number): ReactNode {
    const rows = items.map((item, at) => (
      <li key={at}>{item.task && (item.checked ? '☑ ' : '☐ ')}{this.all(item.tokens, depth + 2)}</li>
    ))
    return ordered ? <ol start={Number(start) || 1}>{rows}</ol> : <ul>{rows}</ul>
  }

  #link({ href, raw, tokens }: Tokens.Link, depth: number): ReactNode {
    const address = safe(href)
    if (!address) return raw
    return (
      <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>
        {this.all(tokens, depth + 1)}
      </a>
    )
  }
}

// `plain` draws what has no markup. null: it is to be shown as it was typed, as is what the reader cannot take: quotes a
// thousand deep.
export function drawMarkdown(text: string, plain: Plain): ReactNode {
  if (!isTame(text)) return null
  try {
    const tokens = new Lexer({ gfm: true, breaks: true, tokenizer: new Reader() }).lex(text)
    return new Drawing(plain).all(tokens)
  } catch {
    return null
  }
}
