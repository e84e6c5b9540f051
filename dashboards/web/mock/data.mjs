// A made-up estate: seeded, so that every run and every machine sees the same. Nobody in it exists.

export const ZONE = 'Asia/Shanghai';
export const STREAMS = ['food', 'recyclable', 'hazardous', 'residual'];
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const ZONE_OFFSET = 8 * HOUR;

/** mulberry32: small, good enough for pictures. */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A stable number from text, so that a household's past does not depend on who asked first. */
export function seedOf(text) {
  let h = 2166136261;
  for (const c of text) h = Math.imul(h ^ c.codePointAt(0), 16777619);
  return h >>> 0;
}

export const dayOf = (ms) => new Date(ms + ZONE_OFFSET).toISOString().slice(0, 10);
export const midnight = (day) => Date.parse(`${day}T00:00:00Z`) - ZONE_OFFSET;
export const addDays = (day, n) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + n * DAY).toISOString().slice(0, 10);
const round = (x, digits) => Math.round(x * 10 ** digits) / 10 ** digits;
const between = (rng, low, high) => low + Math.floor(rng() * (high - low + 1));

function makeBuildings() {
  const rng = random(54);
  return Array.from({ length: 54 }, (_, i) => {
    const column = i % 6;
    const row = Math.floor(i / 6);
    const households = i < 2 ? 67 : 66;
    const rated = i === 17 ? 7 : i === 40 ? 3 : between(rng, 24, 61);
    return {
      id: String(i + 1),
      label: `${i + 1}幢`,
      units: between(rng, 3, 5),
      floors: between(rng, 5, 7),
      households,
      x: round(24 + column * 100 + (column > 2 ? 22 : 0), 1),
      y: round(20 + row * 54, 1),
      w: round(68 + rng() * 18, 1),
      h: round(12 + rng() * 4, 1),
      rated,
      mean_score: rated < 10 ? null : round(Math.min(96, 48 + rng() * 46), 1),
    };
  });
}

function makeStations() {
  const places = [
    [105, 55],
    [312, 55],
    [530, 55],
    [208, 163],
    [430, 163],
    [105, 271],
    [312, 271],
    [530, 271],
    [208, 379],
    [430, 379],
    [105, 484],
    [530, 484],
  ];
  return places.map(([x, y], i) => {
    const id = `st${String(i + 1).padStart(2, '0')}`;
    return {
      id,
      name: `${i + 1}号集置点`,
      estate: 'hemu-xincun',
      x,
      y,
      devices: i === 2 ? [id, `${id}b`] : [id],
      state: i === 4 ? 'silent' : i === 9 ? 'offline' : 'online',
    };
  });
}

function makeHouseholds(buildings) {
  return buildings.flatMap((b) =>
    Array.from({ length: b.households }, (_, i) => {
      const unit = String((i % b.units) + 1);
      const floor = (Math.floor(i / b.units) % b.floors) + 1;
      const id =
        seedOf(`token ${b.id} ${i}`).toString(16).padStart(8, '0') +
        seedOf(`nekot ${i} ${b.id}`).toString(16).padStart(8, '0');
      const door = `${floor}0*`;
      return {
        id,
        estate: 'hemu-xincun',
        building: b.id,
        unit,
        door,
        label: `${b.label}${unit}单元 ${door}`,
      };
    }),
  );
}

export function makeWorld() {
  const buildings = makeBuildings();
  const stations = makeStations();
  return { buildings, stations, households: makeHouseholds(buildings) };
}

/** One household's days: the same for the same token and edition. */
export function daysOf(token, from, to) {
  const days = [];
  for (let day = from; day <= to; day = addDays(day, 1)) {
    const rng = random(seedOf(`${token} ${day}`));
    const character = seedOf(token) % 100;
    if (rng() > 0.35 + (character % 7) / 14) continue;
    const theta = 0.4 + (character / 100) * 0.55;
    days.push(oneDay(day, theta, rng));
  }
  return days;
}

function oneDay(day, theta, rng) {
  const streams = STREAMS.filter((_, i) => rng() < [0.8, 0.3, 0.03, 0.6][i]);
  if (streams.length === 0) streams.push('residual');
  const inspected = rng() < 0.09;
  const calibrated = rng() > 0.15;
  const station = `st${String(1 + Math.floor(rng() * 12)).padStart(2, '0')}`;
  const value = () => Math.min(1, Math.max(0, theta + (rng() - 0.5) * 0.3));
  const sources = streams.map((stream) => ({
    source: station,
    stream,
    quality: round(Math.min(1, value() * 0.9 + 0.12), 4),
    readings: between(rng, 1, 2),
    counts: calibrated,
  }));
  if (inspected) {
    sources.push({
      source: 'inspector',
      stream: streams[0],
      quality: round(value(), 4),
      readings: 1,
      counts: true,
    });
  }
  const evidence = (calibrated ? 0.1 + rng() * 0.5 : 0) + (inspected ? 1 : 0);
  return {
    day,
    bags: sources.length,
    weight_g: between(rng, 250, 3200),
    streams,
    evidence: round(evidence, 2),
    decayed: 0,
    quality: evidence > 0 ? round(value(), 4) : null,
    sources,
  };
}

/** Fills in what each day still weighs and folds the days into a score (a rough copy of the rule, for pictures). */
export function scoreOf(token, edition, now) {
  const days = daysOf(token, addDays(edition, -90), addDays(edition, -1));
  decay(days, edition);
  const evidence = days.reduce((sum, d) => sum + d.decayed, 0);
  const good = days.reduce((sum, d) => sum + d.decayed * (d.quality ?? 0), 0);
  const prior = 0.74;
  const mu = (prior + good) / (1 + evidence);
  const deviation = Math.sqrt(0.03 / (1 + evidence) + 0.0016);
  const logistic = (x) => 1 / (1 + Math.exp(-x));
  const since = (n) => days.filter((d) => d.day >= addDays(edition, -n));
  const rated = evidence >= 3;
  return {
    as_of: now,
    edition,
    rated,
    score: rated ? Math.round(100 * mu) : null,
    low: Math.max(0, Math.round(100 * (mu - 1.645 * deviation))),
    high: Math.min(100, Math.round(100 * (mu + 1.645 * deviation))),
    evidence: round(evidence, 2),
    good: round(good, 2),
    mu: round(mu, 6),
    p_black: round(logistic((0.6 - mu) / deviation / 0.6), 9),
    p_red: round(logistic((mu - 0.85) / deviation / 0.6), 9),
    prior,
    days45: since(45).length,
    inspected_days60: since(60).filter((d) => d.sources.some((s) => s.source === 'inspector')).length,
    rule: '1',
  };
}

export function decay(days, edition) {
  for (const d of days) {
    const age = (Date.parse(edition) - Date.parse(d.day)) / DAY - 1;
    d.decayed = age < 0 ? 0 : round(d.evidence * 2 ** (-age / 21), 2);
  }
}

export function depositsOf(token, from, to) {
  return daysOf(token, from, to)
    .flatMap((d) =>
      d.sources.map((s, i) => ({
        id: `${s.source === 'inspector' ? 'pda3' : s.source}:1:${(seedOf(token + d.day) % 90000) + i}`,
        at: midnight(d.day) + 7 * HOUR + (seedOf(token + d.day) % (12 * HOUR)) + i * 61_000,
        day: d.day,
        device: s.source === 'inspector' ? 'pda3' : s.source,
        stream: s.stream,
        weight_g: Math.round(d.weight_g / d.sources.length),
        quality: s.quality,
        confidence: s.source === 'inspector' ? 1 : 0.87,
        by: s.source === 'inspector' ? 'inspector' : 'camera',
        bag: i % 3 === 0 ? `B${seedOf(token + d.day + i) % 1000000}` : null,
        flags: seedOf(d.day) % 29 === 0 ? ['clock_ahead'] : [],
      })),
    )
    .reverse();
}

/** How full a bin is at that hour: rises by day, emptied at 8 and 19 o'clock. */
export function fillAt(device, stream, ms) {
  const local = ms + ZONE_OFFSET;
  const hour = (local % DAY) / HOUR;
  const since = hour >= 19 ? hour - 19 : hour >= 8 ? hour - 8 : hour + 5;
  const pace = { food: 0.07, recyclable: 0.05, hazardous: 0.005, residual: 0.065 }[stream];
  const wobble = random(seedOf(`${device} ${stream} ${Math.floor(local / HOUR)}`))();
  return round(Math.min(1, 0.04 + since * pace + wobble * 0.12), 3);
}

export function measureAt(measure, device, stream, ms) {
  const rng = random(seedOf(`${measure} ${device} ${stream} ${Math.floor(ms / HOUR)}`));
  const hour = ((ms + ZONE_OFFSET) % DAY) / HOUR;
  const busy = Math.exp(-((hour - 7.5) ** 2) / 3) + Math.exp(-((hour - 18.5) ** 2) / 4);
  switch (measure) {
    case 'fill':
      return fillAt(device, stream, ms);
    case 'bin_weight':
      return Math.round(fillAt(device, stream, ms) * 60_000);
    case 'deposits':
      return Math.round(busy * 14 * rng());
    case 'deposit_weight':
      return Math.round(busy * 14_000 * rng());
    case 'quality':
      return round(0.6 + rng() * 0.3, 4);
    case 'battery':
      return 3700 + Math.round(rng() * 200);
    case 'rssi':
      return -75 + Math.round(rng() * 20);
    default:
      return round(18 + 6 * Math.sin(((hour - 9) / 24) * 2 * Math.PI) + rng(), 1);
  }
}

export const UNITS = {
  fill: 'ratio',
  bin_weight: 'g',
  deposits: '1',
  deposit_weight: 'g',
  quality: 'ratio',
  battery: 'mV',
  rssi: 'dBm',
  temperature: 'C',
};

export function quarantineOf(now) {
  const samples = [
    [
      'wrong_type',
      'weight_g: expected an integer of grams 0..200000, got "5"',
      '{"boot":1,"seq":412,"at":1779240000000,"stream":"food","weight_g":"5"}',
    ],
    [
      'out_of_range',
      'quality: expected 0..1, got 1.7',
      '{"boot":1,"seq":97,"stream":"residual","weight_g":830,"quality":1.7}',
    ],
    [
      'missing_field',
      'stream: expected food|recyclable|hazardous|residual, got nothing',
      '{"boot":1,"seq":98,"weight_g":120}',
    ],
    [
      'not_utf8',
      'expected a JSON object or an array, got bytes that are not UTF-8',
      '\u0000\u0001\ufffd{"seq":\u202e99}',
    ],
    [
      'not_json',
      'expected a JSON object, got text that looks like markup',
      '<img src=x onerror=alert(1)>=cmd|calc',
    ],
  ];
  return Array.from({ length: 23 }, (_, i) => {
    const [reason, detail, raw] = samples[i % samples.length];
    return {
      id: 230 - i,
      at: now - (i + 1) * 37 * 60_000,
      device: `st${String(1 + ((i * 5) % 12)).padStart(2, '0')}`,
      reason,
      detail,
      boot: '1',
      seq: 412 - i,
      raw,
      bytes: new TextEncoder().encode(raw).length,
    };
  });
}
