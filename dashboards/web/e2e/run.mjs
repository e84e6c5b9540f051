// Drives a real Chromium through what an inspector does. Against HEMU_URL when given, else against the mock with
// the built page. Screenshots go to HEMU_SHOTS, or to a new folder under the system's temporary one.

import assert from 'node:assert/strict';
import { mkdtemp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { listen } from '../mock/server.mjs';
import { TEXTS, writeEverywhere } from './hostile.mjs';
import { openWire } from './proxy.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT = 15_000;

const shots = process.env.HEMU_SHOTS ?? (await mkdtemp(join(tmpdir(), 'hemu-shots-')));
await mkdir(shots, { recursive: true });
const mock = process.env.HEMU_URL ? null : await listen(0);
const base = process.env.HEMU_URL ?? `http://127.0.0.1:${mock.address().port}/`;
const wire = await openWire(base);
const browser = await chromium.launch({
  executablePath: process.env.HEMU_CHROMIUM ?? '/usr/bin/chromium',
  args: FLAGS,
});

/** A page whose browser lives elsewhere in the world, with every complaint and every request written down. */
async function openPage(width, locale, options = {}, before = async () => {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    locale,
    timezoneId: 'America/New_York',
    acceptDownloads: true,
    ...options,
  });
  await before(context);
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT);
  const complaints = [];
  const foreign = [];
  const lives = [];
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('console', (m) => {
    // A cut wire is reported by the browser itself; everything else is ours.
    if (m.type() === 'error' && !/Failed to load resource|net::ERR_/.test(m.text()))
      complaints.push(m.text());
  });
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (url.protocol !== 'blob:' && url.origin !== new URL(wire.url).origin) foreign.push(r.url());
    if (url.pathname.endsWith('/live')) lives.push(r.headers());
  });
  await page.goto(wire.url);
  await logIn(page);
  return { context, page, complaints, foreign, lives };
}

/** As whoever HEMU_LOGIN names (`name password`); the mock lets everybody in. */
async function logIn(page) {
  const [name, password] = (process.env.HEMU_LOGIN ?? '').split(' ');
  if (!name) return;
  await page.fill('#login-name', name);
  await page.fill('#login-password', password);
  await page.click('#login-go');
  await page.waitForSelector('#account');
}

const passed = [];
async function step(name, run) {
  await run();
  passed.push(name);
  console.log(`ok  ${name}`);
}

async function pickStation(page) {
  const spot = page.locator('#plan .spot[data-spot^="s "]').first();
  await spot.scrollIntoViewIfNeeded();
  await spot.click();
  await page.waitForSelector('#station [data-ready="true"] canvas');
}

async function openHousehold(page) {
  await page.fill('#household-query', '');
  await page.selectOption('#household form select', { index: 2 });
  await page.click('#household-go');
  await page.locator('#household .found li button').first().click();
  await page.waitForSelector('#score-value');
  await page.waitForSelector('#calendar .day');
  await page.waitForSelector('#deposit-list tbody tr, #household .view .hint');
}

async function story() {
  const { context, page, complaints, foreign, lives } = await openPage(1280, 'zh-CN');

  await step('the_page_speaks_the_browsers_language', async () => {
    await page.waitForSelector('#plan .spot');
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    assert.match(await page.textContent('#live h2'), /实时投放/);
  });

  await step('the_clock_is_the_sites_and_moves', async () => {
    const site = await (await fetch(new URL('api/v1/site', wire.url))).json();
    const shown = await page.textContent('#clock');
    const expected = new Intl.DateTimeFormat('sv-SE', { timeZone: site.zone, dateStyle: 'short' }).format(
      site.now,
    );
    const tomorrow = new Intl.DateTimeFormat('sv-SE', { timeZone: site.zone, dateStyle: 'short' }).format(
      site.now + 3_600_000,
    );
    assert.ok(
      [expected, tomorrow].some((day) => shown.startsWith(day)),
      `${shown} is not ${expected}`,
    );
    const wall = Date.parse(`${shown.trim().replace(' ', 'T')}Z`);
    const zoneWall = Date.parse(
      `${new Intl.DateTimeFormat('sv-SE', { timeZone: site.zone, dateStyle: 'short', timeStyle: 'medium' }).format(site.now).replace(' ', 'T')}Z`,
    );
    assert.ok(
      Math.abs(wall - zoneWall) < 20_000 * Math.max(1, site.speed),
      `${shown} is far from the site's time`,
    );
    await page.waitForFunction((before) => document.querySelector('#clock')?.textContent !== before, shown);
  });

  await step('the_chart_is_not_loaded_before_it_is_wanted', async () => {
    const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map((r) => r.name));
    assert.ok(!scripts.some((s) => /\/chart-[^/]*\.js/.test(s)));
  });

  await step('a_click_on_a_station_shows_its_chart', async () => {
    await pickStation(page);
    const link = new URL(page.url()).hash;
    assert.match(link, /station=/);
    const painted = await page
      .locator('#station canvas')
      .first()
      .evaluate((c) => {
        const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const colours = new Set();
        for (let i = 0; i < data.length; i += 16)
          if (data[i + 3] > 0) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
        return colours.size;
      });
    assert.ok(painted > 5, `the canvas has only ${painted} colours`);
  });

  await step('the_csv_holds_what_the_chart_shows', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#csv')]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    assert.ok(text.startsWith('\uFEFFtime_local,'));
    assert.ok(text.split('\r\n').length > 10, `only ${text.split('\r\n').length} lines`);
  });

  await step('a_range_is_chosen_and_kept_in_the_link', async () => {
    await page.locator('#station .segmented').first().locator('button').nth(2).click();
    await page.waitForFunction(
      () => location.hash.includes('range=30d') && location.hash.includes('step=day'),
    );
    await page.waitForSelector('#station [data-ready="true"] canvas');
  });

  await step('a_household_shows_score_interval_days_and_deposits', async () => {
    await openHousehold(page);
    assert.match(await page.textContent('#evidence-sentence'), /E = [\d.]+/);
    await page.waitForSelector('#why-sentence');
    assert.match(await page.textContent('#why-sentence'), /\d/);
    const first = page.locator('#day-list tbody tr button').first();
    if ((await first.count()) > 0) {
      await first.click();
      assert.ok((await page.locator('#day-list tr.sources li').count()) > 0);
    }
  });

  await step('the_token_is_in_no_address_and_no_history', async () => {
    const told = await page.evaluate(() =>
      [
        location.href,
        JSON.stringify(history.state),
        JSON.stringify({ ...localStorage }),
        JSON.stringify({ ...sessionStorage }),
      ].join(' '),
    );
    const token = (await page.evaluate(() => performance.getEntriesByType('resource').map((r) => r.name)))
      .map((name) => /households\/([^/?]+)/.exec(name)?.[1])
      .find(Boolean);
    assert.ok(token, 'no household was asked for');
    assert.ok(!told.includes(token));
  });

  await step('the_plan_is_walked_by_keyboard', async () => {
    await page.locator('#plan .spot[tabindex="0"]').focus();
    const before = await page.evaluate(() => document.activeElement.getAttribute('data-spot'));
    await page.keyboard.press('ArrowDown');
    const after = await page.evaluate(() => document.activeElement.getAttribute('data-spot'));
    assert.ok(after && (after !== before || (await page.locator('#plan .spot').count()) < 2));
    assert.equal(await page.locator('#plan .tip').count(), 1);
  });

  await step('deposits_arrive_live_and_a_pause_holds_them', async () => {
    const top = () => page.locator('#live ol li').first().textContent();
    const before = await top();
    await page.waitForFunction((old) => document.querySelector('#live ol li')?.textContent !== old, before, {
      timeout: 60_000,
    });
    await page.click('#live-pause');
    const still = await top();
    await page.waitForFunction(
      () => /\d/.test(document.querySelector('#live-pause')?.textContent ?? ''),
      null,
      { timeout: 60_000 },
    );
    assert.equal(await top(), still);
    await page.click('#live-pause');
    assert.ok((await page.locator('#live ol li').count()) <= 50);
  });

  await step('a_dropped_stream_heals_by_itself_and_resumes', async () => {
    await page.waitForSelector('#live-state[data-state="live"]');
    const asked = lives.length;
    const loaded = await page.evaluate(() => performance.timeOrigin);
    wire.cut();
    await page.waitForSelector('#live-state[data-state="waiting"]');
    await page.screenshot({ path: join(shots, 'dropped-1280-zh.png'), caret: 'initial' });
    await page.waitForTimeout(1_500);
    wire.mend();
    await page.waitForSelector('#live-state[data-state="live"]', { timeout: 40_000 });
    const top = await page.locator('#live ol li').first().textContent();
    await page.waitForFunction((old) => document.querySelector('#live ol li')?.textContent !== old, top, {
      timeout: 60_000,
    });
    assert.ok(lives.length > asked);
    assert.ok(
      lives.slice(asked).every((h) => h['last-event-id']),
      'resumed without Last-Event-ID',
    );
    assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, 'the page was reloaded');
  });

  await step('the_language_switches_and_is_remembered', async () => {
    await page.getByRole('button', { name: 'English' }).click();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    assert.match(await page.textContent('#live h2'), /Live deposits/);
    await page.reload();
    await page.waitForSelector('#plan .spot');
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    await page.waitForSelector('#station [data-ready="true"] canvas');
  });

  await step('quarantined_bytes_are_shown_as_text', async () => {
    const details = page.locator('#quality details').first();
    if ((await details.count()) > 0) await details.locator('summary').click();
    assert.equal(await page.locator('#quality img').count(), 0);
    await page.locator('#quality').getByRole('button', { name: 'Devices' }).click();
    await page.waitForSelector('#quality li');
  });

  await step('a_wrong_password_says_so_and_whoever_logs_out_sees_the_way_in', async () => {
    if (!process.env.HEMU_LOGIN) return;
    await page.click('#logout');
    await page.fill('#login-name', 'nobody');
    await page.fill('#login-password', 'not the password');
    await page.click('#login-go');
    await page.waitForSelector('form [role="alert"]');
    assert.equal(await page.locator('#plan').count(), 0);
    await logIn(page);
    await page.waitForSelector('#plan .spot');
  });

  await step('nothing_was_asked_of_any_other_host_and_nothing_complained', async () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });
  await context.close();
}

/** Whatever people and devices write is shown as they wrote it, and does nothing. */
async function hostile() {
  let used;
  const { context, page, complaints, foreign } = await openPage(1280, 'en-GB', {}, async (context) => {
    used = await writeEverywhere(context);
  });
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.waitForSelector('#plan .spot');
  await pickStation(page);
  await openHousehold(page);
  const details = page.locator('#quality details').first();
  if ((await details.count()) > 0) await details.locator('summary').click();
  await page.locator('#quality').getByRole('button', { name: 'Devices' }).click();
  await page.waitForSelector('#quality li');
  const shown = await page.evaluate(() => document.body.innerText);
  assert.ok(TEXTS.some((text) => shown.includes(text)), 'none of the texts is on the page');
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.deepEqual([...new Set(TEXTS)].filter((text) => !used.has(text)), []);
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
  await context.close();
}

async function shoot(width, locale, tag, options = {}) {
  const { context, page, complaints } = await openPage(width, locale, options);
  await page.waitForSelector('#plan .spot');
  await pickStation(page);
  await openHousehold(page);
  const row = page.locator('#day-list tbody tr button').first();
  if ((await row.count()) > 0) await row.click();
  await page.mouse.move(0, 0);
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(700);
  await page.screenshot({ path: join(shots, `page-${width}-${tag}.png`), fullPage: true, caret: 'initial' });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(overflow <= 0, `${width} ${tag}: the page is ${overflow} px wider than the window`);
  assert.deepEqual(complaints, []);
  await context.close();
}

try {
  await story();
  await step('a_text_that_would_be_a_program_stays_a_text', hostile);
  for (const width of [390, 1280, 1920]) {
    for (const [locale, tag] of [
      ['zh-CN', 'zh'],
      ['en-GB', 'en'],
    ]) {
      await step(`screenshot_${width}_${tag}`, () => shoot(width, locale, tag));
    }
  }
  await step('screenshot_1280_dark', () =>
    shoot(1280, 'zh-CN', 'dark', { colorScheme: 'dark', reducedMotion: 'reduce' }),
  );
  console.log(`${passed.length} steps passed; screenshots in ${shots}`);
} finally {
  await browser.close();
  wire.close();
  mock?.close();
  mock?.closeAllConnections();
}
