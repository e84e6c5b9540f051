import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Listening } from '../src/residents/listen';

/** A line to a server that says what a test says. */
class Line extends EventTarget {
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static readonly all: Line[] = [];
  readyState = 0;
  onopen: () => void = () => undefined;
  constructor(readonly url: string) {
    super();
    Line.all.push(this);
  }
  close(): void {
    this.readyState = Line.CLOSED;
  }
  opens(): void {
    this.readyState = Line.OPEN;
    this.onopen();
  }
}

const line = (): Line => {
  const found = Line.all.at(-1);
  if (!found) throw new Error('nobody listens');
  return found;
};
let heard = 0;
let opened = 0;
let listening: Listening;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Line);
  Line.all.length = 0;
  heard = opened = 0;
  listening = new Listening(
    () => (heard += 1),
    () => (opened += 1),
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a_line_that_is_open_is_heard_and_asks_nothing_by_itself', () => {
  listening.to('hh-1');
  expect(line().url).toBe('./api/v1/households/hh-1/live');
  expect(listening.hears).toBe(false);
  line().opens();
  expect(listening.hears).toBe(true);
  vi.runAllTimers();
  expect([opened, heard]).toEqual([1, 0]);
  line().dispatchEvent(new Event('changed'));
  vi.runAllTimers();
  expect(heard).toBe(1);
});

test('several_changes_at_once_are_one_question', () => {
  listening.to('hh-1');
  for (let i = 0; i < 5; i += 1) line().dispatchEvent(new Event('changed'));
  vi.runAllTimers();
  expect(heard).toBe(1);
  line().dispatchEvent(new Event('changed'));
  vi.runAllTimers();
  expect(heard).toBe(2);
});

test('another_household_is_another_line_and_nobody_is_none', () => {
  listening.to('hh-1');
  const first = line();
  listening.to('hh-1');
  expect(Line.all).toHaveLength(1);
  first.dispatchEvent(new Event('changed'));
  listening.to('hh-2');
  expect(first.readyState).toBe(Line.CLOSED);
  vi.runAllTimers();
  expect(heard, 'what was heard for the first household is not asked for the second').toBe(0);
  listening.to(null);
  expect(line().readyState).toBe(Line.CLOSED);
  expect(listening.hears).toBe(false);
});

test('a_server_that_hung_up_is_called_again_when_the_page_asks_next', () => {
  listening.to('hh-1');
  line().close();
  expect(listening.hears).toBe(false);
  listening.to('hh-1');
  expect(Line.all).toHaveLength(2);
});

test('a_browser_that_cannot_listen_asks_from_time_to_time', () => {
  vi.unstubAllGlobals();
  listening.to('hh-1');
  expect(listening.hears).toBe(false);
});
