// An inspector's phone: bags are graded without a network, survive a reload, and are stored exactly once, whatever gets lost on
// the way. Against the hemu at HEMU_URL, as HEMU_LOGIN names.

import assert from 'node:assert/strict';
import { WAIT, accessible, goTo, logIn, run } from './harness.mjs';

const base = new URL(process.env.HEMU_URL);
const [name, password] = (process.env.HEMU_LOGIN ?? '').split(' ');

/** What a picture is called in the camera app. */
const PHOTO = 'IMG_20260520_0042.jpg';

async function logOut(page) {
  if (!(await page.isVisible('#logout'))) await page.click('#account');
  await page.click('#logout');
}

/** Asks the server itself, past the wire and the browser. */
async function asTester() {
  const login = await fetch(new URL('api/v1/login', base), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base.origin },
    body: JSON.stringify({ name, password }),
  });
  assert.equal(login.status, 200, await login.clone().text());
  const cookie = login.headers.get('set-cookie').split(';')[0];
  return async (path) => (await fetch(new URL(`api/v1/${path}`, base), { headers: { cookie } })).json();
}

/** Waits until something is so; what it was in the end. */
async function until(what, look) {
  const end = Date.now() + WAIT;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `${what} did not come to be`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function grade(page, token, { bag = '', stream = 'food', quality = 'most', photo = '' } = {}) {
  await page.fill('#grade-household', token);
  await page.fill('#grade-bag', bag);
  await page.check(`#grade-stream input[value="${stream}"]`);
  await page.check(`#grade-grade input[value="${quality}"]`);
  await page.fill('#grade-photo', photo);
  await page.click('#grade-keep');
}

const counts = (page) =>
  page.locator('#outbox-counts b').evaluateAll((all) => all.map((b) => Number(b.textContent)));
const counted = (page, expected) =>
  until(`counts ${expected}`, async () => String(await counts(page)) === String(expected));

/** All that the page's origin keeps on the phone. */
const kept = (page) =>
  page.evaluate(async () => {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open('hemu', 1);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const box = await new Promise((resolve) => {
      const request = database.transaction('outbox').objectStore('outbox').getAll();
      request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return JSON.stringify([box, { ...localStorage }, { ...sessionStorage }, location.href]);
  });

async function openPhone(stage, locale = 'zh-CN', more = {}) {
  const seen = await stage.open({ width: 390, locale, hasTouch: true, ...more });
  await goTo(seen.page, 'inspect');
  const stations = seen.page.locator('#inspect-station option:not([disabled])');
  await stations.first().waitFor({ state: 'attached' });
  await seen.page.selectOption('#inspect-station', { index: 1 });
  await seen.page.waitForSelector('#to-open li, #inspect .hint:not(.busy)');
  return seen;
}

async function story(stage) {
  const { wire } = stage;
  const ask = await asTester();
  const households = (await ask('households?limit=4')).items.map((household) => household.id);
  const [token, second, third, other] = households;
  const readings = async (id) => {
    const items = (await ask(`households/${id}/deposits?limit=1000`)).items;
    return items.filter((item) => item.device.startsWith('account-'));
  };
  const all = async () => (await Promise.all(households.map(readings))).flat();
  const { context, page, complaints, foreign } = await openPhone(stage);

  await stage.step('the_page_is_kept_for_when_there_is_no_network', async () => {
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      if (!navigator.serviceWorker.controller)
        await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
    });
  });

  await stage.step('what_is_missing_is_named_and_nothing_typed_is_lost', async () => {
    await page.fill('#grade-bag', 'B-17');
    await page.click('#grade-keep');
    assert.match(await page.textContent('#grade [role="alert"]'), /住户码/);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'grade-household');
    await page.fill('#grade-household', 'https://hemu.example/home#code=AAAA');
    await page.click('#grade-keep');
    assert.match(await page.textContent('#grade [role="alert"]'), /登录/);
    assert.equal(await page.inputValue('#grade-bag'), 'B-17');
    await page.fill('#grade-household', token);
    await page.click('#grade-keep');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'grade-stream');
    await page.check('#grade-stream input[value="food"]');
    await page.check('#grade-grade input[value="most"]');
    await page.fill('#grade-photo', 'x'.repeat(201));
    await page.click('#grade-keep');
    assert.match(await page.textContent('#grade [role="alert"]'), /照片编号/);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'grade-photo');
    assert.deepEqual(await counts(page), [0, 0, 0]);
  });

  await stage.step('bags_are_graded_without_a_network_and_one_is_taken_back', async () => {
    wire.cut();
    await grade(page, token, { bag: 'B-17', photo: ` ${PHOTO} ` });
    assert.equal(await page.inputValue('#grade-photo'), '', 'the next bag has a picture of its own');
    await counted(page, [1, 0, 0]);
    await grade(page, other, { quality: 'little' });
    await counted(page, [2, 0, 0]);
    await page.locator('#outbox li').first().locator('.undo').click();
    await counted(page, [1, 0, 0]);
    await grade(page, second, { stream: 'residual', quality: 'half' });
    await counted(page, [2, 0, 0]);
    await grade(page, third, { quality: 'all' });
    await counted(page, [3, 0, 0]);
    assert.equal((await all()).length, 0);
  });

  await stage.step('a_reload_without_a_network_loses_nothing', async () => {
    await page.reload();
    await page.waitForSelector('#main[data-page="inspect"]');
    await counted(page, [3, 0, 0]);
    assert.match(await page.textContent('#account'), new RegExp(name));
    await page.waitForSelector('#inspect .offline');
    assert.match(await page.textContent('#outbox'), new RegExp(PHOTO));
    await stage.shoot(page, 'inspect-390-zh-offline');
  });

  await stage.step('an_answer_that_is_lost_stores_nothing_twice', async () => {
    wire.mute();
    await page.click('#send-now');
    await until('three readings on the server', async () => (await all()).length === 3);
    await page.waitForSelector('#sent .held');
    assert.deepEqual(await counts(page), [3, 0, 0]);
    wire.mend();
    await page.click('#send-now');
    await counted(page, [0, 3, 0]);
    const stored = await all();
    assert.equal(stored.length, 3);
    const device = await ask(`devices/${stored[0].device}`);
    assert.deepEqual([device.records, device.conflicts, device.upto, device.missing], [3, 0, 3, []]);
    const first = stored.find((reading) => reading.bag === 'B-17');
    assert.deepEqual([first.by, first.quality, first.weight_g, first.flags], ['inspector', 0.9, 1000, []]);
    assert.equal((await readings(other)).length, 0, 'what was taken back was never sent');
    assert.deepEqual(stored.map((reading) => reading.photo ?? '').sort(), ['', '', PHOTO]);
    assert.equal(first.photo, PHOTO);
    const trail = await ask(`households/${token}/audit`);
    const named = trail.acts.items.filter((line) => line.kind === 'name_photo');
    assert.deepEqual(
      named.map((line) => [line.actor, line.after]),
      [[first.device, PHOTO]],
      'one line, by the device that the account is',
    );
    assert.match(await page.textContent('#outbox'), /照片编号已登记/);
  });

  await stage.step('no_token_stays_on_the_phone', async () => {
    const told = await kept(page);
    for (const id of households) assert.ok(!told.includes(id), 'a token is kept');
    assert.ok(!told.includes(PHOTO), 'a photo’s name is kept');
  });

  await stage.step('logging_out_asks_while_something_is_unsent_and_then_clears_the_phone', async () => {
    wire.cut();
    await grade(page, other);
    await counted(page, [1, 3, 0]);
    page.once('dialog', (dialog) => dialog.dismiss());
    await logOut(page);
    await counted(page, [1, 3, 0]);
    wire.mend();
    page.once('dialog', (dialog) => dialog.accept());
    await logOut(page);
    await page.waitForSelector('#login-name');
    const told = await kept(page);
    assert.ok(!told.includes(other) && !told.includes(name) && !told.includes('"label"'), told);
    await logIn(page, `${name} ${password}`);
    await page.waitForSelector('#main[data-page="inspect"]');
    await counted(page, [0, 0, 0]);
  });

  assert.deepEqual(complaints, []);
  assert.deepEqual(foreign, []);
  await context.close();
}

async function look(stage, width, locale, tag, more = {}) {
  const { context, page, complaints } = await openPhone(stage, locale, { width, ...more });
  await page.fill('#grade-household', 'hh-somebody-0001');
  await page.check('#grade-stream input[value="food"]');
  await page.check('#grade-grade input[value="mixed"]');
  await page.fill('#grade-photo', PHOTO);
  await accessible(page, `inspect ${width} ${tag}`);
  await stage.shoot(page, `inspect-${width}-${tag}`);
  assert.deepEqual(complaints, []);
  await context.close();
}

await run(async (stage) => {
  await story(stage);
  for (const [width, locale, tag, more] of [
    [390, 'zh-CN', 'zh'],
    [390, 'en-GB', 'en'],
    [390, 'zh-CN', 'dark', { colorScheme: 'dark' }],
    [1280, 'zh-CN', 'zh'],
    [1280, 'en-GB', 'en'],
    [1920, 'zh-CN', 'zh'],
    [1920, 'en-GB', 'en'],
  ])
    await stage.step(`inspect_${width}_${tag}`, () => look(stage, width, locale, tag, more));
});
