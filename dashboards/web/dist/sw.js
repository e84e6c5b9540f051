// Keeps the inspectors' page for when there is no network: the page itself and what it needs to inspect. Must not touch the
// API's answers, nor any other page: what is of people and of now is asked of the server or not had at all.
// The two constants are the build's.
const VERSION = '77cb67a1c3a56126';
const FILES = ['./assets/Inspect-Crf5zIpg.js', './assets/Inspect-DYBLbolI.css', './assets/Panel-BuQ4N_7W.css', './assets/Panel-C-JT3AWY.js', './assets/StreamBadge-DbInYebu.js', './assets/StreamBadge-DtmAwryt.css', './assets/drafts.svelte-B3RBP1v4.js', './assets/inspectors-CeM1Q_dc.js', './assets/inspectors-DwebE6r3.css', './assets/plan-CUjcMpfz.js', './assets/streams-DvqQFzzm.js', './assets/text-BtszovCa.js'];

const CACHE = `hemu-${VERSION}`;
const PAGE = './';
/** A network that is there and carries nothing is as good as none after so long. */
const PATIENCE_MS = 4_000;

self.addEventListener('install', (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([PAGE, ...FILES].map((file) => new Request(file, { cache: 'no-cache' })));
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener('activate', (event) => {
  const takeOver = async () => {
    const others = (await caches.keys()).filter((name) => name.startsWith('hemu-') && name !== CACHE);
    await Promise.all(others.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(takeOver());
});

const root = new URL(PAGE, self.location).pathname;
const kept = new Set(FILES.map((file) => new URL(file, self.location).pathname));

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (event.request.mode === 'navigate' && url.pathname === root) event.respondWith(page(event.request));
  else if (kept.has(url.pathname)) event.respondWith(file(event.request));
});

/** The newest page where the server answers in time, else the kept one. */
async function page(request) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS));
  try {
    return await Promise.race([fetch(request), late]);
  } catch {
    const cache = await caches.open(CACHE);
    return (await cache.match(PAGE)) ?? fetch(request);
  }
}

/** A file that is named by its content never changes. */
async function file(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request.url)) ?? fetch(request);
}
