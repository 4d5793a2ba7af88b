import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOf } from '../src/lazy/device'

const webkit = (system: string, rest: string) => `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) ${rest}`

test('a browser is called by its own name, not by those that it names too', () => {
  const agents: Record<string, string> = {
    'Chrome on Linux': webkit('X11; Linux x86_64', 'Chrome/120.0.0.0 Safari/537.36'),
    'Chrome on Android': webkit('Linux; Android 10; K', 'Chrome/120.0.0.0 Mobile Safari/537.36'),
    'Chrome on ChromeOS': webkit('X11; CrOS x86_64 14541.0.0', 'Chrome/120.0.0.0 Safari/537.36'),
    'Chrome on iPhone': webkit('iPhone; CPU iPhone OS 17_0 like Mac OS X', 'CriOS/120.0.0.0 Mobile/15E148 Safari/604.1'),
    'Edge on Windows': webkit('Windows NT 10.0; Win64; x64', 'Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0'),
    'Opera on Windows': webkit('Windows NT 10.0; Win64; x64', 'Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0'),
    'Samsung Internet on Android': webkit('Linux; Android 10; K', 'SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36'),
    'Firefox on Linux': 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0',
    'Safari on macOS': webkit('Macintosh; Intel Mac OS X 10_15_7', 'Version/17.0 Safari/605.1.15'),
    'Safari on iPad': webkit('iPad; CPU OS 17_0 like Mac OS X', 'Version/17.0 Mobile/15E148 Safari/604.1'),
  }
  for (const [name, agent] of Object.entries(agents)) assert.equal(deviceOf(agent), name)
})

test('what is not known is shown as what it says, cut; what says nothing as unknown', () => {
  assert.equal(deviceOf('curl/8.5.0'), 'curl/8.5.0')
  assert.equal(deviceOf('x'.repeat(256)), 'x'.repeat(60))
  assert.equal(deviceOf('Chrome'), 'Chrome')
  for (const none of [null, '']) assert.equal(deviceOf(none), 'Unknown device')
})
