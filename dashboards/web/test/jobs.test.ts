import { expect, test } from 'vitest';
import { became, how, isCancellable, overSince, what, type Job } from '../src/lib/jobs';

const job = (change: Partial<Job> = {}): Job => ({
  id: 'server-1.3',
  kind: 'edition',
  day: '2026-05-20',
  edition: null,
  by: 'p1',
  since: 1,
  stage: 'judging',
  done: 3,
  of: 7,
  ended: null,
  cancelled_by: null,
  ...change,
});
const ended = (outcome: NonNullable<Job['ended']>['outcome'], change: Partial<Job> = {}): Job =>
  job({ stage: null, ended: { at: 2, outcome, detail: null }, ...change });

test('what can no longer be stopped, or is elsewhere, is not offered to be cancelled', () => {
  for (const stage of ['waiting', 'reading', 'judging', 'writing'] as const)
    expect(isCancellable(job({ stage }))).toBe(true);
  for (const stage of ['storing', 'stopping', 'elsewhere', null] as const)
    expect(isCancellable(job({ stage }))).toBe(false);
  expect(isCancellable(job({ id: null }))).toBe(false);
});

test('a job says what it does, how far it is, and what became of it', () => {
  expect(what(job())).toEqual(['jobs.edition.day', { day: '2026-05-20' }]);
  expect(what(job({ kind: 'revision', day: null, edition: 4 }))).toEqual(['jobs.revision', { id: 4 }]);
  expect(how(job())).toEqual(['jobs.stage.judging', { done: 3, of: 7 }]);
  expect(became(ended('done', { edition: 9 }))).toEqual(['jobs.ended.made', { id: 9 }]);
  expect(became(ended('done', { kind: 'export', edition: 9 }))[0]).toBe('jobs.ended.done');
  expect(became(ended('cancelled', { cancelled_by: 'p2' }))).toEqual(['jobs.ended.cancelled', { who: 'p2' }]);
  expect(became(ended('broken_off'))[0]).toBe('jobs.ended.broken_off');
});

test('the lists are asked for again when a job that ran is seen to have ended or is gone', () => {
  expect(overSince([job()], [job({ done: 4 })])).toBe(false);
  expect(overSince([job()], [ended('done')])).toBe(true);
  expect(overSince([job()], [])).toBe(true);
  expect(overSince([ended('done')], [])).toBe(false);
  expect(overSince([], [job()])).toBe(false);
});
