// The service worker, where the page is secure: the page's own files open without the network. What is under api/ is
// never kept: messages are the server's to give.
declare const FILES: string[] // of this build, which never change under their names

// What a worker has; the types of one stand against those of a page.
interface ServiceWorkerGlobal {
  addEventListener(name: string, act: (event: WorkerEvent) => void): void
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void> }
  registration: { scope: string }
}

interface WorkerEvent extends Event {
  request: Request
  waitUntil(done: Promise<unknown>): void
  respondWith(answer: Promise<Response>): void
}

const worker = self as unknown as ServiceWorkerGlobal
const CACHE = 'parley-page'
const PATIENCE_MS = 2_000

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll(['./', 'icon.svg', ...FILES])
}

async function forgetOld(): Promise<void> {
  const cache = await caches.open(CACHE)
  const wanted = new Set(['./', 'icon.svg', ...FILES].map((name) => new URL(name, worker.registration.scope).href))
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request)
}

// The page itself: as the server has it now, but without waiting for one that does not answer.
async function page(request: Request): Promise<Response> {
  const kept = await caches.match('./')
  const fresh = fetch(request).then(async (response) => {
    if (response.ok) await (await caches.open(CACHE)).put('./', response.clone())
    return response
  })
  if (!kept) return fresh
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS))
  return Promise.race([fresh.catch(() => kept), late])
}

worker.addEventListener('install', (event) => event.waitUntil(fill().then(() => worker.skipWaiting())))
worker.addEventListener('activate', (event) => event.waitUntil(forgetOld().then(() => worker.clients.claim())))
worker.addEventListener('fetch', (event) => {
  const { request } = event
  const path = request.url.startsWith(worker.registration.scope) ? request.url.slice(worker.registration.scope.length) : null
  if (request.method !== 'GET' || path === null || path.startsWith('api/')) return
  if (request.mode === 'navigate') event.respondWith(page(request))
  else if (path.startsWith('a/')) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)))
})
