// The page's beginning.
import { createRoot } from 'react-dom/client'
import { App, loadSigned } from './app'
import { applySettings } from './settings'
import { start, watchSession } from './session'
import { lastIn } from './snapshot'
import { lookForUpdate } from './update'

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(text: string): string }
}

const WORKER = 'sw.js'

// The one address of a script that the page's policy lets through.
function workerAddress(): string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes }
  return trustedTypes?.createPolicy('parley', { createScriptURL: () => WORKER }).createScriptURL('') ?? WORKER
}

async function main(): Promise<void> {
  const started = start()
  // Most who come are signed in: what they need is fetched while the server is asked, for others once they see a form.
  if (lastIn()) loadSigned().catch(() => {})
  await applySettings()
  const root = document.getElementById('app')
  if (root) createRoot(root).render(<App />)
  watchSession()
  await started
  loadSigned().catch(() => {})
  // Only where it is secure; a page that cannot have it works without.
  if (!isSecureContext || !('serviceWorker' in navigator)) return
  navigator.serviceWorker.addEventListener('controllerchange', () => void lookForUpdate())
  await navigator.serviceWorker.register(workerAddress()).catch(() => {})
}

void main()
