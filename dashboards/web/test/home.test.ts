import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const TOKENS = ['hh-1', 'hh-2'];
type Page = typeof import('../src/residents/home.svelte').home;

let home: Page;
/** What the page is told when it is seen or not. */
let seen: () => void;
const site = { name: 'Hemu', zone: 'UTC', now: 1_000_000, speed: 1, demo: false, version: '1' };
/** What is answered otherwise than usual: a status by the end of a path. */
let answers: Record<string, number> = {};
let asked: string[] = [];

const ITEMS = { items: [], next: null };
function body(path: string): unknown {
  if (path.endsWith('/site')) return site;
  if (path.endsWith('/me')) return { account: 'r1', role: 'resident', rights: [], households: TOKENS };
  if (path.endsWith('/households')) return { ...ITEMS, items: TOKENS.map((id) => ({ id, label: id })) };
  return { ...ITEMS, score: {}, list: null, told: null };
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const page = { hidden: false, addEventListener: (_: string, tell: () => void) => (seen = tell) };
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('fetch', (address: string) => {
    const path = address.split('?')[0] ?? '';
    asked.push(path);
    const status = Object.entries(answers).find(([end]) => path.endsWith(end))?.[1] ?? 200;
    return Promise.resolve(new Response(JSON.stringify(body(path)), { status }));
  });
  asked = [];
  answers = {};
  site.now = 1_000_000;
  vi.resetModules();
  ({ home } = await import('../src/residents/home.svelte'));
  await home.start();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const HOUR = 3_600_000;

test('a_page_that_is_seen_again_asks_what_time_it_is', async () => {
  expect(home.now).toBe(1_000_000);
  // The device slept, and so did what counts its time.
  site.now += HOUR;
  seen();
  await vi.waitFor(() => expect(home.now).toBe(1_000_000 + HOUR));
  await vi.waitFor(() => expect(home.heard).toBe(1_000_000 + HOUR));
});

test('a_time_that_did_not_come_is_asked_for_with_the_next_look', async () => {
  site.now += HOUR;
  answers = { '/site': 503 };
  seen();
  await vi.waitFor(() => expect(asked.filter((path) => path.endsWith('/site'))).toHaveLength(2));
  answers = {};
  await vi.waitFor(async () => {
    await home.look();
    expect(home.now).toBe(1_000_000 + HOUR);
  });
  asked = [];
  await home.look();
  expect(asked.filter((path) => path.endsWith('/site'))).toEqual([]);
});

test('somebody_with_two_homes_is_offered_both_though_the_first_answer_failed', async () => {
  expect(home.homes.data).toHaveLength(2);
  answers = { '/households': 503 };
  await home.enter({ account: 'r1', role: 'resident', rights: [], households: TOKENS } as never);
  expect(home.homes.data).toBeNull();
  answers = {};
  await home.look();
  expect(home.homes.data).toHaveLength(2);
});

test('a_session_that_was_over_already_is_logged_out_of', async () => {
  answers = { '/logout': 503 };
  await expect(home.logout()).rejects.toMatchObject({ status: 503 });
  expect(home.state).toBe('in');
  answers = { '/logout': 401 };
  await home.logout();
  expect([home.state, home.token]).toEqual(['out', null]);
});
