import { expect, test } from 'vitest';
import {
  BATCH_MOST,
  EMPTY,
  GRACE_MS,
  WAITING_MOST,
  add,
  batch,
  counts,
  dismiss,
  isOthers,
  ownedBy,
  seal,
  settle,
  undo,
  type Grading,
  type Outbox,
  type Recorded,
} from '../src/lib/outbox';

const grading = (household: string | null = 'hh-good-0001'): Grading => ({
  at: 1_000,
  household,
  bag: null,
  stream: 'food',
  weight_g: 900,
  quality: 0.75,
  photo: null,
});
const MINE = ownedBy(EMPTY, 'w1');
const draw = () => 42;

function filled(count: number, now = 0): Outbox {
  let box = MINE;
  for (let i = 0; i < count; i++) box = add(box, grading(`hh-house-000${i}`), now) ?? box;
  return box;
}
const answer = (box: Outbox, outcome: Recorded['readings'][number]['outcome'] = 'stored'): Recorded => ({
  device: 'account-1',
  boot: '42',
  upto: 0,
  missing: [],
  judged: true,
  readings: batch(box).map(({ seq }) => ({ seq, outcome })),
});

test('a_number_is_given_when_the_grace_is_over_and_never_changes', () => {
  const box = filled(2);
  expect(batch(seal(box, GRACE_MS - 1, draw))).toEqual([]);
  const sealed = seal(box, GRACE_MS, draw);
  expect(batch(sealed).map(({ boot, seq }) => [boot, seq])).toEqual([
    [42, 1],
    [42, 2],
  ]);
  const later = seal(add(sealed, grading(), GRACE_MS) ?? sealed, 10 * GRACE_MS, () => 7);
  expect(batch(later).map(({ boot, seq }) => [boot, seq])).toEqual([
    [42, 1],
    [42, 2],
    [42, 3],
  ]);
});

test('what_is_taken_back_leaves_no_gap_and_what_has_a_number_cannot_be_taken_back', () => {
  const box = undo(filled(3), 2);
  const sealed = seal(box, GRACE_MS, draw);
  expect(batch(sealed).map(({ seq, household }) => [seq, household])).toEqual([
    [1, 'hh-house-0000'],
    [2, 'hh-house-0002'],
  ]);
  expect(undo(sealed, 1)).toEqual(sealed);
});

test('nothing_overtakes_what_can_still_be_taken_back', () => {
  const box = add(filled(1, 0), grading('late'), 5_000) ?? EMPTY;
  expect(batch(seal(box, GRACE_MS, draw)).map(({ household }) => household)).toEqual(['hh-house-0000']);
  const swapped = { ...box, items: [...box.items].reverse() };
  expect(batch(seal(swapped, GRACE_MS, draw))).toEqual([]);
});

test('a_phones_clock_that_is_set_back_holds_nothing_up', () => {
  expect(batch(seal(filled(1, 90_000_000), 0, draw))).toHaveLength(1);
});

test('stored_and_repeated_are_the_same_and_whose_the_bag_was_is_forgotten', () => {
  const sealed = seal(filled(2), GRACE_MS, draw);
  const told = answer(sealed);
  const second = told.readings[1];
  if (second) second.outcome = 'repeat';
  const settled = settle(sealed, told);
  expect(counts(settled)).toEqual({ waiting: 0, stored: 2, refused: 0 });
  expect(JSON.stringify(settled)).not.toContain('hh-');
  expect(settled.device).toBe('account-1');
  expect(settle(settled, told), 'a late answer to the same batch changes nothing').toEqual(settled);
});

test('a_photo_goes_with_its_reading_and_is_forgotten_once_it_is_noted', () => {
  const box = add(MINE, { ...grading(), photo: 'IMG_0042' }, 0) ?? EMPTY;
  const sealed = seal(add(box, grading('hh-poor-0002'), 0) ?? EMPTY, GRACE_MS, draw);
  expect(batch(sealed).map(({ photo }) => photo)).toEqual(['IMG_0042', undefined]);
  expect(batch(sealed).map((reading) => 'photo' in reading)).toEqual([true, false]);
  const told = answer(sealed);
  Object.assign(told.readings[0] ?? {}, { photo: 'first_stays' });
  const settled = settle(sealed, told);
  expect(settled.items.map(({ named }) => named)).toEqual(['first_stays', null]);
  expect(JSON.stringify(settled)).not.toContain('IMG_0042');
});

test('a_reading_whose_photo_is_for_later_is_sent_again_as_it_was', () => {
  const box = add(MINE, { ...grading(), photo: 'IMG_0042' }, 0) ?? EMPTY;
  const sealed = seal(add(box, grading('hh-poor-0002'), 0) ?? EMPTY, GRACE_MS, draw);
  const told = answer(sealed);
  Object.assign(told.readings[0] ?? {}, { photo: 'later' });
  const settled = settle(sealed, told);
  expect(counts(settled)).toEqual({ waiting: 1, stored: 1, refused: 0 });
  expect(batch(settled)).toEqual(batch(sealed).slice(0, 1));
});

test('what_an_earlier_version_kept_is_sent_without_a_photo', () => {
  const old = filled(1);
  const items = old.items.map((item) => {
    const before: Partial<typeof item> = { ...item };
    delete before.photo;
    delete before.named;
    return before as typeof item;
  });
  const sent = batch(seal({ ...old, items }, GRACE_MS, draw));
  expect(sent.map((reading) => 'photo' in reading)).toEqual([false]);
});

test('a_full_batch_fits_into_what_the_server_takes', () => {
  const long = { ...grading('😀'.repeat(64)), bag: '😀'.repeat(64), photo: '😀'.repeat(200) };
  let box = MINE;
  for (let i = 0; i < BATCH_MOST; i++) box = add(box, long, 0) ?? box;
  const body = JSON.stringify({ readings: batch(seal(box, GRACE_MS, () => 2 ** 48)) });
  expect(new TextEncoder().encode(body).length).toBeLessThan(64 * 1024);
});

test('what_the_server_set_aside_stays_with_its_reason_until_it_was_read', () => {
  const sealed = seal(filled(1), GRACE_MS, draw);
  const told = answer(sealed, 'quarantined');
  Object.assign(told.readings[0] ?? {}, { reason: 'out_of_range', detail: 'quality: expected 0..1' });
  const settled = settle(sealed, told);
  expect(settled.items[0]).toMatchObject({
    state: 'quarantined',
    reason: 'out_of_range',
    household: 'hh-house-0000',
  });
  expect(counts(settled)).toEqual({ waiting: 0, stored: 0, refused: 1 });
  expect(batch(settled)).toEqual([]);
  expect(dismiss(settled, 1).items).toEqual([]);
  expect(dismiss(filled(1), 1).items).toHaveLength(1);
});

test('after_a_conflict_the_phone_counts_anew', () => {
  const settled = settle(
    seal(filled(1), GRACE_MS, draw),
    answer(seal(filled(1), GRACE_MS, draw), 'conflict'),
  );
  const next = seal(add(settled, grading('new'), 0) ?? settled, GRACE_MS, () => 43);
  expect(batch(next).map(({ boot, seq }) => [boot, seq])).toEqual([[43, 1]]);
});

test('one_batch_is_of_one_boot_and_has_an_end', () => {
  const sealed = seal(filled(BATCH_MOST + 5), GRACE_MS, draw);
  expect(batch(sealed)).toHaveLength(BATCH_MOST);
  const two = { ...sealed, items: sealed.items.map((item, i) => (i < 2 ? { ...item, boot: 1 } : item)) };
  expect(batch(two).map(({ boot }) => boot)).toEqual([1, 1]);
});

test('what_another_account_left_is_theirs_to_send', () => {
  const box = filled(1);
  expect(isOthers(box, 'w2')).toBe(true);
  expect(ownedBy(box, 'w2')).toBe(box);
  const sealed = seal(box, GRACE_MS, draw);
  expect(ownedBy(settle(sealed, answer(sealed)), 'w2')).toEqual({ ...EMPTY, owner: 'w2' });
});

test('a_full_outbox_takes_nothing_rather_than_losing_something', () => {
  expect(add(filled(WAITING_MOST), grading(), 0)).toBeNull();
});

test('only_the_newest_of_the_stored_are_shown_and_all_are_counted', () => {
  let box = filled(60);
  for (let i = 0; i < 2; i++) {
    box = seal(box, GRACE_MS, draw);
    box = settle(box, answer(box));
    box = add(box, grading('more'), 0) ?? box;
  }
  expect(box.items.filter((item) => item.state === 'stored')).toHaveLength(50);
  expect(counts(box).stored).toBe(61);
});
