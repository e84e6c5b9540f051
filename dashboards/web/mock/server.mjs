// A stand-in for the API: same answers in shape, seeded fake people in content. Node alone, nothing to install.
// As a program (`node mock/server.mjs [PORT]`) it serves dist/ too, under the policy the page must live with.

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DAY,
  HOUR,
  STREAMS,
  UNITS,
  ZONE,
  addDays,
  dayOf,
  daysOf,
  decay,
  depositsOf,
  fillAt,
  makeWorld,
  measureAt,
  midnight,
  quarantineOf,
  random,
  scoreOf,
} from './data.mjs';

const SPEED = 60;
/** Where the mock's time begins: 2026-05-20 10:00 in Shanghai. */
const START = Date.parse('2026-05-20T02:00:00Z');
const REMEMBERED = 500;

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

class Problem extends Error {
  constructor(status, title, detail) {
    super(detail);
    Object.assign(this, { status, title, detail });
  }
}

const notFound = (what) => new Problem(404, 'not found', `no such ${what}`);

export function createMock() {
  const world = makeWorld();
  const born = performance.now();
  const now = () => Math.round(START + (performance.now() - born) * SPEED);
  const rng = random(7);
  const live = { position: 90_000, deposits: 1840, weight: 1_390_000, events: [], readers: new Set() };
  const recent = [];

  const overview = () => ({
    at: now(),
    households: { registered: 3566, active_28d: 3127 },
    devices: { known: 13, online: 11, silent: 1 },
    today: {
      day: dayOf(now()),
      deposits: live.deposits,
      weight_g: live.weight,
      attributed: Math.round(live.deposits * 0.93),
      inspected: Math.round(live.deposits * 0.041),
    },
    ledger: {
      position: live.position,
      applied: live.position - 1,
      records: 482_113,
      quarantined: 23,
      conflicts: 1,
      repeats: 3127,
    },
  });

  const station = (s) => ({
    ...s,
    last_at:
      s.state === 'offline' ? now() - 2 * DAY : s.state === 'silent' ? now() - 3 * HOUR : now() - 40_000,
    bins:
      s.state === 'offline'
        ? []
        : STREAMS.map((stream) => ({
            stream,
            fill:
              s.id === 'st07' && stream === 'hazardous'
                ? null
                : s.id === 'st06' && stream === 'food'
                  ? 0.97
                  : fillAt(s.id, stream, now()),
            weight_g: Math.round(fillAt(s.id, stream, now()) * 60_000),
            at: now() - 40_000,
          })),
    deposits_today: s.state === 'offline' ? 0 : 80 + Number(s.id.slice(2)) * 11,
  });

  const devices = () =>
    world.stations.flatMap((s) =>
      s.devices.map((id, i) => ({
        id,
        estate: s.estate,
        station: s.id,
        state: s.state,
        connected: s.state === 'online',
        last_at: station(s).last_at,
        boot: '1',
        upto: 41_020 + i,
        missing:
          id === 'st03'
            ? [
                [41_041, 41_055],
                [41_090, 41_090],
              ]
            : id === 'st05'
              ? [[40_001, 40_400]]
              : [],
        firmware: '1.4.2',
        battery_mv: measureAt('battery', id, null, now()),
        rssi_dbm: measureAt('rssi', id, null, now()),
        temperature_c: measureAt('temperature', id, null, now()),
        queued: id === 'st05' ? 812 : 0,
        records: 41_020,
        quarantined: id === 'st06' ? 9 : 0,
        revoked: false,
      })),
    );

  function newDeposit() {
    const s = world.stations[Math.floor(rng() * world.stations.length)];
    const household = world.households[Math.floor(rng() * world.households.length)];
    const weight_g = 80 + Math.floor(rng() * 2600);
    live.deposits += 1;
    live.weight += weight_g;
    return {
      at: now() - Math.floor(rng() * 20_000),
      device: s.id,
      station: s.id,
      stream: STREAMS[[0, 0, 0, 0, 1, 1, 2, 3, 3, 3][Math.floor(rng() * 10)]],
      weight_g,
      quality: Math.round(10_000 * (0.35 + 0.65 * rng())) / 10_000,
      by: rng() < 0.06 ? 'inspector' : 'camera',
      household: rng() < 0.93 ? `···${household.id.slice(-4)}` : null,
    };
  }

  function send(event, data) {
    live.position += 1;
    const text = `id: ${live.position}.0\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    live.events.push({ position: live.position, text });
    if (live.events.length > REMEMBERED) live.events.shift();
    for (const reader of live.readers) reader.write(text);
  }

  function tick() {
    const deposit = newDeposit();
    recent.unshift(deposit);
    recent.length = Math.min(recent.length, 100);
    send('deposit', deposit);
    if (rng() < 0.3) {
      const s = world.stations[Math.floor(rng() * world.stations.length)];
      if (s.state === 'online')
        send('status', { at: now(), device: s.id, station: s.id, bins: station(s).bins });
    }
    if (rng() < 0.4) send('overview', overview());
  }

  for (let i = 0; i < 60; i += 1) recent.unshift({ ...newDeposit(), at: now() - (60 - i) * 45_000 });
  setInterval(tick, 450).unref();

  function openLive(req, res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write(': hello\nretry: 500\n\n');
    const after = Number.parseInt(String(req.headers['last-event-id'] ?? ''), 10);
    const missed = Number.isFinite(after) ? live.events.filter((e) => e.position > after) : [];
    for (const { text } of missed) res.write(text);
    live.readers.add(res);
    res.on('close', () => live.readers.delete(res));
  }

  function series(q) {
    const from = Number(q.get('from'));
    const to = Number(q.get('to'));
    const step = q.get('step') ?? 'hour';
    const measure = q.get('measure') ?? 'fill';
    const chosen = world.stations.find((s) => s.id === q.get('station'));
    if (!chosen) throw notFound('station');
    if (!(measure in UNITS))
      throw new Problem(
        400,
        'bad request',
        `measure: expected one of ${Object.keys(UNITS).join('|')}, got "${measure}"`,
      );
    const width = step === 'day' ? DAY : HOUR;
    const streams = ['battery', 'rssi', 'temperature'].includes(measure) ? [null] : STREAMS;
    const count = ((to - from) / width) * streams.length * chosen.devices.length;
    if (count > 10_000)
      throw new Problem(
        400,
        'too many points',
        `expected at most 10000 points, got ${Math.ceil(count)}; use step=day`,
      );
    const first = step === 'day' ? midnight(dayOf(from)) : Math.floor(from / HOUR) * HOUR;
    const points = (device, stream) => {
      const found = [];
      for (let at = Math.max(first, from - width + 1); at < to; at += width) {
        const quiet = chosen.id === 'st05' && at > to - 3 * HOUR;
        const gap = chosen.id === 'st03' && (at / DAY) % 7 < 1.2;
        const gone = chosen.id === 'st10';
        if (!quiet && !gap && !gone)
          found.push([at, measureAt(measure, device, stream, at + (step === 'day' ? 15 * HOUR : 0))]);
      }
      return found;
    };
    return {
      measure,
      step,
      agg: q.get('agg') ?? 'mean',
      unit: UNITS[measure],
      from,
      to,
      series: chosen.devices
        .flatMap((device) => streams.map((stream) => ({ device, stream, points: points(device, stream) })))
        .filter((s) => s.points.length > 0),
    };
  }

  function page(all, q, normal = 100) {
    const limit = Math.min(1000, Number(q.get('limit') ?? normal));
    const start = Number(q.get('after') ?? 0);
    const items = all.slice(start, start + limit);
    return { items, next: start + limit < all.length ? String(start + limit) : null };
  }

  function searchHouseholds(q) {
    const text = (q.get('q') ?? '').trim().toLowerCase();
    const building = q.get('building');
    return page(
      world.households.filter(
        (h) =>
          (!building || h.building === building) &&
          (!text || h.id.startsWith(text) || `${h.building}-${h.unit}-${h.door}`.startsWith(text)),
      ),
      q,
    );
  }

  function reasonsOf(id, edition, at) {
    const { score, prior, evidence } = scoreOf(id, edition, at);
    const beyond = score === null ? 0 : score - 100 * prior;
    const share = (stream, recent, part) => ({ stream, recent, points: Math.round(10 * part * beyond) / 10 });
    return {
      edition,
      score,
      prior: 100 * prior,
      reasons: [],
      streams: [
        share('food', true, 0.5),
        share('food', false, 0.3),
        share('recyclable', true, 0.1),
        share('recyclable', false, 0),
        share('hazardous', true, 0),
        share('hazardous', false, 0),
        share('residual', true, 0.2),
        share('residual', false, -0.1),
      ],
      cameras: 0,
      inspectors: Math.round(10 * beyond) / 10,
      clamped: 0,
      sentence: {
        zh: `证据 ${evidence.toFixed(1)} 天,综合得分${score ?? '未评'}。`,
        en: `${evidence.toFixed(1)} days of evidence; the score is ${score ?? 'not rated'}.`,
      },
    };
  }

  function household(id, what, q) {
    const row = world.households.find((h) => h.id === id);
    if (!row) throw notFound('household');
    const edition = dayOf(now());
    if (what === 'days') {
      const items = daysOf(id, q.get('from') ?? addDays(edition, -90), q.get('to') ?? edition);
      decay(items, edition);
      return { items };
    }
    if (what === 'reasons') return reasonsOf(id, edition, now());
    if (what === 'deposits') return page(depositsOf(id, addDays(edition, -90), addDays(edition, -1)), q);
    return {
      ...row,
      registered: true,
      first_day: addDays(edition, -171),
      score: scoreOf(id, edition, now()),
    };
  }

  const me = { account: 'inspector', role: 'inspector', rights: ['see_site'], households: [], until: 0 };
  const estate = { id: 'hemu-xincun', name: '和睦新村', households: 3566, stations: 12 };
  const plan = {
    width: 640,
    height: 500,
    buildings: world.buildings,
    stations: world.stations.map(({ id, name, x, y }) => ({ id, name, x, y })),
  };

  function answer([resource, id, what], q) {
    if (resource === 'site')
      return { name: '和睦新村', zone: ZONE, now: now(), speed: SPEED, demo: true, version: '0.1.0' };
    if (resource === 'me') return me;
    if (resource === 'overview') return overview();
    if (resource === 'estates') {
      if (!id) return { items: [estate], next: null };
      if (id !== estate.id) throw notFound('estate');
      return { ...estate, plan };
    }
    if (resource === 'stations') {
      if (!id) return { items: world.stations.map(station), next: null };
      const found = world.stations.find((s) => s.id === id);
      if (!found) throw notFound('station');
      return station(found);
    }
    if (resource === 'devices') return page(devices(), q);
    if (resource === 'households') return id ? household(id, what, q) : searchHouseholds(q);
    if (resource === 'deposits') return page(recent, q);
    if (resource === 'series') return series(q);
    if (resource === 'quarantine') return page(quarantineOf(now()), q);
    throw notFound('resource');
  }

  /** Answers a request under /api/v1 and says whether it was one. */
  function handle(req, res) {
    const url = new URL(req.url ?? '/', 'http://mock');
    if (!url.pathname.startsWith('/api/v1/')) return false;
    const segments = url.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
    if (segments[0] === 'live') {
      openLive(req, res);
      return true;
    }
    const reply = (status, type, body) => {
      res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      res.end(JSON.stringify(body));
    };
    try {
      reply(200, 'application/json', answer(segments, url.searchParams));
    } catch (error) {
      const { status = 500, title = 'mock failed', detail = String(error) } = error;
      reply(status, 'application/problem+json', { type: 'about:blank', title, status, detail });
    }
    return true;
  }

  return { handle };
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

function serveFile(root, req, res) {
  const path = decodeURIComponent(new URL(req.url ?? '/', 'http://mock').pathname);
  const file = normalize(join(root, path === '/' ? 'index.html' : path));
  const known = file.startsWith(root + sep) && existsSync(file) && TYPES[extname(file)];
  if (!known) {
    res.writeHead(404).end();
    return;
  }
  res.writeHead(200, {
    'content-type': known,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
  });
  createReadStream(file).pipe(res);
}

/** The mock with the built page, on a loopback port (0: any free one); resolves to the listening server. */
export function listen(port) {
  const root = fileURLToPath(new URL('../dist', import.meta.url));
  const mock = createMock();
  const server = createServer((req, res) => {
    if (!mock.handle(req, res)) serveFile(root, req, res);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await listen(Number(process.argv[2] ?? 8090));
  console.log(`http://127.0.0.1:${server.address().port}`);
}
