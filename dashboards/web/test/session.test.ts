import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Me } from '../src/lib/api';
import { session } from '../src/lib/session.svelte';

let forgot = 0;
const forget = () => Promise.resolve(void (forgot += 1));

/** A server that answers every request so; null: it does not answer. */
function answers(status: number | null): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    if (status === null) return Promise.reject(new TypeError('failed to fetch'));
    const body = status === 204 ? null : JSON.stringify({ title: 'no', detail: 'not now' });
    return Promise.resolve(new Response(body, { status }));
  });
  return asked;
}

beforeEach(() => {
  forgot = 0;
  session.me = { account: 'p1', role: 'grid_officer', rights: [] } as unknown as Me;
  session.patient = true;
});
afterEach(() => vi.unstubAllGlobals());

test.each([
  ['here', './api/v1/logout'],
  ['everywhere', './api/v1/logout/everywhere'],
] as const)('whoever_logs_out_%s_leaves_nothing', async (where, path) => {
  const asked = answers(204);
  await session.logout(where, forget);
  expect(asked).toEqual([path]);
  expect([session.me, forgot]).toEqual([null, 1]);
});

test.each([null, 429, 500, 503])('a_logout_that_is_answered_by_%s_is_none', async (status) => {
  answers(status);
  for (const where of ['here', 'everywhere'] as const)
    await expect(session.logout(where, forget)).rejects.toMatchObject({ status: status ?? 0 });
  expect([session.me?.account, forgot]).toEqual(['p1', 0]);
});

test('whose_session_was_over_already_is_out_without_logging_in_again', async () => {
  answers(401);
  await session.logout('here', forget);
  expect([session.me, session.lapsed, forgot]).toEqual([null, false, 1]);
});
