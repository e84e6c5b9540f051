/**
 * Has the browser keep the page for when there is no network. Only where the page came from a build: the development server
 * changes under it. Without a secure context (plain HTTP from another machine) browsers refuse, and the page works on with
 * a network.
 */
export function keepOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  addEventListener('load', () => void navigator.serviceWorker.register('./sw.js').catch(() => undefined));
}
