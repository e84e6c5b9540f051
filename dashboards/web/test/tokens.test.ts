import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { en, zh } from '../src/lib/i18n';
import { revoke, stateOf, type Token } from '../src/inspectors/tokens/asks';
import { DAY } from '../src/lib/time';

const NOW = Date.parse('2026-05-20T04:00:00Z');
const token = (left: number, revoked_at: number | null = null): Token => ({
  id: '0a0b',
  account: 'hall',
  label: 'screen',
  scopes: ['see_screen'],
  created_at: NOW - DAY,
  until: NOW + left,
  revoked_at,
  used_at: null,
});

test('a_token_is_good_until_its_end_and_says_so_a_week_before', () => {
  expect(stateOf(token(30 * DAY), NOW)).toBe('good');
  expect(stateOf(token(7 * DAY), NOW)).toBe('good');
  expect(stateOf(token(7 * DAY - 1), NOW)).toBe('soon');
  expect(stateOf(token(0), NOW)).toBe('over');
  expect(stateOf(token(30 * DAY, NOW - 1), NOW)).toBe('revoked');
  expect(stateOf(token(-DAY), null), 'without a clock nothing is called over').toBe('good');
});

test('what_is_asked_before_revoking_names_the_token_and_goes_to_it', () => {
  const ask = revoke(token(DAY));
  expect(ask.path).toEqual(['tokens', '0a0b', 'revoke']);
  expect(ask.title[1]).toEqual({ label: 'screen', account: 'hall' });
  expect(ask.grave).toBe(true);
});

test('every_state_has_a_word', () => {
  for (const state of ['good', 'soon', 'over', 'revoked'])
    for (const words of [zh, en]) expect(words).toHaveProperty([`tokens.${state}`]);
});

test('every_right_that_the_server_knows_has_a_word', async () => {
  const roles = await readFile(new URL('../../../services/people/src/role.rs', import.meta.url), 'utf8');
  const rights = roles
    .slice(roles.indexOf('impl Right'), roles.indexOf('impl Role'))
    .match(/(?<==> ")\w+(?=")/g);
  expect(rights?.length).toBeGreaterThan(20);
  for (const right of rights ?? [])
    for (const words of [zh, en]) expect(words).toHaveProperty([`right.${right}`]);
});
