// Drives a real Chromium through stations over time, against the hemu at HEMU_URL, and prints how smoothly a chart is panned.

import assert from 'node:assert/strict';
import { accessible, run } from './harness.mjs';
import { drawn, known, look, saved, stations } from './station.mjs';

const FRAME = 1000 / 60;

/** How many colours a canvas shows: one that failed to draw has one. */
function colours(page) {
  return page
    .locator('#station canvas')
    .first()
    .evaluate((c) => {
      const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
      const seen = new Set();
      for (let i = 0; i < data.length; i += 16)
        if (data[i + 3] > 0) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      return seen.size;
    });
}

const shown = (page) => page.textContent('#chart-window');

/** Drags the chart to and fro; how long frames took and how often the chart was drawn meanwhile. */
async function pan(page) {
  const box = await page.locator('#station canvas').first().boundingBox();
  const [left, right, y] = [box.x + box.width * 0.25, box.x + box.width * 0.75, box.y + 120];
  await page.mouse.move(left, y);
  await page.mouse.down();
  await page.mouse.move(left + 20, y);
  await page.evaluate(() => {
    const { prototype } = CanvasRenderingContext2D;
    const clear = (window.clearOnce ??= prototype.clearRect);
    const seen = (window.seen = { frames: [], draws: 0, drawn: false, on: true });
    prototype.clearRect = function (...area) {
      if (!seen.drawn && this.canvas.closest('#station')) [seen.drawn, seen.draws] = [true, seen.draws + 1];
      return clear.apply(this, area);
    };
    let before = null;
    const frame = (now) => {
      if (before !== null) seen.frames.push(now - before);
      [before, seen.drawn] = [now, false];
      if (seen.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const until = Date.now() + 3_000;
  for (let i = 0; Date.now() < until; i++) {
    const swing = 0.5 - 0.5 * Math.cos(i / 12);
    await page.mouse.move(left + (right - left) * swing, y);
  }
  await page.mouse.up();
  return page.evaluate(() => {
    window.seen.on = false;
    CanvasRenderingContext2D.prototype.clearRect = window.clearOnce;
    return { frames: window.seen.frames, draws: window.seen.draws };
  });
}

function figure(name, { frames, draws }) {
  const sorted = [...frames].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const mean = frames.reduce((sum, ms) => sum + ms, 0) / frames.length;
  const within = frames.filter((ms) => ms < FRAME * 1.2).length / frames.length;
  console.log(
    `panning, ${name}: ${(1000 / mean).toFixed(1)} frames/s, ${draws} drawn of ${frames.length}; frame p50 ${at(0.5).toFixed(1)} ms, ` +
      `p95 ${at(0.95).toFixed(1)} ms, longest ${sorted.at(-1).toFixed(1)} ms; ${(within * 100).toFixed(0)} % within 20 ms`,
  );
  assert.ok(draws > 10, `${name}: the chart was drawn ${draws} times while it was dragged`);
}

/** A month of one reading a minute: what no hour's mean has thinned. */
async function everyMinute(page) {
  await page.route('**/api/v1/series?**', async (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const [from, measure, agg] = [Number(asked.get('from')), asked.get('measure'), asked.get('agg')];
    const value = (i) => (agg === 'count' ? 1 : 0.5 + 0.4 * Math.sin(i / 300) + 0.05 * Math.sin(i * 12.9898));
    const points = Array.from({ length: 43_200 }, (_, i) => [from + i * 60_000, value(i)]);
    const series = [{ device: 'st01', stream: 'food', points }];
    const json = { measure, step: 'hour', agg, unit: 'ratio', from, to: Number(asked.get('to')), series };
    await route.fulfill({ json });
  });
}

async function station(stage) {
  const step = stage.step.bind(stage);
  const { context, page, complaints, foreign } = await stage.open({ width: 1280 });
  await page.waitForSelector('#plan .spot');
  const before = await month(page);

  await step('a_chart_has_pixels_and_says_how_it_is_thinned', async () => {
    await look(page, { measure: 'level', range: '90d' });
    assert.ok((await colours(page)) > 5, 'the canvas is empty');
    assert.match(await page.textContent('#chart-notes'), /每日读数的平均，共 [\d,]+ 个读数/);
  });

  await step('a_range_is_of_the_sites_calendar_and_is_turned', async () => {
    await look(page, { measure: 'fill', range: 'month', day: before });
    const here = await page.textContent('#range-shown');
    await page.click('#range-before');
    await page.waitForFunction((old) => document.querySelector('#range-shown').textContent !== old, here);
    await page.click('#range-after');
    await drawn(page, [`${before.slice(0, 7)}-01`]);
    assert.equal(here, before.slice(0, 7));
    assert.match(await shown(page), new RegExp(`^${before.slice(0, 7)}-01 00:00 – .* 00:00$`));
  });

  await step('a_chart_is_zoomed_and_moved_by_keyboard', async () => {
    const whole = await shown(page);
    await page.focus('#chart-in');
    await page.keyboard.press('Enter');
    await page.waitForFunction((old) => document.querySelector('#chart-window').textContent !== old, whole);
    const close = await shown(page);
    await page.focus('#chart-earlier');
    await page.keyboard.press('Enter');
    await page.waitForFunction((old) => document.querySelector('#chart-window').textContent !== old, close);
  });

  await step('the_csv_is_what_is_drawn', async () => {
    const [from, to] = (await shown(page)).split(' – ').map((t) => Date.parse(`${t.replace(' ', 'T')}:00Z`));
    const { bytes, name } = await saved(page, '#csv');
    const rows = bytes.toString('utf8').trim().split('\r\n').slice(1);
    const answer = await page.evaluate(() => {
      const asked = performance
        .getEntriesByType('resource')
        .map((r) => r.name)
        .filter((r) => r.includes('measure=fill') && r.includes('agg=mean'));
      return fetch(asked.at(-1)).then((r) => r.json());
    });
    // The demo's zone is eight hours ahead all year.
    const wall = (at) => at + 8 * 3_600_000;
    const points = answer.series
      .flatMap((s) =>
        s.points.map(([at, value]) => `${s.device} ${s.stream} ${new Date(at).toISOString()} ${value}`),
      )
      .filter((row) => {
        const at = wall(Date.parse(row.split(' ')[2]));
        return at >= from && at <= to;
      })
      .sort();
    const written = rows
      .map((row) => row.split(','))
      .map((c) => `${c[7]} ${c[8]} ${c[1]} ${c[9]}`)
      .sort();
    assert.ok(points.length > 0 && points.length < answer.series.flatMap((s) => s.points).length);
    assert.deepEqual(written, points);
    assert.match(name, /^hemu-.*-fill-.*\.csv$/);
  });

  await step('the_picture_is_a_png_that_says_what_it_shows', async () => {
    const { bytes, name } = await saved(page, '#png');
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
    const { width, height } = { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
    assert.ok(
      bytes.length > 20_000 && width > 1000 && height > 500,
      `${width}×${height}, ${bytes.length} bytes`,
    );
    assert.match(name, /\.png$/);
    await stage.keep('picture.png', bytes);
  });

  await step('stations_are_compared_on_one_scale', async () => {
    const [first, second, third] = await stations(page);
    await look(page, { station: first.id, measure: 'bin_weight', range: 'month', day: before });
    await page.selectOption('#compare-add', second.id);
    await page.waitForFunction(() => location.hash.includes('with='));
    await page.selectOption('#compare-add', third.id);
    await drawn(page, [[first, second, third].map((s) => s.id).join(' ')]);
    const label = await page.getAttribute('#station [role="img"][data-ready]', 'aria-label');
    for (const { name } of [first, second, third]) assert.ok(label.includes(name), label);
    const { bytes } = await saved(page, '#csv');
    const ids = new Set(
      bytes
        .toString('utf8')
        .trim()
        .split('\r\n')
        .slice(1)
        .map((row) => row.split(',')[2]),
    );
    assert.deepEqual([...ids].sort(), [first.id, second.id, third.id].sort());
  });

  await step('incidents_and_silences_are_numbered_in_chart_and_list', async () => {
    await page.route('**/api/v1/incidents?**', (route) =>
      route.fulfill({ json: { items: incidents(before), next: null } }),
    );
    await look(page, { measure: 'fill', range: 'month', day: before });
    await page.waitForSelector('.events li');
    assert.match(await page.textContent('.events'), /满溢/);
    const whole = await shown(page);
    await page.locator('.events li button').first().click();
    await page.waitForFunction((old) => document.querySelector('#chart-window').textContent !== old, whole);
    await page.unroute('**/api/v1/incidents?**');
  });

  await step('attribution_shows_its_numerator_and_denominator', async () => {
    await look(page, { measure: 'attributed', range: 'month', day: before });
    const [, all, named] =
      /([\d,]+) 次投放中有 ([\d,]+) 次/.exec(await page.textContent('#chart-notes')) ?? [];
    const number = (words) => Number(words.replaceAll(',', ''));
    assert.ok(number(all) > number(named) && number(named) > 0, `${named} of ${all}`);
  });

  await step('a_camera_apart_from_inspectors_is_drawn_by_the_day', async () => {
    await look(page, { measure: 'camera_apart', range: 'month', day: before });
    assert.ok((await colours(page)) > 5);
  });

  await step('panning_a_month_of_four_streams_and_three_measures', async () => {
    await look(page, { measure: 'together', range: 'month', day: before });
    await page.click('#chart-in');
    figure('hourly means, 3 measures', await pan(page));
  });

  await step('panning_a_month_of_minutes', async () => {
    await everyMinute(page);
    await look(page, { measure: 'fill', range: 'month', day: before });
    await page.reload();
    await drawn(page, ['fill']);
    assert.match(await page.textContent('#chart-notes'), /43,200 个点/);
    await page.click('#chart-in');
    figure('a line of 43,200 readings', await pan(page));
    await page.unroute('**/api/v1/series?**');
  });

  await step('the_chart_asked_nothing_of_any_other_host_and_nothing_complained', async () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });
  await context.close();
}

/** A whole month with readings, by a day of it: the one before the site's, which the demo's forty days reach into. */
async function month(page) {
  const { now } = await page.evaluate(() => fetch('api/v1/site').then((r) => r.json()));
  const day = new Date(now + 8 * 3_600_000);
  day.setUTCDate(day.getUTCDate() - 25);
  return day.toISOString().slice(0, 10);
}

function incidents(day) {
  const at = (hour) => Date.parse(`${day}T00:00:00Z`) + hour * 3_600_000;
  const one = (hour, kind, note) => ({
    at: at(hour),
    device: known()[0].devices.at(-1),
    kind,
    stream: null,
    note,
    photo: null,
  });
  return [one(1, 'overflow', 'bags beside the bin'), one(40, 'dumping', null)];
}

/** Each page as it looks, and what axe says of it. */
async function pictures(stage, width, locale, tag, options = {}) {
  const { context, page, complaints } = await stage.open({ width, locale, ...options });
  const name = (what) => `${what}-${width}-${tag}`;
  await page.waitForSelector('#nav-station');
  const before = await month(page);
  const all = await stations(page);
  const views = {
    level: { measure: 'level', range: 'week', day: before },
    together: { measure: 'together', range: 'month', day: before },
    attributed: { measure: 'attributed', range: '90d' },
    compare: { measure: 'fill', range: 'week', day: before, with: `${all[1].id}~${all[2].id}` },
  };
  for (const [what, choice] of Object.entries(views)) {
    await look(page, choice);
    await accessible(page, name(what));
    await stage.shoot(page, name(what));
  }
  assert.deepEqual(complaints, []);
  await context.close();
}

await run(async (stage) => {
  await station(stage);
  for (const width of [390, 1280, 1920])
    for (const [locale, tag] of [
      ['zh-CN', 'zh'],
      ['en-GB', 'en'],
    ])
      await stage.step(`screens_${width}_${tag}`, () => pictures(stage, width, locale, tag));
  await stage.step('screens_1280_dark', () =>
    pictures(stage, 1280, 'zh-CN', 'dark', { colorScheme: 'dark', reducedMotion: 'reduce' }),
  );
});
