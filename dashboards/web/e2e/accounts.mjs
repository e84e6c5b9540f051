// Accounts, passwords and tokens as HEMU_ADMIN keeps them and as a newcomer gets them, against the hemu at HEMU_URL: every
// form with what it refuses, a session that ends in the middle of it, and what ends with a logout. `as-auditor` is there with
// the password of HEMU_ADMIN.

import assert from 'node:assert/strict';
import { ask } from './desk.mjs';
import { accessible, expire, goTo, logIn, run } from './harness.mjs';

const ADMIN = process.env.HEMU_ADMIN;
assert.ok(ADMIN, 'expected HEMU_ADMIN as a name and a password, came nothing');
const [KEEPER, PASSWORD] = ADMIN.split(' ');
const NEWCOMER = `newcomer-${Date.now()}`;
const CHOSEN = 'four-brown-boxes';
const CHANGED = 'five-white-lorries';

/** Presses a form's button until the field of this name is said to be wrong, and has the focus. */
async function refused(page, button, field, says) {
  await page.click(button);
  await page.waitForSelector(`#${field}-wrong p`);
  assert.match(await page.textContent(`#${field}-wrong`), says);
  await page.waitForFunction((field) => document.activeElement.id === field, field);
}

async function back(page, password) {
  await page.waitForSelector('#login-again[open]');
  await page.fill('#again-password', password);
  await page.click('#again-go');
  await page.waitForSelector('#login-again:not([open])', { state: 'attached' });
}

async function openMenu(page) {
  await page.click('#account');
  await page.waitForSelector('#account-menu[open] #sessions li');
}

const said = (page, role) => page.getByRole(role).first();

/** An admin adds an account; the code of the newcomer. */
async function adding(stage) {
  const { context, page, complaints } = await stage.open({ login: ADMIN });
  await goTo(page, 'accounts');
  await page.waitForSelector('#accounts tbody tr');
  const named = (name) =>
    page.locator('#accounts tbody tr').filter({ has: page.getByText(name, { exact: true }) });

  await stage.step('an_account_without_a_name_or_a_role_is_refused_at_the_field', async () => {
    await refused(page, '#account-add', 'account-name', /1 到 64/);
    assert.match(await page.textContent('#account-role-wrong'), /请选择角色/);
    await page.fill('#account-name', '网格 员');
    await page.selectOption('#account-role', 'inspector');
    await refused(page, '#account-add', 'account-name', /1 到 64/);
    assert.equal(await page.inputValue('#account-name'), '网格 员');
    await page.fill('#account-name', NEWCOMER);
    await page.selectOption('#account-role', '');
    await refused(page, '#account-add', 'account-role', /请选择角色/);
    assert.equal(await page.inputValue('#account-name'), NEWCOMER);
    await stage.shoot(page, 'accounts-1280-zh-refused');
  });

  await stage.step('a_name_that_is_taken_is_refused_and_stays_typed', async () => {
    await page.fill('#account-name', KEEPER);
    await page.selectOption('#account-role', 'inspector');
    await refused(page, '#account-add', 'account-name', /已有同名/);
    assert.equal(await page.inputValue('#account-name'), KEEPER);
    assert.equal(await page.inputValue('#account-role'), 'inspector');
  });

  await stage.step(
    'a_session_that_ends_in_the_form_costs_a_password_and_a_double_click_adds_one',
    async () => {
      await page.fill('#account-name', NEWCOMER);
      await expire({ context, page }, '#account-add', { twice: true });
      await page.fill('#again-password', 'not the password');
      await page.click('#again-go');
      await page.waitForSelector('#login-again [role="alert"]');
      assert.equal(await page.inputValue('#account-name'), NEWCOMER);
      await back(page, PASSWORD);
      await page.waitForSelector('#account-code');
      await named(NEWCOMER).waitFor();
      const all = await ask(page, 'accounts');
      assert.equal(all.filter(({ name }) => name === NEWCOMER).length, 1);
    },
  );

  await stage.step('nobody_ends_the_own_account_here_and_its_row_is_ruled_like_the_others', async () => {
    const own = page.locator('#accounts tbody tr', { hasText: `${KEEPER}（` });
    assert.equal(await own.locator('button, select').count(), 0);
    assert.match(await own.textContent(), /另一位管理员/);
    const bottoms = await own.evaluate((row) => [...row.cells].map((c) => c.getBoundingClientRect().bottom));
    assert.equal(new Set(bottoms).size, 1, `the row's line is broken: ${bottoms}`);
  });

  const code = await page.textContent('#account-code');
  assert.match(code, /^[A-Z0-9-]{14}$/);
  await accessible(page, 'accounts');
  await stage.shoot(page, 'accounts-1280-zh-code');
  assert.deepEqual(complaints, []);
  await context.close();
  return code;
}

/** The newcomer sets a password by the code and changes it. */
async function password(stage, code) {
  const { context, page, complaints } = await stage.open({ login: null });

  await stage.step('a_first_password_that_is_too_short_is_refused_and_the_code_stays', async () => {
    await page.getByRole('button', { name: '设置密码' }).click();
    await page.fill('#login-code', code);
    await page.fill('#login-password', 'short');
    await page.click('#login-go');
    await page.waitForSelector('form [role="alert"]');
    assert.equal(await page.inputValue('#login-code'), code);
    await page.fill('#login-password', CHOSEN);
    await page.click('#login-go');
    await said(page, 'status').waitFor();
    await logIn(page, `${NEWCOMER} ${CHOSEN}`);
  });

  const type = async (old, next, again) => {
    await page.fill('#password-old', old);
    await page.fill('#password-new', next);
    await page.fill('#password-again', again);
  };
  await stage.step('a_new_password_is_refused_at_the_field_that_is_wrong', async () => {
    await openMenu(page);
    await page.click('#password-open');
    await refused(page, '#password-go', 'password-old', /请填写/);
    await type(CHOSEN, 'short', 'short');
    await refused(page, '#password-go', 'password-new', /10 到 128/);
    await type(CHOSEN, CHANGED, `${CHANGED}!`);
    await refused(page, '#password-go', 'password-again', /不一样/);
    await type('not the password', CHANGED, CHANGED);
    await refused(page, '#password-go', 'password-old', /不是现在的密码/);
    assert.equal(await page.inputValue('#password-new'), CHANGED);
    await type(CHOSEN, 'password1234', 'password1234');
    await refused(page, '#password-go', 'password-new', /太容易猜到/);
    assert.equal(await page.inputValue('#password-old'), CHOSEN);
    await accessible(page, 'password');
    await stage.shoot(page, 'password-1280-zh-refused', { fullPage: false });
  });

  await stage.step('a_session_that_ends_meanwhile_keeps_both_passwords_and_the_change_is_made', async () => {
    await type(CHOSEN, CHANGED, CHANGED);
    await expire({ context, page }, '#password-go');
    await page.fill('#again-password', CHOSEN);
    await page.click('#again-go');
    await page.waitForSelector('#login-name');
    await logIn(page, `${NEWCOMER} ${CHANGED}`);
  });

  await stage.step('logging_out_everywhere_ends_the_other_browser_too', async () => {
    const other = await stage.open({ login: `${NEWCOMER} ${CHANGED}` });
    await openMenu(page);
    assert.ok((await page.locator('#sessions li').count()) >= 2);
    await page.click('#logout-everywhere');
    await page.waitForSelector('#login-name');
    const answer = await other.page.request.get(new URL('api/v1/me', other.page.url()).href);
    assert.equal(answer.status(), 401);
    await other.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await other.page.waitForSelector('#login-again[open]');
    await other.context.close();
  });
  assert.deepEqual(complaints, []);
  await context.close();
}

/** Whether a program is let in with a token. */
async function letIn(stage, token) {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(new URL('api/v1/me', stage.wire.url), { headers })).status;
}

async function openTokens(page) {
  await openMenu(page);
  await page.click('#tokens-link');
  await page.waitForSelector('#main[data-page="tokens"] #tokens table');
}

async function tokens(stage) {
  const login = `${NEWCOMER} ${CHANGED}`;
  const { context, page, complaints } = await stage.open({ login });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  let token;

  await stage.step('a_token_without_purpose_rights_or_days_is_refused_at_the_field', async () => {
    await openTokens(page);
    await refused(page, '#token-add', 'token-label', /用途/);
    assert.match(await page.textContent('#token-scopes-wrong'), /至少勾选一项/);
    await page.fill('#token-label', '大厅屏幕');
    await page.fill('#token-days', '400');
    await refused(page, '#token-add', 'token-days', /1 到 366/);
    await page.fill('#token-days', '30');
    await refused(page, '#token-add', 'token-scopes', /至少勾选一项/);
    assert.equal(await page.inputValue('#token-label'), '大厅屏幕');
    assert.equal(
      await page.locator('#token-scopes [value="keep_accounts"]').count(),
      0,
      'the own rights alone',
    );
    await stage.shoot(page, 'tokens-1280-zh-refused');
  });

  await stage.step('a_token_is_made_after_the_session_ended_in_the_form_and_is_shown_once', async () => {
    await page.check('#token-scopes [value="see_site"]');
    await expire({ context, page }, '#token-add');
    await back(page, CHANGED);
    await page.waitForSelector('#token-shown');
    token = await page.inputValue('#token-shown');
    assert.equal(await letIn(stage, token), 200);
    await page.click('#token-copy');
    await page.getByText('已复制').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
    await accessible(page, 'token');
    await stage.shoot(page, 'tokens-1280-zh-made');
    await page.click('#token-away');
    const kept = await page.evaluate(() =>
      [document.body.innerHTML, location.href, { ...localStorage }, { ...sessionStorage }]
        .map((part) => JSON.stringify(part))
        .join(' '),
    );
    assert.ok(!kept.includes(token), 'it is still there');
    assert.equal((await ask(page, 'tokens')).length, 1);
  });

  await stage.step('a_token_is_revoked_when_somebody_says_so_twice', async () => {
    const row = page.locator('#tokens tr[data-token]');
    assert.match(await row.textContent(), /大厅屏幕.*看小区/s);
    await row.getByRole('button').click();
    await page.waitForSelector('dialog#act[open]');
    await page.keyboard.press('Escape');
    assert.equal(await letIn(stage, token), 200, 'nothing was said');
    await row.getByRole('button').click();
    await page.waitForSelector('dialog#act[open]');
    await accessible(page, 'revoking');
    await stage.shoot(page, 'tokens-1280-zh-revoking', { fullPage: false });
    await page.dblclick('#act-go');
    await page.waitForSelector('#act-done p');
    assert.equal(await letIn(stage, token), 401);
    await row.waitFor({ state: 'detached' });
    await page.check('#tokens-ended');
    await page.waitForSelector('#tokens tr[data-state="revoked"]');
  });
  assert.deepEqual(complaints, []);
  await context.close();
}

/** Each page as it looks, and what axe says of it. */
async function look(stage, width, locale, tag) {
  const name = (what) => `${what}-${width}-${tag}`;
  const closed = await stage.open({ width, locale, login: null });
  await closed.page.waitForSelector('#login-name');
  await accessible(closed.page, name('login'));
  await stage.shoot(closed.page, name('login'));
  await closed.context.close();
  const auditor = await stage.open({ width, locale, login: `as-auditor ${PASSWORD}` });
  await goTo(auditor.page, 'audit');
  await auditor.page.waitForSelector('#audit tbody tr');
  await accessible(auditor.page, name('audit'));
  await stage.shoot(auditor.page, name('audit'));
  await auditor.context.close();
  const { context, page, complaints } = await stage.open({ width, locale, login: ADMIN });
  await goTo(page, 'accounts');
  await page.waitForSelector('#accounts tbody tr');
  await accessible(page, name('accounts'));
  await stage.shoot(page, name('accounts'));
  await openMenu(page);
  await page.click('#password-open');
  await stage.shoot(page, name('account'), { fullPage: false });
  await page.keyboard.press('Escape');
  await openMenu(page);
  await page.click('#second-factor button');
  await page.fill('#second-password', PASSWORD);
  await page.click('#second-go');
  await page.waitForSelector('#second-secret');
  await accessible(page, name('second'));
  await stage.shoot(page, name('second'), { fullPage: false });
  await page.keyboard.press('Escape');
  await openTokens(page);
  await page.check('#tokens-ended');
  await page.waitForSelector('#tokens tr[data-token]');
  await accessible(page, name('tokens'));
  await stage.shoot(page, name('tokens'));
  assert.deepEqual(complaints, []);
  await context.close();
}

await run(async (stage) => {
  const code = await adding(stage);
  await password(stage, code);
  await tokens(stage);
  for (const width of [390, 1280, 1920])
    for (const [locale, tag] of [
      ['zh-CN', 'zh'],
      ['en-GB', 'en'],
    ])
      await stage.step(`screens_${width}_${tag}`, () => look(stage, width, locale, tag));
});
