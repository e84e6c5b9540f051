// Drives a real Chromium through what a resident does, against the server at HEMU_URL. Codes are made as they are for a
// letter box: by `HEMU_BIN --data HEMU_DATA household code`. HEMU_LOGIN looks and decides.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { asked } from './asked.mjs';
import { accessible, run } from './harness.mjs';
import { code, codeOf } from './letters.mjs';

/** A phone on 4G in a stairwell: bits a second, round trip, and how much slower than this machine. */
const PHONE = { down: 4_000_000, up: 1_000_000, latency: 60, cpu: 4 };
/** Beyond this something is wrong, on whatever machine it runs. */
const FIRST_VIEW_MOST_MS = 5_000;
/** A phone, and nobody logged in yet. */
const RESIDENT = { path: 'home', width: 390, login: null };

const { HEMU_URL, HEMU_BIN, HEMU_DATA, HEMU_LOGIN } = process.env;
assert.ok(
  HEMU_URL && HEMU_BIN && HEMU_DATA && HEMU_LOGIN,
  'HEMU_URL, HEMU_BIN, HEMU_DATA and HEMU_LOGIN (`name password` of a grid officer) say which server is driven, and as whom',
);

/** What a household is told once this week's edition was: a demo's machine takes a few seconds for it. */
async function thisWeeks(token, cookie) {
  for (let tries = 0; ; tries += 1) {
    const { json: site } = await asked('site');
    const { json: own } = await asked(`households/${token}`, { cookie });
    if (own.told && site.now - Date.parse(`${own.told.day}T00:00:00+08:00`) < 7 * 86_400_000) return own;
    assert.ok(tries < 60, `no edition of this week was told: ${JSON.stringify(own.told)}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Households with a score, a list they are told of, and something to object to; two of them. */
async function households() {
  const found = [];
  for (const line of code('--estate', 'hemu-xincun', '--building', '12', '--csv', '-').split('\n').slice(1)) {
    const [token, , , , letter] = line.split(',');
    if (!letter || found.length === 2) continue;
    const { cookie } = await asked('login/code', { body: { code: letter } });
    const own = await thisWeeks(token, cookie);
    const { json: deposits } = await asked(`households/${token}/deposits?limit=3`, { cookie });
    const { json: objections } = await asked('objections', { cookie });
    const open = own.told?.deadline && objections.items.length === 0;
    if (own.score.rated && open && deposits.items.length === 3)
      found.push({ token, label: own.label, cookie });
  }
  assert.equal(
    found.length,
    2,
    'expected two households of building 12 with a score and a list they were told of',
  );
  return found;
}

async function enter({ page }, letter) {
  await page.goto(new URL(`home#code=${letter}`, page.url()).href);
  await page.click('#login-go');
  await page.waitForSelector('#score-value');
}

const posts = ({ requests }) => requests.filter((r) => r.method === 'POST').map((r) => r.path);

async function cookieOf(context) {
  const session = (await context.cookies()).find(({ name }) => name.endsWith('hemu_session'));
  return `${session.name}=${session.value}`;
}

async function story(stage, [mine, other], staff) {
  const { wire } = stage;
  const step = stage.step.bind(stage);
  const letter = codeOf(mine.token);
  const seen = await stage.open({ ...RESIDENT, path: `home#code=${letter}` });
  const { context, page, complaints, foreign } = seen;

  await step('a_scanned_code_leaves_the_address_and_waits_for_a_tap', async () => {
    await page.waitForSelector('#login-go');
    assert.equal(page.url(), `${wire.url}home`);
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    const told = await page.evaluate(() =>
      JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }]),
    );
    assert.ok(!told.includes(letter));
    assert.deepEqual(posts(seen), [], 'the code was sent before anybody tapped');
    await stage.shoot(page, 'home-390-zh-login');
  });

  await step('a_tap_logs_in_and_shows_the_score_with_its_interval_and_a_sentence', async () => {
    await page.locator('#login-go').dblclick();
    await page.waitForSelector('#score-value');
    assert.deepEqual(posts(seen), ['/api/v1/login/code'], 'a double tap is one login');
    assert.match(await page.textContent('#score-value'), /^\d+ 分$/);
    assert.match(await page.textContent('#score-interval'), /\d+ 到 \d+ 分/);
    assert.ok((await page.textContent('#score-meaning')).length > 8);
    await page.waitForFunction(() => document.querySelector('#sentence')?.textContent.includes('近90天'));
    assert.equal(await page.textContent('#label'), mine.label);
    assert.ok((await page.locator('#score .next li').count()) >= 1);
    assert.ok((await page.locator('#why .fall li').count()) >= 2);
    await page.waitForSelector('#weeks svg .own');
    await page.waitForSelector('#weeks circle.mean');
    await page.waitForSelector('#deposits .reads li');
  });

  await step('a_code_is_good_once_and_the_second_time_says_so', async () => {
    const second = await stage.open({ ...RESIDENT, path: `home#code=${letter}` });
    await second.page.click('#login-go');
    assert.match(await second.page.textContent('#login-error'), /已经用过.*过期.*再要一个/);
    assert.equal(await second.page.inputValue('#code'), letter, 'to be compared with the letter');
    await stage.shoot(second.page, 'home-390-zh-used');
    await second.page.fill('#code', '');
    await second.page.click('#login-go');
    assert.match(await second.page.textContent('#login-error'), /先填写/);
    assert.deepEqual(second.complaints, []);
    await second.context.close();
  });

  await step('the_token_is_in_no_address_and_no_storage', async () => {
    const told = await page.evaluate(() =>
      JSON.stringify([
        location.href,
        history.state,
        { ...localStorage },
        { ...sessionStorage },
        document.body.outerHTML,
      ]),
    );
    assert.ok(!told.includes(mine.token));
  });

  await step('a_double_tap_on_a_deposit_sends_one_objection_and_its_state_is_shown', async () => {
    await page.locator('#deposits button.object').first().click();
    await page.waitForSelector('#object-send');
    await stage.shoot(page, 'home-390-zh-objecting');
    await page.locator('#object-send').dblclick();
    await page.waitForSelector('#object-sent');
    await page.waitForSelector('#objections li[data-state="pending"]');
    assert.equal(posts(seen).filter((path) => path === '/api/v1/objections').length, 1);
    const { json } = await asked('objections', mine);
    assert.equal(json.items.length, 1);
    assert.equal(json.items[0].state, 'pending');
    const { json: written } = await asked(`objections/${json.items[0].id}`, mine);
    assert.equal(written.words, '这袋不是我家投的。');
    assert.equal(await page.locator('#deposits button.object').count(), 0, 'one at a time');
    await page.locator('#objections summary').click();
    await page.waitForFunction(() =>
      document.querySelector('#objections blockquote')?.textContent.includes('不是我家'),
    );
    assert.match(await page.textContent('#window'), /正在处理/);
  });

  await step('a_consent_is_given_and_taken_back', async () => {
    for (const given of [true, false]) {
      await page.click('#consent-change');
      await page.waitForSelector(`#consent-state[data-given="${given}"]`);
      const { json } = await asked(`households/${mine.token}/consents`, mine);
      assert.equal(json.current[0].given, given);
    }
    const { json } = await asked(`households/${mine.token}/consents`, mine);
    assert.equal(json.history.length, 2);
  });

  await step('who_looked_and_what_was_done_is_listed', async () => {
    const [name] = HEMU_LOGIN.split(' ');
    assert.equal((await asked(`households/${mine.token}/deposits`, staff)).status, 200);
    await page.click('#looks-show');
    await page.waitForSelector('#acts-list li');
    assert.match(await page.textContent('#acts-list'), /提出异议/);
    assert.match(await page.textContent('#looks-list'), new RegExp(`${name} 看了投放记录`));
  });

  await step('a_decision_reaches_the_page_by_itself', async () => {
    const { json } = await asked('objections', mine);
    const body = { upheld: false, reason: '袋上有您家的码' };
    assert.equal((await asked(`objections/${json.items[0].id}/decide`, { ...staff, body })).status, 200);
    await page.waitForSelector('#objections li[data-state="rejected"]', { timeout: 40_000 });
    await page.locator('#objections summary').click();
    await page.waitForFunction(() =>
      document.querySelector('#objections')?.textContent.includes('有您家的码'),
    );
    // The window goes on.
    await page.waitForSelector('#deposits button.object', { timeout: 40_000 });
    // The server said that something changed: as long as it does, the page asks every five minutes.
    assert.ok(seen.requests.some((r) => r.path === `/api/v1/households/${mine.token}/live`));
  });

  await step('a_delegate_switches_between_households', async () => {
    const { json: me } = await asked('me', { cookie: await cookieOf(context) });
    const [letter] = code(other.token, '--delegate', me.account).split('\n');
    await page.goto(`${wire.url}home#code=${letter.trim()}`);
    await page.click('#login-go');
    await page.waitForSelector('#homes');
    assert.equal(await page.locator('#homes option').count(), 2);
    for (const { token, label } of [other, mine]) {
      await page.selectOption('#homes', { label });
      await page.waitForSelector('#score-value');
      await page.waitForSelector('#deposits .reads li');
      const { json } = await asked(`households/${token}`, { cookie: await cookieOf(context) });
      assert.ok((await page.textContent('#score-value')).includes(String(json.score.score)));
    }
  });

  await step('a_delegate_is_shown_to_the_household_and_ended_in_two_taps', () =>
    ended(stage, seen, mine, other),
  );

  await step('all_data_is_one_file', async () => {
    await page.click('#export-go');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export-save')]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    assert.equal(JSON.parse(Buffer.concat(chunks).toString('utf8')).form, 'hemu-household-1');
  });

  await step('a_cut_line_is_told_and_heals_by_itself', async () => {
    wire.cut();
    await page.waitForSelector('#stale', { timeout: 30_000 });
    assert.ok(await page.isVisible('#score-value'), 'what was known stays');
    await stage.shoot(page, 'home-390-zh-offline');
    await page.click('#consent-change');
    await page.waitForSelector('#consent [role="alert"]');
    wire.mend();
    await page.waitForSelector('#stale', { state: 'detached', timeout: 30_000 });
  });

  await step('the_language_switches_and_is_remembered', async () => {
    await page.getByRole('button', { name: 'English' }).click();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    assert.match(await page.textContent('#score-value'), /points/);
    await page.reload();
    await page.waitForSelector('#score-value');
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    await page.getByRole('button', { name: '中文' }).click();
  });

  await step('the_page_is_walked_by_keyboard', async () => {
    await page.reload();
    await page.waitForSelector('#score-value');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.querySelector('main').contains(document.activeElement)));
  });

  await step('whoever_logs_out_leaves_nothing_on_the_page', async () => {
    await page.click('#logout');
    await page.waitForSelector('#code');
    assert.ok(!(await page.evaluate(() => document.body.outerHTML)).includes(mine.label));
    assert.equal((await asked('me', mine)).status, 200, 'another phone of the household stays logged in');
  });

  await step('nothing_was_asked_of_any_other_host_and_nothing_complained', async () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(complaints, []);
  });
  await context.close();
  await step('a_session_that_ran_out_keeps_what_was_typed', () => expired(stage, other));
}

/** The household of which `seen` is a delegate ends that, and the delegate's page goes on with its own. */
async function ended(stage, { context, page }, mine, other) {
  const { json: me } = await asked('me', { cookie: await cookieOf(context) });
  assert.deepEqual([...me.households].sort(), [mine.token, other.token].sort());
  await page.waitForSelector('#people-list li');
  assert.equal(
    await page.textContent('#people-note'),
    '本户的人由自己结束，或请打印登录码的社区工作人员结束；这里只能结束代办人。',
  );
  await page.selectOption('#homes', { label: other.label });
  await page.waitForFunction(() => document.querySelector('#people-note')?.textContent.includes('代办人'));
  assert.equal(await page.locator('#people-list li').count(), 1, 'a delegate is told of nobody else');
  await stage.shoot(page, 'home-390-zh-delegate');

  const theirs = await stage.open(RESIDENT);
  await enter(theirs, codeOf(other.token));
  const line = theirs.page.locator(`#people-list li[data-account="${me.account}"]`);
  await line.waitFor();
  assert.match(await line.textContent(), /代办人/);
  await line.locator('button.end').dblclick();
  await theirs.page.waitForSelector('#people-asked');
  assert.equal((await asked('me', { cookie: await cookieOf(context) })).json.households.length, 2);
  await stage.shoot(theirs.page, 'home-390-zh-ending');
  await accessible(theirs.page, 'ending');
  await theirs.page.locator('#people-yes').dblclick();
  await theirs.page.waitForSelector('#people-ended');
  await line.waitFor({ state: 'detached' });
  const deletes = theirs.requests.filter((r) => r.method === 'DELETE');
  assert.equal(deletes.length, 1, 'a double tap ends once');
  assert.deepEqual(theirs.complaints, []);
  await theirs.context.close();

  await page.waitForSelector('#homes', { state: 'detached', timeout: 40_000 });
  await page.waitForSelector('#score-value');
  assert.equal(await page.textContent('#label'), mine.label);
}

/** The session ends on the server while somebody writes; what they wrote is sent after they are back. */
async function expired(stage, { token, cookie }) {
  const seen = await stage.open(RESIDENT);
  const { context, page, complaints } = seen;
  await enter(seen, codeOf(token));
  await page.click('#object-notice');
  await page.check('input[name="because"][value="other"]');
  await page.click('#object-send');
  assert.match(await page.textContent('#object-wrong'), /写下原因/);
  await page.fill('#object-words', '那天我们不在家');
  const ended = await asked('logout', { cookie: await cookieOf(context), body: {} });
  assert.ok(ended.status < 300);
  await page.click('#object-send');
  await page.waitForSelector('#login');
  assert.match(await page.textContent('#login'), /已过期/);
  assert.ok(await page.isHidden('#score-value'), 'what was shown is out of sight');
  await stage.shoot(page, 'home-390-zh-expired');
  await page.fill('#code', `${page.url()}#code=${codeOf(token).toLowerCase()}`);
  await page.click('#login-go');
  await page.waitForSelector('#object-words');
  assert.equal(await page.inputValue('#object-words'), '那天我们不在家');
  await page.click('#object-send');
  await page.waitForSelector('#objections li[data-state="pending"]');
  const { json } = await asked('objections', { cookie });
  const { json: written } = await asked(`objections/${json.items[0].id}`, { cookie });
  assert.equal(written.words, '那天我们不在家');
  assert.ok(written.readings.length >= 1);
  assert.equal(posts(seen).filter((path) => path === '/api/v1/objections').length, 2);
  assert.deepEqual(complaints, []);
  await context.close();
}

/** Until the score can be read: a first visit of somebody who is logged in, on a slow phone. */
async function firstView(stage, { token }) {
  const before = await stage.open(RESIDENT);
  await enter(before, codeOf(token));
  const cookies = await before.context.cookies();
  await before.context.close();
  const fresh = await stage.open({ ...RESIDENT, path: 'healthz' });
  await fresh.context.addCookies(cookies);
  const session = await fresh.context.newCDPSession(fresh.page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: PHONE.latency,
    downloadThroughput: PHONE.down / 8,
    uploadThroughput: PHONE.up / 8,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: PHONE.cpu });
  const times = [];
  for (let visit = 0; visit < 2; visit += 1) {
    await fresh.page.goto(`${stage.wire.url}home`, { waitUntil: 'commit' });
    times.push(
      await fresh.page.waitForFunction(
        () => document.querySelector('#score-value') && performance.now(),
        null,
        {
          polling: 'raf',
        },
      ),
    );
  }
  const [first, again] = await Promise.all(times.map(async (handle) => Math.round(await handle.jsonValue())));
  const bytes = await fresh.page.evaluate(() =>
    performance.getEntriesByType('resource').reduce((sum, r) => sum + r.transferSize, 0),
  );
  await fresh.context.close();
  assert.ok(first < FIRST_VIEW_MOST_MS, `the first view took ${first} ms`);
  return `${first} ms, again ${again} ms (4 Mbit/s, ${PHONE.latency} ms, CPU ${PHONE.cpu}-fold; ${bytes} bytes again)`;
}

async function picture(stage, { token }, width, locale, tag, options = {}) {
  const seen = await stage.open({ ...RESIDENT, width, locale, ...options });
  const { context, page, complaints } = seen;
  await enter(seen, codeOf(token));
  for (const part of ['#weeks svg', '#deposits .reads li', '#consent-change', '#people-list li'])
    await page.waitForSelector(part);
  await stage.shoot(page, `home-${width}-${tag}`);
  await accessible(page, `${width} ${tag}`);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('button, summary, select, .choice')]
      .filter((e) => e.getClientRects().length > 0 && e.getBoundingClientRect().height < 44)
      .map((e) => e.textContent),
  );
  assert.deepEqual(small, [], 'too small for a finger');
  if (tag === 'zh') {
    await page.emulateMedia({ media: 'print' });
    await stage.shoot(page, `home-${width}-print`);
    const pdf = await page.pdf({
      path: join(stage.shots, `home-${width}.pdf`),
      format: 'A4',
      preferCSSPageSize: true,
    });
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length;
    assert.equal(pages, 1, `the print is ${pages} pages`);
  }
  assert.deepEqual(complaints, []);
  await context.close();
}

await run(async (stage) => {
  const both = await households();
  const [name, password] = HEMU_LOGIN.split(' ');
  const staff = await asked('login', { body: { name, password } });
  assert.equal(staff.status, 200);
  await story(stage, both, { cookie: staff.cookie });
  await stage.step('the_score_is_read_soon_on_a_slow_phone', () => firstView(stage, both[0]));
  for (const width of [390, 1280, 1920]) {
    for (const [locale, tag] of [
      ['zh-CN', 'zh'],
      ['en-GB', 'en'],
    ])
      await stage.step(`screenshot_${width}_${tag}`, () => picture(stage, both[0], width, locale, tag));
  }
  await stage.step('screenshot_390_dark', () =>
    picture(stage, both[0], 390, 'zh-CN', 'dark', { colorScheme: 'dark', reducedMotion: 'reduce' }),
  );
});
