// Drives the public screen in a real Chromium against the hemu demo at HEMU_URL, with the token in HEMU_SCREEN_TOKEN.
// HEMU_SCREEN_OFFICERS, two tokens of two accounts that prepare and decide lists, publishes an edition first: only then are
// there buildings to show.

import assert from 'node:assert/strict';
import { accessible, run } from './harness.mjs';

const token = process.env.HEMU_SCREEN_TOKEN;
assert.ok(token, 'HEMU_SCREEN_TOKEN is not set: hemu token add NAME --scopes see_screen --label screen');
const officers = process.env.HEMU_SCREEN_OFFICERS?.split(' ') ?? [];
/** A screen in a hall, an old one, and a telephone that somebody looks at it with. */
const SIZES = [
  [1920, 1080],
  [1280, 720],
  [390, 844],
];
const SCENES = ['today', 'plan', 'fortnight', ...(officers.length > 0 ? ['buildings'] : []), 'programme'];

async function api(bearer, path, asked) {
  const response = await fetch(new URL(`api/v1/${path}`, process.env.HEMU_URL), {
    method: asked ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(asked ? { body: JSON.stringify(asked) } : {}),
  });
  const answer = await response.json();
  assert.ok(response.ok, `${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** Publishes the demo's edition to everybody, by two persons, for as long as anybody may look. */
async function publish([first, second]) {
  let edition;
  const deadline = Date.now() + 60_000;
  while (!edition && Date.now() < deadline) {
    const { items } = await api(first, 'editions?state=deciding');
    edition = items[0];
    if (!edition) await new Promise((go) => setTimeout(go, 200));
  }
  assert.ok(edition, 'the demo has no edition that people decide on');
  const { now } = await api(token, 'site');
  const publication = {
    basis: 'covenant of the demo',
    audience: 'masked',
    expires_at: now + 90 * 86_400_000,
  };
  await api(first, `editions/${edition.id}/propose-publication`, publication);
  await api(second, `editions/${edition.id}/publish`, {});
}

/** Nothing is cut off: no text is wider or higher than what holds it, and nothing lies outside the window; a telephone scrolls. */
async function fits(page, where) {
  const outside = await page.evaluate(() => {
    const bottom = innerWidth <= 640 ? document.documentElement.scrollHeight : innerHeight;
    const window = { right: innerWidth + 1, bottom: bottom + 1 };
    return [...document.querySelectorAll('#app *')]
      .filter((e) => {
        const box = e.getBoundingClientRect();
        const cut = e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).overflowX === 'hidden';
        return (
          box.width > 0 && (box.right > window.right || box.bottom > window.bottom || box.left < -1 || cut)
        );
      })
      .map((e) => `${e.tagName} ${e.className?.baseVal ?? e.className} ${e.textContent?.slice(0, 40)}`);
  });
  assert.deepEqual(outside, [], `${where}: cut off`);
}

async function story(stage) {
  const { step, wire } = { step: stage.step.bind(stage), wire: stage.wire };
  if (officers.length > 0) {
    await step('two_persons_publish_an_edition', () => publish(officers));
    await step('buildings_are_shown_with_their_numbers', async () => {
      const { context, page } = await stage.open({
        path: `screen?scene=plan#token=${token}`,
        width: 1920,
        login: null,
      });
      await page.waitForSelector('.score');
      const { estates } = await api(token, 'screen');
      const shown = estates[0].groups.items.filter((item) => item.figures).length;
      assert.equal(await page.locator('.score').count(), shown);
      assert.ok(shown > 10, `only ${shown} buildings`);
      await context.close();
    });
  }

  const open = (query, options) =>
    stage.open({ path: `screen${query}#token=${token}`, width: 1920, login: null, ...options });

  for (const lang of ['zh', 'en']) {
    for (const scene of SCENES) {
      await step(`the_scene_${scene}_fits_the_screen_in_${lang}`, async () => {
        const { context, page, complaints, foreign } = await open(`?scene=${scene}&lang=${lang}`);
        await page.waitForSelector(`main[data-scene="${scene}"] h2`);
        await page.waitForTimeout(1_000);
        for (const [width, height] of SIZES) {
          await page.setViewportSize({ width, height });
          await page.waitForTimeout(300);
          await fits(page, `${scene} ${width}`);
          await stage.shoot(page, `screen-${scene}-${width}-${lang}`, { fullPage: width <= 640 });
        }
        await accessible(page, scene);
        assert.deepEqual([complaints, foreign], [[], []]);
        await context.close();
      });
    }
  }

  await step('a_larger_and_a_smaller_screen_show_the_same', async () => {
    for (const [width, height] of [
      [3840, 2160],
      [1080, 1920],
    ]) {
      const { context, page } = await open('?scene=today', { width, height });
      await page.waitForSelector('#deposits');
      await fits(page, `${width}x${height}`);
      await stage.shoot(page, `screen-today-${width}`, { fullPage: false });
      await context.close();
    }
  });

  await step('the_numbers_are_the_servers_and_move', async () => {
    const { context, page } = await open('?scene=today&lang=en', { reducedMotion: 'reduce' });
    await page.waitForSelector('#deposits');
    const shown = async () => Number((await page.textContent('#deposits strong')).replaceAll(',', ''));
    const told = (await api(token, 'screen')).days.at(-1).deposits;
    // The demo's day may end in between.
    const first = await shown();
    assert.ok(first <= told || told < 200, `${first} is more than ${told}`);
    await page.waitForFunction(
      (before) => document.querySelector('#deposits strong').textContent.replaceAll(',', '') !== before,
      String(first),
      { timeout: 60_000 },
    );
    await context.close();
  });

  await step('nothing_of_a_household_reaches_the_screen', async () => {
    const { context, page } = await open('?scene=programme');
    // A later answer: the body of one that came before a navigation cannot be read any more.
    const answer = await page.waitForResponse(
      (r) => r.url().endsWith('/api/v1/screen') && r.status() === 200,
    );
    const text = await answer.text();
    assert.ok(!/"(door|token|household)"|···/.test(text), text.slice(0, 500));
    await context.close();
  });

  await step('the_token_is_sent_in_a_header_and_survives_a_reload', async () => {
    const { context, page, requests } = await open('?scene=today');
    await page.waitForSelector('#deposits');
    await page.reload();
    await page.waitForSelector('#deposits');
    assert.ok(new URL(page.url()).hash.includes(token));
    const asked = requests.filter((r) => r.path === '/api/v1/screen');
    assert.ok(asked.length >= 2 && asked.every((r) => r.headers.authorization === `Bearer ${token}`));
    assert.ok(requests.every((r) => !r.path.includes(token) && !r.headers.cookie));
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]),
    );
    assert.ok(!kept.includes(token), kept);
    await context.close();
  });

  await step('scenes_follow_each_other_and_a_key_holds_them', async () => {
    const { context, page } = await open('?seconds=3');
    for (const scene of SCENES.slice(0, 3)) await page.waitForSelector(`main[data-scene="${scene}"]`);
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('main[data-scene="plan"]');
    await context.close();
  });

  await step('a_server_that_is_away_leaves_the_last_numbers_and_heals_without_a_reload', async () => {
    const { context, page } = await open('?scene=today&lang=zh');
    await page.waitForSelector('#deposits');
    await page.evaluate(() => (globalThis.sameVisit = true));
    wire.cut();
    await page.waitForSelector('#fresh.old', { timeout: 60_000 });
    assert.match(await page.textContent('#fresh'), /未收到新数据/);
    assert.ok(Number((await page.textContent('#deposits strong')).replaceAll(',', '')) >= 0);
    await stage.shoot(page, 'screen-away', { fullPage: false });
    wire.mend();
    await page.waitForSelector('#fresh:not(.old)', { timeout: 90_000 });
    assert.ok(await page.evaluate(() => globalThis.sameVisit));
    await context.close();
  });

  await step('without_a_token_or_with_a_wrong_one_the_screen_says_what_to_do', async () => {
    for (const [hash, says] of [
      ['', /see_screen/],
      ['#token=hemu_wrong', /no longer good/],
    ]) {
      const { context, page } = await stage.open({ path: `screen?lang=en${hash}`, width: 1920, login: null });
      await page.waitForFunction((says) => new RegExp(says).test(document.body.innerText), says.source);
      await accessible(page, 'notice');
      await stage.shoot(page, `screen-notice-${hash ? 'wrong' : 'none'}`, { fullPage: false });
      await context.close();
    }
  });
}

await run(story);
