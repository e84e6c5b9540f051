// Drives a real Chromium through one household: what its score is made of, and what is done about it, against the hemu at
// HEMU_URL. HEMU_LOGIN is a grid officer, HEMU_ADMIN an admin, both `name password`.

import assert from 'node:assert/strict';
import { accessible, goTo, run } from './harness.mjs';

async function openHousehold(page) {
  await goTo(page, 'household');
  await page.selectOption('#household form select', { index: 2 });
  await page.click('#household-go');
  await page.locator('#household .found li button').first().click();
  await page.waitForSelector('#score-value');
  await page.waitForSelector('#calendar .day');
  await page.waitForSelector('#deposit-list tbody tr');
  await page.waitForSelector('#why');
}

/** Opens households until one is rated. */
async function openRated(page) {
  await openHousehold(page);
  for (let nth = 1; (await page.locator('#waterfall').count()) === 0; nth++) {
    const button = page.locator('#household .found li button').nth(nth);
    const label = (await button.locator('span').first().textContent()).trim();
    await button.click();
    await page.waitForFunction((l) => document.querySelector('#score h3')?.textContent.includes(l), label);
    await page.waitForSelector('#why-sentence');
  }
}

const confirm = async (page) => {
  await page.click('#act-go');
  await page.waitForSelector('#act:not([open])', { state: 'attached' });
  await page.waitForSelector('#act-done p');
};

async function household(stage) {
  const step = stage.step.bind(stage);
  const { context, page, complaints, requests } = await stage.open({ width: 1280 });
  const asked = (what) =>
    requests.filter((r) => /\/households\//.test(r.path) && r.path.endsWith(what)).length;

  await step('the_waterfall_adds_up_to_the_score_exactly', async () => {
    await openRated(page);
    const score = Number(await page.textContent('#score-value'));
    await page.click('#waterfall summary');
    const steps = await page
      .locator('#waterfall-table tbody tr')
      .evaluateAll((rows) =>
        rows.map((row) => ({ kind: row.dataset.kind, tenths: Number(row.dataset.tenths) })),
      );
    const sum = steps.filter(({ kind }) => kind !== 'score').reduce((total, { tenths }) => total + tenths, 0);
    assert.equal(sum, score * 10);
    assert.equal(steps.at(-1).tenths, score * 10);
    assert.equal(await page.locator('#waterfall svg').getAttribute('role'), 'img');
  });

  await step('nothing_more_is_asked_of_a_household_before_it_is_opened', async () => {
    for (const what of ['/editions', '/rank', '/consents', '/audit', '/next-bag'])
      assert.equal(asked(what), 0, what);
    for (const id of ['editions', 'rank', 'consents', 'next-bag', 'trail', 'bank']) {
      await page.click(`#house-${id} summary`);
      await page.waitForSelector(`#house-${id} .inside > *:not(.hint)`);
    }
    assert.equal(asked('/audit'), 1);
    assert.match(await page.textContent('#house-trail'), /住户与评分/);
    assert.match(await page.textContent('#house-editions'), /\d{4}-\d\d-\d\d/);
  });

  await step('ninety_days_are_walked_by_keyboard', async () => {
    await page.focus('#calendar .day[tabindex="0"]');
    await page.keyboard.press('Home');
    const first = await page.evaluate(() => document.activeElement.dataset.day);
    await page.keyboard.press('End');
    const last = await page.evaluate(() => document.activeElement.dataset.day);
    const days = (Date.parse(last) - Date.parse(first)) / 86_400_000 + 1;
    assert.ok(days >= 90, `${first} to ${last}`);
    await page.keyboard.press('PageUp');
    assert.equal(
      await page.evaluate(() => document.activeElement.dataset.day),
      new Date(Date.parse(last) - 28 * 86_400_000).toISOString().slice(0, 10),
    );
  });

  await step('a_reading_is_struck_once_and_restored', async () => {
    const row = page.locator('#deposit-list tbody tr:not(.out)').first();
    const place = await row.getAttribute('data-place');
    const acts = () =>
      requests.filter((r) => r.method === 'POST' && r.path.includes(`/readings/${place}/`)).length;
    await row.locator('.mend').click();
    await page.waitForSelector('#act[open]');
    await page.click('#act-go');
    await page.waitForSelector('#act-reason[aria-invalid="true"]');
    assert.equal(acts(), 0, 'nobody strikes without saying why');
    await page.fill('#act-reason', '这袋是邻居的');
    await page.dblclick('#act-go');
    await page.waitForSelector(`#deposit-list tr.out[data-place="${place}"]`);
    assert.match(await page.textContent(`#deposit-list tr[data-place="${place}"]`), /已剔除/);
    assert.equal(acts(), 1);
    await page.locator(`#deposit-list tr[data-place="${place}"] .mend`).click();
    await page.waitForSelector('#act[open]');
    await confirm(page);
    await page.waitForSelector(`#deposit-list tr:not(.out)[data-place="${place}"]`);
  });

  await step('a_card_lost_on_no_day_is_refused_by_its_field', async () => {
    await page.click('#do-card-lost');
    await page.fill('#act-since', '2999-01-01');
    await page.click('#act-go');
    await page.waitForSelector('#act-since[aria-invalid="true"]');
    assert.match(await page.textContent('#act-wrong'), /从哪一天起丢失/);
    await page.keyboard.press('Escape');
    assert.equal(asked('/card-lost'), 0);
  });

  await step('a_consent_is_recorded_and_withdrawn', async () => {
    for (const [way, word] of [
      ['in', '同意'],
      ['out', '撤回'],
    ]) {
      await page.click(`#do-red-${way}`);
      await page.waitForSelector('#act[open]');
      await confirm(page);
      await page.waitForFunction(
        (w) => document.querySelector('#house-consents ul')?.lastElementChild?.textContent.includes(w),
        word,
      );
    }
    assert.equal(await page.locator('#do-code').count(), 0, 'an officer prints no code');
  });

  await step('the_token_is_in_no_address_and_no_storage', async () => {
    const token = /households\/([^/?]+)\/audit/.exec(requests.find((r) => r.path.endsWith('/audit')).path)[1];
    const told = await page.evaluate(() =>
      [location.href, JSON.stringify(history.state), { ...localStorage }, { ...sessionStorage }]
        .map((one) => JSON.stringify(one))
        .join(' '),
    );
    assert.ok(!told.includes(token));
    assert.deepEqual(complaints, []);
  });
  await context.close();
}

async function code(stage) {
  const { context, page, complaints } = await stage.open({ login: process.env.HEMU_ADMIN });
  await openHousehold(page);
  assert.equal(await page.locator('.mend').count(), 0, 'an admin mends no reading');
  await page.click('#do-code');
  await page.waitForSelector('#act[open]');
  await confirm(page);
  assert.match(await page.textContent('#household-code'), /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  assert.ok(((await page.getAttribute('#code-sheet path', 'd')) ?? '').length > 1000);
  await stage.shoot(page, 'code-1280-zh');
  await page.locator('#household .found li button').nth(1).click();
  await page.waitForSelector('#code-sheet', { state: 'detached' });
  assert.deepEqual(complaints, []);
  await context.close();
}

/** The page as it looks, and what axe says of it. */
async function pictures(stage, width, locale, tag, options = {}) {
  const { context, page, complaints } = await stage.open({ width, locale, ...options });
  const name = (what) => `${what}-${width}-${tag}`;
  await openRated(page);
  for (const id of ['editions', 'rank', 'consents', 'next-bag', 'trail', 'bank']) {
    await page.click(`#house-${id} summary`);
    await page.waitForSelector(`#house-${id} .inside > *:not(.hint)`);
  }
  await accessible(page, name('household'));
  await stage.shoot(page, name('household'));
  await page.click('#do-card-lost');
  await page.waitForSelector('#act[open]');
  await accessible(page, name('act'));
  await stage.shoot(page, name('act'), { fullPage: false });
  assert.deepEqual(complaints, []);
  await context.close();
}

await run(async (stage) => {
  await household(stage);
  if (process.env.HEMU_ADMIN) await stage.step('an_admin_prints_a_code_to_hand_over', () => code(stage));
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
