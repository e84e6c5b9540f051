import { expect, test } from 'vitest';
import { ApiError } from '../src/lib/api';
import {
  EMPTY,
  GRACE_MS,
  add,
  ownedBy,
  type Grading,
  type Outbox,
  type Recorded,
  type Sent,
} from '../src/lib/outbox';
import type { OutboxStore } from '../src/lib/outbox_store';
import { Sync, type Told } from '../src/lib/sync';

const grading: Grading = {
  at: 1,
  household: 'hh-1',
  bag: null,
  stream: 'food',
  weight_g: 500,
  quality: 1,
  photo: null,
};

/** A phone and a server, in memory. */
class Scene implements OutboxStore {
  box: Outbox = ownedBy(EMPTY, 'w1');
  now = 0;
  told: Told[] = [];
  timers = new Map<number, { run: () => void; at: number }>();
  /** What the server has, by identity. */
  stored = new Map<string, Sent>();
  batches: Sent[][] = [];
  /** What happens to the next requests: before the server sees them, or on the answer's way back. */
  faults: ('lost' | 'answer_lost' | number)[] = [];
  broken = false;
  /** How many answers come before their readings are folded, so that no photo is noted yet. */
  unfolded = 0;
  #lastTimer = 0;
  sync = new Sync({
    store: this,
    send: (readings) => this.#serve(readings),
    now: () => this.now,
    random: () => 0.5,
    draw: () => 42,
    setTimeout: (run, ms) => {
      this.timers.set(++this.#lastTimer, { run, at: this.now + ms });
      return this.#lastTimer;
    },
    clearTimeout: (timer) => this.timers.delete(timer as number),
    tell: (told) => this.told.push(told),
  });

  read(): Promise<Outbox> {
    return Promise.resolve(this.box);
  }

  update(change: (box: Outbox) => Outbox): Promise<Outbox> {
    if (this.broken) return Promise.reject(new Error('no space'));
    this.box = change(this.box);
    return Promise.resolve(this.box);
  }

  grade(photo: string | null = null): void {
    this.box = add(this.box, { ...grading, photo }, this.now) ?? this.box;
  }

  async #serve(readings: Sent[]): Promise<Recorded> {
    await Promise.resolve();
    const fault = this.faults.shift();
    if (fault === 'lost') throw new ApiError(0, 'no answer', '');
    if (typeof fault === 'number') throw new ApiError(fault, 'refused', 'why');
    this.batches.push(readings);
    const named = this.unfolded-- > 0 ? ('later' as const) : ('noted' as const);
    const outcomes = readings.map((reading) => {
      const identity = `${reading.boot}:${reading.seq}`;
      const known = this.stored.get(identity);
      this.stored.set(identity, known ?? reading);
      const outcome = known ? ('repeat' as const) : ('stored' as const);
      return { seq: reading.seq, outcome, ...(reading.photo ? { photo: named } : {}) };
    });
    if (fault === 'answer_lost') throw new ApiError(0, 'no answer', '');
    return {
      device: 'account-1',
      boot: String(readings[0]?.boot),
      upto: 0,
      missing: [],
      judged: true,
      readings: outcomes,
    };
  }

  /** Lets time pass until no timer is left, or for so long; what runs, runs to its end. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await this.settle();
      const [id, next] = [...this.timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (id === undefined || next === undefined || next.at > until) break;
      this.now = next.at;
      this.timers.delete(id);
      next.run();
    }
    this.now = until;
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  }

  get last(): Told | undefined {
    return this.told.at(-1);
  }
}

test('what_is_graded_is_sent_once_its_grace_is_over', async () => {
  const scene = new Scene();
  scene.sync.as('w1');
  scene.grade();
  await scene.sync.hurry();
  expect(scene.stored.size).toBe(0);
  await scene.pass(11_000);
  expect(scene.stored.size).toBe(1);
  expect(scene.last).toMatchObject({ sending: false, held: null });
  expect(scene.box.stored).toBe(1);
});

test('an_answer_that_is_lost_stores_nothing_twice', async () => {
  const scene = new Scene();
  scene.faults = ['answer_lost', 'lost', 503];
  for (let i = 0; i < 3; i++) scene.grade();
  scene.now = 20_000;
  scene.sync.as('w1');
  await scene.pass(60_000);
  expect(scene.batches).toHaveLength(2);
  expect(scene.batches[0]).toEqual(scene.batches[1]);
  expect([...scene.stored.keys()]).toEqual(['42:1', '42:2', '42:3']);
  expect(scene.box.stored).toBe(3);
});

test('it_asks_less_and_less_often_and_at_once_when_the_network_is_back', async () => {
  const scene = new Scene();
  scene.faults = Array.from({ length: 100 }, () => 'lost' as const);
  scene.grade();
  scene.now = 20_000;
  scene.sync.as('w1');
  await scene.pass(10 * 60_000);
  const tried = 100 - scene.faults.length;
  expect(tried).toBeLessThan(20);
  expect(scene.last).toMatchObject({ held: 'no_answer' });
  scene.faults = [];
  await scene.sync.hurry();
  expect(scene.stored.size).toBe(1);
});

test('a_session_that_is_over_loses_nothing_and_asks_nobody_until_somebody_logs_in', async () => {
  const scene = new Scene();
  scene.faults = [401];
  scene.grade();
  scene.now = 20_000;
  scene.sync.as('w1');
  await scene.pass(10 * 60_000);
  expect(scene.last).toMatchObject({ held: 'log_in' });
  expect(scene.batches).toHaveLength(0);
  scene.sync.as('w1');
  await scene.pass(1);
  expect(scene.stored.size).toBe(1);
});

test('nobody_sends_what_another_account_graded', async () => {
  const scene = new Scene();
  scene.grade();
  scene.now = 20_000;
  scene.sync.as('w2');
  await scene.pass(60_000);
  expect(scene.last).toMatchObject({ held: 'others' });
  expect(scene.batches).toHaveLength(0);
  scene.sync.as('w1');
  await scene.pass(1);
  expect(scene.stored.size).toBe(1);
});

test('a_phone_that_keeps_nothing_says_so_and_tries_again', async () => {
  const scene = new Scene();
  scene.grade();
  scene.now = 20_000;
  scene.broken = true;
  scene.sync.as('w1');
  await scene.settle();
  expect(scene.last).toMatchObject({ held: 'phone' });
  scene.broken = false;
  await scene.pass(5_000);
  expect(scene.stored.size).toBe(1);
});

test('what_comes_while_a_batch_is_on_its_way_goes_with_the_next', async () => {
  const scene = new Scene();
  scene.grade();
  scene.now = 20_000;
  scene.sync.as('w1');
  scene.now = 40_000;
  scene.grade();
  await scene.pass(20_000);
  expect(scene.batches.map((readings) => readings.map(({ seq }) => seq))).toEqual([[1], [2]]);
});

test('a_photo_that_is_for_later_is_sent_again_with_pauses_until_it_is_noted', async () => {
  const scene = new Scene();
  scene.unfolded = 3;
  scene.grade('IMG_0042');
  scene.grade();
  scene.now = 20_000;
  scene.sync.as('w1');
  await scene.settle();
  expect(scene.batches).toHaveLength(1);
  expect(scene.last).toMatchObject({ sending: false, held: null });
  expect(scene.box.stored).toBe(1);
  await scene.pass(60_000);
  expect(scene.batches.map((readings) => readings.map(({ seq }) => seq))).toEqual([[1, 2], [1], [1], [1]]);
  expect(scene.batches.map((readings) => readings[0])).toEqual(Array(4).fill(scene.batches[0]?.[0]));
  expect(scene.box.items.map(({ state, named }) => [state, named])).toEqual([
    ['stored', 'noted'],
    ['stored', null],
  ]);
});

test('a_batch_that_fails_after_everything_was_cleared_is_not_told_of_again', async () => {
  const scene = new Scene();
  scene.grade();
  scene.now = GRACE_MS;
  scene.faults = [401];
  scene.sync.as('w1');
  for (let i = 0; i < 50 && !scene.last?.sending; i++) await Promise.resolve();
  expect(scene.last?.sending).toBe(true);
  scene.sync.stop();
  await scene.settle();
  expect(scene.last).toMatchObject({ sending: true, held: null });
  expect(scene.faults, 'it was answered').toEqual([]);
});
