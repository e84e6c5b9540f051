import { expect, test } from 'vitest';
import { CHARTS, ENGINE, Follower, PROJECTIONS, behind, sampled, type Sample } from '../src/lib/progress';

const sample = (at: number, position: number, applied: number): Sample => ({ at, position, applied });

test('a_few_batches_are_not_worth_a_word', () => {
  expect(sampled([], sample(0, 100, 90), PROJECTIONS)).toEqual([]);
  expect(behind([], 0)).toBe(null);
});

test('what_comes_meanwhile_makes_it_longer', () => {
  const steady = [sample(0, 1000, 0), sample(1000, 1000, 100)];
  expect(behind(steady, 0)).toEqual({ left: 900, share: 0.1, ms: 9000 });
  const growing = [sample(0, 1000, 0), sample(1000, 1050, 100)];
  expect(behind(growing, 0)?.ms).toBe(19_000);
});

test('what_does_not_get_less_has_no_end_to_tell', () => {
  expect(behind([sample(0, 1000, 0)], 0)?.ms).toBe(null);
  expect(behind([sample(0, 1000, 0), sample(1000, 1100, 50)], 0)?.ms).toBe(null);
});

test('old_samples_and_those_of_before_are_forgotten', () => {
  const first = sampled([], sample(0, 1000, 0), PROJECTIONS);
  expect(sampled(first, sample(121_000, 1000, 500), PROJECTIONS)).toHaveLength(1);
  expect(sampled(first, sample(1_000, 1000, 995), PROJECTIONS)).toEqual([]);
});

test('the_projections_are_behind_at_once_and_their_share_counts_from_where_they_were_first_seen_so', () => {
  const follower = new Follower(PROJECTIONS);
  expect(follower.look(sample(0, 1000, 500))).toEqual({ left: 500, share: 0, ms: null });
  expect(follower.look(sample(1000, 1000, 750))).toEqual({ left: 250, share: 0.5, ms: 1000 });
  expect(follower.look(sample(2000, 1000, 1000))).toBe(null);
  expect(follower.look(sample(3000, 1100, 1000))?.share).toBe(0);
});

test('charts_that_only_lack_the_newest_are_not_behind', () => {
  const follower = new Follower(CHARTS);
  // A hundred batches a second, read every five.
  for (let s = 0; s < 300; s++)
    expect(follower.look(sample(s * 1000, s * 100, (s - (s % 5)) * 100))).toBe(null);
});

test('charts_that_stand_still_are_behind_after_a_while_and_have_no_end_to_tell', () => {
  const follower = new Follower(CHARTS);
  expect(follower.look(sample(0, 1000, 900))).toBe(null);
  expect(follower.look(sample(19_000, 1000, 900))).toBe(null);
  expect(follower.look(sample(21_000, 1000, 900))).toEqual({ left: 100, share: 0, ms: null });
  expect(follower.look(sample(31_000, 1000, 950))).toEqual({ left: 50, share: 0.5, ms: 31_000 });
});

test('an_engine_is_behind_when_it_lacked_something_for_longer_than_the_server_rests', () => {
  const follower = new Follower(ENGINE);
  const lacks = (at: number, waiting: number) => follower.look(sample(at, 0, -waiting));
  for (let s = 0; s < 300; s++) expect(lacks(s * 1000, (s % 30) * 50)).toBe(null);
  expect(lacks(400_000, 1000)).toBe(null);
  expect(lacks(430_000, 900)).toBe(null);
  expect(lacks(460_000, 600)).toEqual({ left: 600, share: 1 / 3, ms: 90_000 });
  expect(lacks(490_000, 300)).toEqual({ left: 300, share: 2 / 3, ms: expect.closeTo(38_571, 0) as number });
  expect(lacks(520_000, 0)).toBe(null);
});

test('nothing_is_said_of_the_time_in_which_nobody_looked', () => {
  const follower = new Follower(ENGINE);
  expect(follower.look(sample(0, 0, -100))).toBe(null);
  expect(follower.look(sample(100_000, 0, -100))).toBe(null);
});
