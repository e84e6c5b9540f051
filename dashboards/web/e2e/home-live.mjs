// A household's open page, told of what is new. Whoever runs this restarts the server: after the line "restart" on stdout it
// is to be killed, and the new one's address is to come on stdin. HEMU_LOGIN grades bags; codes as in `home.mjs`.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { asked } from './asked.mjs';
import { run } from './harness.mjs';
import { code, codeOf } from './letters.mjs';

const { HEMU_LOGIN } = process.env;
assert.ok(HEMU_LOGIN, 'HEMU_LOGIN (`name password` of a grid officer) says who grades bags');

/** Less than a page that hears nothing waits from one question to the next. */
const TOLD_MS = 20_000;
/** More than that. */
const POLLED_MS = 45_000;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const [token] = code('--estate', 'hemu-xincun', '--building', '12', '--csv', '-')
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))
  .find(([, , , , letter]) => letter);
const [name, password] = HEMU_LOGIN.split(' ');
const { cookie } = await asked('login', { body: { name, password } });

let seq = 0;
/** Somebody opens a bag of the household's now; the weight tells it from the others. */
async function grade(weight_g, base) {
  const { json: site } = await asked('site', { base });
  seq += 1;
  const reading = { boot: 4711, seq, at: site.now, household: token, stream: 'food', weight_g, quality: 0.9 };
  const { status, json } = await asked('inspections', { cookie, base, body: { readings: [reading] } });
  assert.deepEqual([status, json.readings[0].outcome], [200, 'stored']);
}

const shows = ({ page }, weight, timeout) =>
  page.waitForFunction(
    (text) => document.querySelector('#deposits .reads li')?.textContent.includes(text),
    weight,
    { timeout },
  );

const listens = ({ requests }) => requests.some(({ path }) => path.endsWith('/live'));

async function atHome(stage, before) {
  const seen = await stage.open({
    path: `home#code=${codeOf(token)}`,
    width: 390,
    login: null,
    before,
  });
  await seen.page.click('#login-go');
  await seen.page.waitForSelector('#deposits .reads li');
  return { ...seen, loaded: await seen.page.evaluate(() => performance.timeOrigin) };
}

await run(async (stage) => {
  const page = await atHome(stage);
  const without = await atHome(stage, (context) =>
    context.addInitScript(() => {
      delete globalThis.EventSource;
    }),
  );
  const refused = await atHome(stage, (context) => context.route('**/live', (route) => route.abort()));

  await stage.step('a_deposit_is_shown_as_soon_as_it_is_counted', async () => {
    await grade(123);
    await shows(page, '123 g', TOLD_MS);
    assert.ok(listens(page));
  });

  await stage.step(
    'a_browser_without_event_source_and_one_that_is_refused_ask_from_time_to_time',
    async () => {
      for (const deaf of [without, refused]) await shows(deaf, '123 g', POLLED_MS);
      assert.ok(!listens(without));
      assert.ok(listens(refused));
    },
  );

  await stage.step('a_server_that_is_gone_is_said_to_be_gone', async () => {
    console.log('restart');
    for (const one of [page, without, refused])
      await one.page.waitForSelector('#stale', { timeout: POLLED_MS });
  });

  await stage.step('the_page_heals_and_is_told_of_what_it_missed', async () => {
    const { value } = await lines.next();
    const base = value.trim();
    // The server is back, and the page does not reach it yet.
    await grade(234, base);
    stage.wire.turn(base);
    await shows(page, '234 g', TOLD_MS);
    await page.page.waitForSelector('#stale', { state: 'detached' });
    await grade(345, base);
    await shows(page, '345 g', TOLD_MS);
    for (const deaf of [without, refused]) await shows(deaf, '345 g', POLLED_MS);
  });

  await stage.step('nothing_was_loaded_again_and_nothing_complained', async () => {
    for (const { page: one, loaded, complaints, foreign } of [page, without, refused]) {
      assert.equal(await one.evaluate(() => performance.timeOrigin), loaded);
      assert.deepEqual([complaints, foreign], [[], []]);
    }
  });
});
process.exit(0);
