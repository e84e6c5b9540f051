/** What a page asks of the browser as it is loaded, for parts that are drawn without one. */
import { vi } from 'vitest';

/** An English browser with a light page and nothing kept. */
export function browser(): void {
  vi.stubGlobal('navigator', { language: 'en-GB' });
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
  vi.stubGlobal('indexedDB', { open: () => ({}) });
}
