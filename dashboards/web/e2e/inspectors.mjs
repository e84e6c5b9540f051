// Drives a real Chromium through what an inspector does, against the hemu at HEMU_URL.

import assert from 'node:assert/strict';
import { TEXTS, writeEverywhere } from './hostile.mjs';
import { accessible, goTo, logIn, run } from './harness.mjs';

async function pickStation(page) {
  await goTo(page, 'today');
  const spot = page.locator('#plan .spot[data-spot^="s "]').first();
  await spot.scrollIntoViewIfNeeded();
  await spot.click();
  await page.waitForSelector('#station [data-ready="true"] canvas');
}

async function openHousehold(page) {
  await goTo(page, 'household');
  await page.fill('#household-query', '');
  await page.selectOption('#household form select', { index: 2 });
  await page.click('#household-go');
  await page.locator('#household .found li button').first().click();
  await page.waitForSelector('#score-value');
  await page.waitForSelector('#calendar .day');
  await page.waitForSelector('#deposit-list tbody tr, #household .view .hint');
}

/** Ends the browser's session as another of its windows would. */
async function endSession(context, wire) {
  const answer = await context.request.post(new URL('api/v1/logout', wire.url).href, {
    headers: { origin: new URL(wire.url).origin },
    data: {},
  });
  assert.ok(answer.ok(), `logging out answered ${answer.status()}`);
}

async function story(stage) {
  const { step, wire } = { step: stage.step.bind(stage), wire: stage.wire };
  const { context, page, complaints, foreign, requests } = await stage.open();
  const lives = () => requests.filter((r) => r.path.endsWith('/live'));

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

  await step('a_range_is_chosen_and_kept_in_the_link', async () => {
    await page.locator('#station .segmented').first().locator('button').nth(3).click();
    await page.waitForFunction(
      () => location.hash.includes('range=90d') && location.hash.includes('step=day'),
    );
    await page.waitForSelector('#station [data-shows*="90d day"] canvas');
  });

  await step('the_csv_holds_what_the_chart_shows', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#csv')]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    assert.ok(text.startsWith('\uFEFFtime_local,'));
    assert.ok(text.split('\r\n').length > 10, `only ${text.split('\r\n').length} lines`);
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
    await goTo(page, 'today');
    await page.waitForSelector('#plan .spot');
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
    const asked = lives().length;
    const loaded = await page.evaluate(() => performance.timeOrigin);
    wire.cut();
    await page.waitForSelector('#live-state[data-state="waiting"]');
    await stage.shoot(page, 'dropped-1280-zh');
    await page.waitForTimeout(1_500);
    wire.mend();
    await page.waitForSelector('#live-state[data-state="live"]', { timeout: 40_000 });
    const top = await page.locator('#live ol li').first().textContent();
    await page.waitForFunction((old) => document.querySelector('#live ol li')?.textContent !== old, top, {
      timeout: 60_000,
    });
    assert.ok(lives().length > asked);
    assert.ok(
      lives()
        .slice(asked)
        .every((r) => r.headers['last-event-id']),
      'resumed without Last-Event-ID',
    );
    assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, 'the page was reloaded');
  });

  await step('the_language_switches_and_is_remembered', async () => {
    await page.getByRole('button', { name: 'English' }).click();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    assert.match(await page.textContent('#live h2'), /Live deposits/);
    await pickStation(page);
    await page.reload();
    await page.waitForSelector('#station [data-ready="true"] canvas');
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
  });

  await step('quarantined_bytes_are_shown_as_text', async () => {
    await goTo(page, 'quality');
    await page.waitForSelector('#quality');
    const details = page.locator('#quality details').first();
    if ((await details.count()) > 0) await details.locator('summary').click();
    assert.equal(await page.locator('#quality img').count(), 0);
    await page.locator('#quality').getByRole('button', { name: 'Devices' }).click();
    await page.waitForSelector('#quality li');
  });

  await step('a_session_that_ends_asks_again_over_the_page_and_loses_nothing', async () => {
    await goTo(page, 'household');
    await page.fill('#household-query', '12-1-');
    await endSession(context, wire);
    await page.click('#household-go');
    await page.waitForSelector('#login-again[open]');
    for (let i = 0; i < 8; i += 1) {
      await page.keyboard.press('Tab');
      assert.ok(await page.evaluate(() => document.activeElement.closest('main') === null));
    }
    await page.keyboard.press('Escape');
    await page.fill('#again-password', 'not the password');
    await page.click('#again-go');
    await page.waitForSelector('#login-again [role="alert"]');
    await accessible(page, 'login-again');
    await stage.shoot(page, 'login-again', { fullPage: false });
    await page.fill('#again-password', process.env.HEMU_LOGIN.split(' ')[1]);
    await page.click('#again-go');
    await page.waitForSelector('#login-again:not([open])', { state: 'attached' });
    assert.equal(await page.inputValue('#household-query'), '12-1-');
    // What was asked when the session was over is answered without being asked again.
    await page.waitForSelector('#household .found li button');
  });

  await step('a_wrong_password_says_so_and_whoever_logs_out_sees_the_way_in', async () => {
    await page.click('#logout');
    await page.fill('#login-name', 'nobody');
    await page.fill('#login-password', 'not the password');
    await page.click('#login-go');
    await page.waitForSelector('form [role="alert"]');
    assert.equal(await page.locator('#plan').count(), 0);
    await logIn(page, process.env.HEMU_LOGIN);
    await goTo(page, 'today');
    await page.waitForSelector('#plan .spot');
  });

  await step('nothing_was_asked_of_any_other_host_and_nothing_complained', async () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });
  await context.close();
}

/** Whatever people and devices write is shown as they wrote it, and does nothing. */
async function hostile(stage) {
  let used;
  const { context, page, complaints, foreign } = await stage.open({
    locale: 'en-GB',
    before: async (context) => {
      used = await writeEverywhere(context);
    },
  });
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.waitForSelector('#plan .spot');
  await pickStation(page);
  const chart = await page.evaluate(() => document.body.innerText);
  await openHousehold(page);
  const home = await page.evaluate(() => document.body.innerText);
  await goTo(page, 'quality');
  await page.waitForSelector('#quality');
  const details = page.locator('#quality details').first();
  if ((await details.count()) > 0) await details.locator('summary').click();
  await page.locator('#quality').getByRole('button', { name: 'Devices' }).click();
  await page.waitForSelector('#quality li');
  const shown = chart + home + (await page.evaluate(() => document.body.innerText));
  assert.ok(
    TEXTS.some((text) => shown.includes(text)),
    'none of the texts is on the page',
  );
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.deepEqual(
    [...new Set(TEXTS)].filter((text) => !used.has(text)),
    [],
  );
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
  await context.close();
}

/** Each page as it looks, and what axe says of it. */
async function look(stage, width, locale, tag, options = {}) {
  const { context, page, complaints } = await stage.open({ width, locale, ...options });
  const name = (what) => `${what}-${width}-${tag}`;
  await page.waitForSelector('#plan .spot');
  await accessible(page, name('today'));
  await stage.shoot(page, name('today'));
  await pickStation(page);
  await accessible(page, name('station'));
  await stage.shoot(page, name('station'));
  await openHousehold(page);
  const row = page.locator('#day-list tbody tr button').first();
  if ((await row.count()) > 0) await row.click();
  await accessible(page, name('household'));
  await stage.shoot(page, name('household'));
  await goTo(page, 'quality');
  await page.waitForSelector('#quality');
  await accessible(page, name('quality'));
  await stage.shoot(page, name('quality'));
  assert.deepEqual(complaints, []);
  await context.close();
}

await run(async (stage) => {
  await story(stage);
  await stage.step('a_text_that_would_be_a_program_stays_a_text', () => hostile(stage));
  for (const width of [390, 1280, 1920])
    for (const [locale, tag] of [
      ['zh-CN', 'zh'],
      ['en-GB', 'en'],
    ])
      await stage.step(`screens_${width}_${tag}`, () => look(stage, width, locale, tag));
  await stage.step('screens_1280_dark', () =>
    look(stage, 1280, 'zh-CN', 'dark', { colorScheme: 'dark', reducedMotion: 'reduce' }),
  );
});
