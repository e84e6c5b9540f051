/**
 * One question to the server, and when to ask again. The token is sent in a header and is in nothing else; no cookie goes
 * with it, so that a screen never shows what somebody who is logged in may see.
 */
import type { ScreenData } from './model';

export type Answer =
  | { kind: 'news'; data: ScreenData; tag: string | null }
  | { kind: 'same' }
  /** The server does not take the token. */
  | { kind: 'refused' }
  /** The server does not answer, or answers nonsense. */
  | { kind: 'silent' };

/** Between two questions. */
export const EVERY_MS = 5_000;
const LONGEST_MS = 60_000;
const PATIENCE_MS = 10_000;

export async function ask(token: string, tag: string | null, fetcher: typeof fetch): Promise<Answer> {
  try {
    const response = await fetcher('/api/v1/screen', {
      headers: { authorization: `Bearer ${token}`, ...(tag ? { 'if-none-match': tag } : {}) },
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.status === 304) return { kind: 'same' };
    if (response.status === 401 || response.status === 403) return { kind: 'refused' };
    if (!response.ok) return { kind: 'silent' };
    const data = (await response.json()) as ScreenData;
    return { kind: 'news', data, tag: response.headers.get('etag') };
  } catch {
    return { kind: 'silent' };
  }
}

/** Until the next question, after so many that failed: twice as long each time, a minute at most. */
export function pause(failures: number): number {
  return Math.min(EVERY_MS * 2 ** Math.min(failures, 10), LONGEST_MS);
}

/** The token behind `#`, which no server is sent and no log has. */
export function tokenIn(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') || null;
}
