// The service worker, where the page is secure: the page's own files open without the network. What is under api/ is
// never kept here: what was seen of it last is the page's to keep (snapshot.ts).
//
// Each build has a cache of its own, which holds all of it or nothing. The one before goes when a new one is whole.
declare const FILES: string[] // of this build
declare const BUILD: string // differs where any of them does

// What a worker has; the types of one stand against those of a page.
interface ServiceWorkerGlobal {
  addEventListener(name: string, act: (event: WorkerEvent) => void): void
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void>; matchAll(options: object): Promise<WindowClient[]>; openWindow(url: string): Promise<unknown> }
  registration: { scope: string }
}

interface WindowClient {
  focus(): Promise<unknown>
  navigate(url: string): Promise<unknown>
}

interface WorkerEvent extends Event {
  request: Request
  notification: Notification
  waitUntil(done: Promise<unknown>): void
  respondWith(answer: Promise<Response>): void
}

const worker = self as unknown as ServiceWorkerGlobal
const { scope } = worker.registration
const OURS = `parley ${scope} `
const CACHE = OURS + BUILD
const PATIENCE_MS = 2_000

const find = (request: RequestInfo) => caches.match(request, { cacheName: CACHE }).catch(() => undefined)

// A server that changes meanwhile may give the page of one build and the files of another; the next try is better.
async function fill(): Promise<void> {
  await (await caches.open(CACHE)).addAll(FILES)
  const names = (await (await find('./'))?.text() ?? '').matchAll(/"(a\/[\w.-]+)"/g)
  if ([...names].some(([, name]) => !FILES.includes(name))) throw await caches.delete(CACHE)
}

async function forgetOld(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(OURS) && name !== CACHE) await caches.delete(name)
}

// The page itself: as the server has it now, but without waiting for one that does not answer, or a proxy that says so.
async function page(request: Request): Promise<Response> {
  const kept = await find('./')
  const fresh = fetch(request)
  if (!kept) return fresh
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS))
  return Promise.race([fresh.then((response) => (response.status < 500 ? response : kept), () => kept), late])
}

// A conversation that was told of (lazy/call.ts), in a page that is there already or in a new one.
async function open({ data }: Notification): Promise<void> {
  const [page] = await worker.clients.matchAll({ type: 'window' })
  if (!page) return void worker.clients.openWindow(scope + data)
  await page.focus().catch(() => {})
  await page.navigate(scope + data)
}

worker.addEventListener('install', (event) => event.waitUntil(fill().then(() => worker.skipWaiting())))
worker.addEventListener('activate', (event) => event.waitUntil(forgetOld().then(() => worker.clients.claim())))
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification))
})
worker.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || !request.url.startsWith(scope)) return
  const path = request.url.slice(scope.length)
  if (path.startsWith('api/')) return
  if (request.mode === 'navigate') event.respondWith(page(request))
  else if (FILES.includes(path)) event.respondWith(find(request).then((kept) => kept ?? fetch(request)))
})
