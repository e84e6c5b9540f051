import { expect, test } from 'vitest';
import { behind, sampled, type Sample } from '../src/lib/progress';

const sample = (at: number, position: number, applied: number): Sample => ({ at, position, applied });

test('a_few_batches_are_not_worth_a_word', () => {
  expect(sampled([], sample(0, 100, 90))).toEqual([]);
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
  const first = sampled([], sample(0, 1000, 0));
  expect(sampled(first, sample(61_000, 1000, 500))).toHaveLength(1);
  expect(sampled(first, sample(1_000, 1000, 995))).toEqual([]);
});
