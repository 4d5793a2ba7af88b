// The page's beginning.
import { createRoot } from 'react-dom/client'
import { App, loadEntry } from './app'
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
  // Most who come are signed in, and have all they need. For others the form is fetched while the server is asked.
  if (!lastIn()) loadEntry().catch(() => {})
  await applySettings()
  const root = document.getElementById('app')
  if (root) createRoot(root).render(<App />)
  watchSession()
  await started
  // Only where it is secure; a page that cannot have it works without.
  if (!isSecureContext || !('serviceWorker' in navigator)) return
  navigator.serviceWorker.addEventListener('controllerchange', () => void lookForUpdate())
  await navigator.serviceWorker.register(workerAddress()).catch(() => {})
}

void main()
