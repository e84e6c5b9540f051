import { expect, test } from 'vitest';
import type { LiveDeposit } from '../src/lib/api';
import { EMPTY_FEED, FEED_LIMIT, arrive, fill, pause, resume } from '../src/lib/feed';

const deposit = (at: number, by: 'camera' | 'inspector' = 'camera'): LiveDeposit => ({
  at,
  device: 'st01',
  stream: 'food',
  weight_g: 500,
  quality: 0.5,
  by,
  household: '···4f2a',
});
const many = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => deposit(from + i));
const times = (list: readonly { deposit: LiveDeposit }[]) => list.map((e) => e.deposit.at);

test('the_list_is_newest_first_and_never_longer_than_its_bound', () => {
  const feed = arrive(arrive(EMPTY_FEED, many(1, 30)), many(31, 80));
  expect(feed.shown).toHaveLength(FEED_LIMIT);
  expect(times(feed.shown).slice(0, 2)).toEqual([80, 79]);
});

test('the_first_fill_does_not_repeat_what_the_stream_brought', () => {
  const feed = fill(arrive(EMPTY_FEED, [deposit(3)]), [deposit(3), deposit(2), deposit(1)]);
  expect(times(feed.shown)).toEqual([3, 2, 1]);
});

test('a_replayed_event_is_shown_once', () => {
  expect(arrive(arrive(EMPTY_FEED, many(1, 3)), many(2, 4)).shown).toHaveLength(4);
});

test('camera_and_inspector_readings_of_a_bag_are_two_entries', () => {
  expect(arrive(EMPTY_FEED, [deposit(1), deposit(1, 'inspector')]).shown).toHaveLength(2);
});

test('a_paused_list_stands_still_counts_and_catches_up', () => {
  const still = arrive(pause(arrive(EMPTY_FEED, many(1, 2))), many(3, 102));
  expect(times(still.shown)).toEqual([2, 1]);
  expect(still.heldCount).toBe(100);
  expect(still.held).toHaveLength(FEED_LIMIT);
  const after = resume(still);
  expect(times(after.shown)[0]).toBe(102);
  expect(after.shown).toHaveLength(FEED_LIMIT);
  expect(after.heldCount).toBe(0);
});

test('a_later_fill_adds_what_a_lost_connection_missed_below_what_is_shown', () => {
  const feed = fill(arrive(EMPTY_FEED, [deposit(1), deposit(4)]), [
    deposit(4),
    deposit(3),
    deposit(2),
    deposit(1),
  ]);
  expect(times(feed.shown)).toEqual([4, 1, 3, 2]);
});
