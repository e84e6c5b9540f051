// Every form that loses nothing: what is wrong is said at its field, what was typed is there after the back button and after a
// session that ran out, and a double click does it once. Against the hemu at HEMU_URL, as the grid officer of HEMU_LOGIN.
// Accounts, passwords, lists, objections and the phone's own readings are in scripts of their own.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { ask } from './desk.mjs';
import { expire, goTo, run } from './harness.mjs';

const [, PASSWORD] = (process.env.HEMU_LOGIN ?? '').split(' ');
assert.ok(PASSWORD, 'expected HEMU_LOGIN as a name and a password, came nothing');

/** The session runs out, a button is clicked twice, and the same person comes back. */
async function lapse(seen, button) {
  const { page } = seen;
  await expire(seen, button, { twice: true });
  await page.fill('#again-password', PASSWORD);
  await page.dblclick('#again-go');
  await page.waitForSelector('#login-again:not([open])', { state: 'attached' });
}

/** To the page before, and forward again. */
async function away(page, id) {
  await page.goBack();
  await page.waitForFunction((id) => document.querySelector('#main')?.dataset.page !== id, id);
  await page.goForward();
  await page.waitForSelector(`#main[data-page="${id}"]`);
}

async function refused(page, button, field) {
  await page.click(button);
  await page.waitForSelector(`#${field}[aria-invalid="true"]`);
  await page.waitForFunction((field) => document.activeElement.id === field, field);
}

/** How many requests to a path the server did. */
function count(page, path) {
  const done = { n: 0 };
  done.first = new Promise((resolve) => {
    page.on('response', (answer) => {
      if (answer.request().method() !== 'POST' || !answer.ok() || !path.test(new URL(answer.url()).pathname))
        return;
      done.n += 1;
      resolve();
    });
  });
  return done;
}

/** What was done may be seen before its answer is: the live stream tells it too. */
async function once(done) {
  await done.first;
  assert.equal(done.n, 1);
}

async function tokens(seen) {
  const { page } = seen;
  const made = count(page, /\/tokens$/);
  await page.evaluate(() => (location.hash = '#/tokens'));
  await page.waitForSelector('#main[data-page="tokens"] #token-label');
  await page.fill('#token-label', '门口的灯');
  await page.fill('#token-days', '7');
  await page.check('#token-scopes [value="see_site"]');
  await away(page, 'tokens');
  assert.equal(await page.inputValue('#token-label'), '门口的灯');
  assert.equal(await page.inputValue('#token-days'), '7');
  assert.ok(await page.isChecked('#token-scopes [value="see_site"]'));
  await lapse(seen, '#token-add');
  const token = await page.inputValue('#token-shown');
  await once(made);
  await away(page, 'tokens');
  assert.equal(await page.inputValue('#token-shown'), token, 'it is shown until it is put away');
  await page.click('#token-away');
  await away(page, 'tokens');
  assert.equal(await page.locator('#token-shown').count(), 0);
}

async function dryRun(seen) {
  const { page } = seen;
  const ran = count(page, /\/rules\/dry-run$/);
  await goTo(page, 'rules');
  await page.waitForSelector('#try-tenure_days');
  await page.fill('#try-tenure_days', 'many');
  await refused(page, '#try-go', 'try-tenure_days');
  assert.match(await page.textContent('#try-wrong'), /tenure_days/);
  assert.equal(ran.n, 0);
  await page.fill('#try-tenure_days', '21');
  await away(page, 'rules');
  assert.equal(await page.inputValue('#try-tenure_days'), '21');
  await lapse(seen, '#try-go');
  await page.waitForSelector('#dry-run-result');
  await once(ran);
  assert.equal(await page.inputValue('#try-tenure_days'), '21');
}

async function openHousehold(page) {
  await goTo(page, 'household');
  await page.selectOption('#household form select', { index: 2 });
  await page.click('#household-go');
  await page.locator('#household .found li button').first().click();
  await page.waitForSelector('#deposit-list tbody tr');
}

async function strike(seen) {
  const { page } = seen;
  await openHousehold(page);
  const row = page.locator('#deposit-list tbody tr:not(.out)').first();
  const place = await row.getAttribute('data-place');
  const struck = count(page, new RegExp(`/readings/${place}/strike$`));
  const open = async () => {
    await page.locator(`#deposit-list tr[data-place="${place}"] .mend`).click();
    await page.waitForSelector('#act[open]');
  };
  await open();
  await refused(page, '#act-go', 'act-reason');
  await page.fill('#act-reason', '这袋是邻居的');
  await away(page, 'household');
  await page.waitForSelector(`#deposit-list tr[data-place="${place}"]`);
  await open();
  assert.equal(await page.inputValue('#act-reason'), '这袋是邻居的');
  await lapse(seen, '#act-go');
  await page.waitForSelector(`#deposit-list tr.out[data-place="${place}"]`);
  await once(struck);
}

async function bank(seen) {
  const { page } = seen;
  const served = count(page, /\/bank\/service$/);
  const all = (await ask(page, 'households?limit=9')).items;
  const open = async () => {
    if ((await page.getAttribute('#house-bank', 'open')) === null) await page.click('#house-bank summary');
    await page.click('#do-bank-service');
    await page.waitForSelector('#act[open]');
  };
  await open();
  await refused(page, '#act-go', 'act-helped');
  await page.fill('#act-helped', all.at(-1).id);
  await refused(page, '#act-go', 'act-help');
  await page.selectOption('#act-help', 'meal');
  const day = new Date(Date.parse(await page.inputValue('#act-day')) - 86_400_000).toISOString().slice(0, 10);
  await page.fill('#act-day', day);
  await refused(page, '#act-go', 'act-began');
  await page.fill('#act-began', '09:00');
  await page.fill('#act-ended', '10:30');
  await away(page, 'household');
  await open();
  for (const [field, value] of [
    ['helped', all.at(-1).id],
    ['help', 'meal'],
    ['day', day],
    ['began', '09:00'],
    ['ended', '10:30'],
  ])
    assert.equal(await page.inputValue(`#act-${field}`), value, field);
  await lapse(seen, '#act-go');
  await page.waitForSelector('#act-done p');
  await once(served);
  await page.waitForSelector('#house-bank .waits');
}

async function grading({ page }) {
  await goTo(page, 'inspect');
  await page.fill('#grade-household', 'hh-0001');
  await page.fill('#grade-bag', 'B-9');
  await page.click('#grade-stream label >> nth=1');
  await away(page, 'inspect');
  assert.equal(await page.inputValue('#grade-household'), 'hh-0001');
  assert.equal(await page.inputValue('#grade-bag'), 'B-9');
  assert.equal(await page.locator('#grade-stream input:checked').count(), 1);
}

/** The digits of a secret at an instant, ms (RFC 6238). */
function digits(secret, ms) {
  const bits = [...secret.replaceAll(' ', '')]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(ms / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

async function secondFactor(seen) {
  const { page } = seen;
  const confirmed = count(page, /\/second-factor\/confirm$/);
  await page.click('#account');
  await page.waitForSelector('#account-menu[open] #second-factor button');
  await page.click('#second-factor button');
  await refused(page, '#second-go', 'second-password');
  await page.fill('#second-password', 'not the password');
  await refused(page, '#second-go', 'second-password');
  assert.equal(await page.inputValue('#second-password'), 'not the password');
  await page.fill('#second-password', PASSWORD);
  await page.click('#second-go');
  const secret = await page.textContent('#second-secret');
  await page.fill('#second-digits', '12 34');
  await refused(page, '#second-go', 'second-digits');
  const right = digits(secret, Date.now());
  await page.fill('#second-digits', right === '000000' ? '000001' : '000000');
  await refused(page, '#second-go', 'second-digits');
  assert.equal(await page.textContent('#second-secret'), secret, 'the secret stays');
  await page.fill('#second-digits', digits(secret, Date.now()));
  await lapse(seen, '#second-go');
  await page.waitForSelector('#second-factor [role="status"]');
  await once(confirmed);
  // Digits are good once: the next ones take it away again.
  await page.click('#second-factor button');
  await page.fill('#second-password', PASSWORD);
  await page.fill('#second-digits', digits(secret, Date.now() + 30_000));
  await page.dblclick('#second-go');
  await page.waitForFunction(() => document.querySelector('#second-factor form') === null);
  await page.waitForSelector('#second-factor [role="status"]');
  await page.keyboard.press('Escape');
}

await run(async (stage) => {
  const seen = await stage.open({ width: 1280 });
  await goTo(seen.page, 'estate');
  const step = (name, act) => stage.step(name, () => act(seen));
  await step('a_token_is_made_once_and_is_there_until_it_is_put_away', tokens);
  await step('a_dry_run_names_the_constant_that_is_no_number', dryRun);
  await step('a_reading_is_struck_once_with_the_reason_that_was_typed_before', strike);
  await step('a_service_is_recorded_once', bank);
  await step('a_bag_that_is_being_graded_waits', grading);
  await step('a_second_factor_is_set_up_once_and_taken_away', secondFactor);
  assert.deepEqual(seen.complaints, []);
  await seen.context.close();
});
