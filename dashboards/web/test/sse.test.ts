import { describe, expect, test } from 'vitest';
import { LiveStream, SseParser, backoff, type LiveState, type SseEvent } from '../src/lib/sse';

describe('parsing', () => {
  const all = (...chunks: string[]) => {
    const parser = new SseParser();
    return { events: chunks.flatMap((c) => parser.push(c)), parser };
  };

  test('an_event_may_arrive_in_any_pieces', () => {
    const text = '\uFEFF: hello\r\nid: 7.0\r\nevent: deposit\r\ndata: {"a":\r\ndata: 1}\r\n\r\n';
    const whole = all(text).events;
    expect(whole).toEqual([{ event: 'deposit', data: '{"a":\n1}', id: '7.0' }]);
    expect(all(...text).events).toEqual(whole);
    expect(all(text.replaceAll('\r\n', '\n')).events).toEqual(whole);
    expect(all(text.replaceAll('\r\n', '\r') + ':').events).toEqual(whole);
  });

  test('comments_and_empty_events_say_nothing', () => {
    expect(all(': keep-alive\n\n', 'event: x\n\n', 'id: 3\n\n').events).toEqual([]);
    expect(all('id: 3\n\n').parser.lastId).toBe('3');
  });

  test('the_id_stays_until_another_comes_and_retry_must_be_digits', () => {
    const { events, parser } = all(
      'id: 1\ndata: a\n\ndata: b\n\n',
      'retry: 250\n\n',
      'retry: soon\n\n',
      'data\n\n',
    );
    expect(events.map((e) => e.id)).toEqual(['1', '1', '1']);
    expect(events[2]?.data).toBe('');
    expect(parser.retry).toBe(250);
  });

  test('an_event_without_end_is_refused', () => {
    expect(() => all('data: ' + 'x'.repeat(1 << 20))).toThrow('1 MiB');
  });
});

/** A server and a clock that do what the test says, and nothing by themselves. */
function world() {
  const requests: Headers[] = [];
  const states: [LiveState, number | null][] = [];
  const events: SseEvent[] = [];
  let timers: { run: () => void; ms: number; key: number }[] = [];
  let key = 0;
  let answer: (signal: AbortSignal) => Promise<Response> = () => Promise.reject(new Error('down'));
  const settle = async () => {
    for (let i = 0; i < 20; i += 1) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const stream = new LiveStream(
    './api/v1/live',
    { event: (e) => events.push(e), state: (s, ms) => states.push([s, ms]) },
    {
      fetch: (_url, init) => {
        requests.push(new Headers(init.headers));
        return answer(init.signal as AbortSignal);
      },
      setTimeout: (run, ms) => {
        key += 1;
        timers.push({ run, ms, key });
        return key;
      },
      clearTimeout: (timer) => {
        timers = timers.filter((t) => t.key !== timer);
      },
      random: () => 1,
    },
  );
  return {
    stream,
    requests,
    states,
    events,
    settle,
    pending: () => timers.map((t) => t.ms),
    fire: async (ms: number) => {
      const timer = timers.find((t) => t.ms === ms);
      if (!timer) throw new Error(`no timer of ${ms} ms among ${timers.map((t) => t.ms)}`);
      timers = timers.filter((t) => t !== timer);
      timer.run();
      await settle();
    },
    serve: () => {
      let body!: ReadableStreamDefaultController<Uint8Array>;
      answer = async () => new Response(new ReadableStream({ start: (c) => void (body = c) }));
      return {
        say: async (text: string) => {
          body.enqueue(new TextEncoder().encode(text));
          await settle();
        },
        drop: async () => {
          body.error(new Error('cut'));
          await settle();
        },
        end: async () => {
          body.close();
          await settle();
        },
      };
    },
    refuse: (status: number) => {
      answer = async () => new Response('', { status });
    },
    down: () => {
      answer = () => Promise.reject(new Error('down'));
    },
  };
}

describe('reconnecting', () => {
  test('after_a_drop_the_stream_resumes_behind_the_last_event', async () => {
    const w = world();
    const server = w.serve();
    w.stream.start();
    await w.settle();
    await server.say('id: 41.0\nevent: deposit\ndata: {}\n\n');
    await server.drop();
    expect(w.states.map(([s]) => s)).toEqual(['connecting', 'live', 'waiting']);
    expect(w.requests[0]?.get('last-event-id')).toBeNull();
    await w.fire(1_000);
    expect(w.requests[1]?.get('last-event-id')).toBe('41.0');
    expect(w.states.at(-1)).toEqual(['live', null]);
    expect(w.events).toHaveLength(1);
  });

  test('an_event_cut_in_half_is_asked_for_again', async () => {
    const w = world();
    const server = w.serve();
    w.stream.start();
    await w.settle();
    await server.say('id: 1.0\ndata: a\n\nid: 2.0\ndata: b\n');
    await server.drop();
    await w.fire(1_000);
    expect(w.requests[1]?.get('last-event-id')).toBe('1.0');
  });

  test('an_error_status_is_tried_again_with_growing_pauses', async () => {
    const w = world();
    w.refuse(503);
    w.stream.start();
    await w.settle();
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      expect(w.states.at(-1)).toEqual(['waiting', ms]);
      await w.fire(ms);
    }
    expect(w.requests).toHaveLength(8);
  });

  test('a_polite_end_and_a_server_that_is_down_heal_as_well', async () => {
    const w = world();
    const first = w.serve();
    w.stream.start();
    await w.settle();
    await first.say('retry: 200\n\nid: 5.0\ndata: x\n\n');
    await first.end();
    w.down();
    await w.fire(200);
    expect(w.states.at(-1)).toEqual(['waiting', 400]);
    w.serve();
    await w.fire(400);
    expect(w.requests[2]?.get('last-event-id')).toBe('5.0');
    expect(w.states.at(-1)).toEqual(['live', null]);
  });

  test('a_silent_connection_is_cut_by_the_watchdog', async () => {
    const w = world();
    const server = w.serve();
    w.stream.start();
    await w.settle();
    await server.say(': keep-alive\n\n');
    expect(w.pending()).toEqual([45_000]);
    await w.fire(45_000);
    expect(w.states.at(-1)?.[0]).toBe('waiting');
  });

  test('a_place_that_the_server_forgot_is_not_asked_for_twice', async () => {
    const w = world();
    const server = w.serve();
    w.stream.start();
    await w.settle();
    await server.say('id: 9.0\ndata: x\n\n');
    await server.drop();
    w.refuse(410);
    await w.fire(1_000);
    expect(w.requests[1]?.get('last-event-id')).toBe('9.0');
    w.serve();
    await w.fire(2_000);
    expect(w.requests[2]?.get('last-event-id')).toBeNull();
  });

  test('hurry_does_not_wait_out_the_pause_and_stop_ends_it', async () => {
    const w = world();
    w.stream.start();
    await w.settle();
    expect(w.pending()).toEqual([1_000]);
    w.serve();
    w.stream.hurry();
    await w.settle();
    expect(w.states.at(-1)).toEqual(['live', null]);
    w.stream.hurry();
    await w.settle();
    expect(w.requests).toHaveLength(2);
    w.stream.stop();
    await w.settle();
    expect(w.pending()).toEqual([]);
    expect(w.states.at(-1)).toEqual(['stopped', null]);
  });

  test('the_pause_is_jittered_and_bounded', () => {
    expect(backoff(0, 1000, 0)).toBe(500);
    expect(backoff(3, 1000, 0.5)).toBe(6000);
    expect(backoff(500, 1000, 1)).toBe(30_000);
  });
});
