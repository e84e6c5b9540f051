// Drives four people through the whole due process of the lists, against a demo whose machine computes no edition by
// itself (`lists_weekday = "off"`) and whose clock runs so fast that a week passes in a minute or two. HEMU_INSPECTOR,
// HEMU_OFFICER, HEMU_OFFICER2 and HEMU_AUDITOR are `name password`. One household goes all the way on its own page: its code is
// made by `HEMU_BIN --data HEMU_DATA household code`.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, daysBefore, editions, go, open, revisionOf, today, until } from './desk.mjs';
import { accessible, expire, goTo, run } from './harness.mjs';
import { asResident } from './resident.mjs';

const PEOPLE = {
  inspector: process.env.HEMU_INSPECTOR,
  officer: process.env.HEMU_OFFICER,
  officer2: process.env.HEMU_OFFICER2,
  auditor: process.env.HEMU_AUDITOR,
};
const nameOf = (login) => login.split(' ')[0];
/** A week of the site's clock, and what a slow machine adds to it. */
const A_WEEK = 400_000;

async function compute(page, day) {
  await goTo(page, 'lists');
  await page.click('#compute');
  await page.fill('#act-day', day);
  await go(page, { twice: true });
  await page.waitForFunction((day) => document.querySelector('#edition h2')?.textContent.includes(day), day);
}

async function filter(page, status) {
  await page.selectOption('#place-status', status);
  await page.waitForSelector(`#place-table .status.${status}`);
}

/** Until people may decide about the black names. */
async function untilDecided(page, id) {
  await until('the window and the week to heed', A_WEEK, async () => {
    const edition = await ask(page, `editions/${id}`);
    const { now } = await ask(page, 'site');
    return edition.state === 'deciding' && !edition.reopened && now >= edition.decided_from;
  });
}

async function prepare(stage, seats) {
  const { page } = seats.inspector;
  const day = await today(page);

  await stage.step('an_inspector_has_an_edition_computed_and_a_double_click_makes_one', async () => {
    await compute(page, daysBefore(day, 7));
    assert.deepEqual(
      (await editions(page)).map((e) => [e.state, e.revision]),
      [['draft', 1]],
    );
  });

  await stage.step('every_household_that_is_told_has_a_letter_of_one_page', async () => {
    const [{ notices }] = await editions(page);
    await page.click('#letters-link');
    await page.waitForSelector('#letters .sheet img');
    assert.equal(await page.getAttribute('#letters', 'data-count'), String(notices));
    await page.waitForFunction(() => [...document.images].every((image) => image.naturalWidth > 0));
    await stage.shoot(page, 'letters-1280-zh', { fullPage: false });
    const pdf = await page.pdf({ preferCSSPageSize: true });
    await writeFile(join(stage.shots, 'letters.pdf'), pdf);
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g).length;
    assert.equal(pages, notices);
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 794, height: 1123 });
    await stage.shoot(page, 'letter-on-paper', { fullPage: false });
    await page.emulateMedia({ media: null });
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goBack();
    await page.waitForSelector('#place-table');
  });

  await stage.step('a_window_of_no_days_is_refused_at_its_field_and_keeps_what_was_typed', async () => {
    await page.click('#do-notice');
    await page.fill('#act-days', '0');
    await page.click('#act-go');
    await page.waitForSelector('#act-days[aria-invalid="true"]');
    assert.match(await page.textContent('#act-wrong'), /异议期/);
    assert.equal(await page.inputValue('#act-days'), '0');
    await page.fill('#act-days', '7');
    await go(page);
    assert.equal((await editions(page))[0].state, 'noticed');
  });

  await stage.step('the_week_after_goes_on_from_it_and_its_households_are_told', async () => {
    await compute(page, day);
    const [edition] = await editions(page);
    assert.ok(edition.before !== null && edition.counts.black > 1, JSON.stringify(edition));
    await page.click('#do-notice');
    await go(page);
    assert.deepEqual(
      (await editions(page)).map((e) => e.state),
      ['noticed', 'noticed'],
    );
  });
  return day;
}

async function object(stage, seats, day) {
  const { page, context } = seats.inspector;
  const words = '那几天家里没有人，袋子不是我们的。';

  await stage.step('an_objection_is_written_down_for_whoever_came_and_nothing_typed_is_lost', async () => {
    await filter(page, 'BLACK');
    await page.locator('#place-table tbody .who button').first().click();
    await page.click('#place-object');
    await page.waitForSelector('#record-who');
    await page.waitForSelector('#record-edition');
    await page.fill('#record-words', words);
    await page.goBack();
    await page.waitForSelector('#place-table');
    await page.goForward();
    await page.waitForSelector('#record-who');
    assert.equal(await page.inputValue('#record-words'), words);
    await page.click('#record-go');
    assert.match(await page.textContent('#wrong-edition'), /期次/);
    const edition = (await editions(page)).find((e) => e.day === day);
    await page.selectOption('#record-edition', String(edition.id));
    await page.click('#record-go');
    await page.waitForSelector('#wrong-readings');
    const ticks = page.locator('#record [data-reading]');
    for (let nth = 4; nth < 12; nth += 1) await ticks.nth(nth).check();
    assert.equal(await page.inputValue('#record-words'), words);
  });

  await stage.step('a_session_that_ended_meanwhile_costs_a_password_and_nothing_else', async () => {
    await page.click('#record-go');
    await page.waitForSelector('dialog#act[open]');
    await expire({ context, page }, '#act-go');
    await page.fill('#again-password', PEOPLE.inspector.split(' ')[1]);
    await page.click('#again-go');
    await page.waitForSelector('#objection-words');
    assert.match(await page.textContent('#objection-words'), new RegExp(words));
    const { items } = await ask(page, 'objections');
    assert.deepEqual(
      items.map((one) => [one.state, one.by]),
      [['pending', nameOf(PEOPLE.inspector)]],
    );
  });

  await stage.step('whoever_recorded_it_is_told_that_another_decides', async () => {
    await page.waitForSelector('#objection-part');
    assert.equal(await page.locator('#uphold').count(), 0);
  });

  await stage.step('somebody_with_no_part_in_it_decides_with_a_reason', async () => {
    const { page } = seats.officer;
    await goTo(page, 'objections');
    await page.locator('#queue [data-objection]').first().click();
    await page.click('#uphold');
    await page.click('#act-go');
    await page.waitForSelector('#act-reason[aria-invalid="true"]');
    assert.match(await page.textContent('#act-wrong'), /理由/);
    await page.fill('#act-reason', '已核对门禁，当天无人。');
    await go(page, { twice: true });
    await page.waitForSelector('#objection-reason');
  });

  await stage.step('the_corrected_revision_is_linked_with_what_it_changed', async () => {
    const { page } = seats.officer;
    assert.equal((await revisionOf(page, day)).revision, 2);
    await page.waitForSelector('#objection-diff a');
    await page.click('#objection-diff a');
    await page.waitForSelector('#moved');
  });
}

/** Tells the households anew where the correction made somebody stand worse. */
async function tellAgain(page, day) {
  for (const of of [daysBefore(day, 7), day]) {
    const revision = await revisionOf(page, of);
    if (revision.state !== 'draft') continue;
    await goTo(page, 'lists');
    await open(page, revision.id);
    await page.click('#do-notice');
    await go(page);
  }
}

async function decide(stage, seats, id) {
  const [one, two] = [seats.officer.page, seats.officer2.page];
  for (const page of [one, two]) {
    await goTo(page, 'lists');
    await open(page, id);
  }

  await stage.step('nobody_is_decided_on_before_the_window_and_the_week_to_heed_are_over', async () => {
    assert.equal(await one.locator('#place-propose').count(), 0);
    await untilDecided(one, id);
    for (const page of [one, two]) {
      await page.reload();
      await page.waitForSelector('#undecided');
    }
  });

  await stage.step('the_first_of_two_persons_proposes_by_keyboard', async () => {
    await one.locator('#place-table tbody .who button').first().focus();
    await one.keyboard.press('?');
    await one.waitForSelector('#key-help[open]');
    await one.keyboard.press('Escape');
    await one.locator('#place-table tbody .who button').first().focus();
    await one.keyboard.press('j');
    await one.keyboard.press('k');
    await one.keyboard.press('Enter');
    await one.waitForSelector('#place-sentence');
    await one.keyboard.press('p');
    await go(one, { twice: true });
    await one.waitForSelector('#place-same-person');
    assert.equal(await one.locator('#place-confirm').count(), 0);
  });

  await stage.step('the_second_confirms_and_only_then_does_the_name_stand', async () => {
    await two.reload();
    await two.waitForSelector('#undecided');
    await two.locator('#place-table tbody .who button').first().focus();
    await two.keyboard.press('Enter');
    await two.click('#place-confirm');
    await go(two);
    const { items } = await ask(two, `editions/${id}/places?status=BLACK&limit=1000`);
    assert.deepEqual(
      items
        .filter((place) => place.shown === 'BLACK')
        .map((place) => [place.proposed_by, place.confirmed_by]),
      [[nameOf(PEOPLE.officer), nameOf(PEOPLE.officer2)]],
    );
  });

  await stage.step('a_race_that_was_lost_names_who_was_first', async () => {
    for (const page of [one, two]) {
      await page.reload();
      await page.waitForSelector('#undecided');
      await page.locator('#place-table tbody .who button').nth(1).focus();
      await page.keyboard.press('p');
      await page.waitForSelector('dialog#act[open]');
    }
    await go(two);
    await one.click('#act-go');
    await one.waitForSelector('#act-wrong p');
    assert.match(await one.textContent('#act-wrong'), new RegExp(nameOf(PEOPLE.officer2)));
    await one.keyboard.press('Escape');
    await one.reload();
    await one.waitForSelector('#undecided');
    await one.locator('#place-table tbody .who button').nth(1).focus();
    await one.keyboard.press('c');
    await go(one);
    assert.equal((await standing(one, id)).length, 2);
  });
}

/** The black names of an edition that two persons let stand and nobody took off. */
async function standing(page, id) {
  const { items } = await ask(page, `editions/${id}/places?status=BLACK&limit=1000`);
  return items.filter((place) => place.confirmed_by !== null && place.lifted_by === null);
}

/** Takes a name off, with a reason that survives a change of mind. */
async function takeOff(page, place, reason) {
  await filter(page, 'BLACK');
  const row = page.locator('#place-table tbody tr').filter({ hasText: place.household });
  await row.locator('.who button').click();
  await page.click('#place-lift');
  await page.fill('#act-reason', reason);
  await page.keyboard.press('Escape');
  await page.click('#place-lift');
  assert.equal(await page.inputValue('#act-reason'), reason);
  await go(page);
}

/** An inspector's phone that was offline sends what it noted before the edition's day. */
async function arriveLate(page, day, token) {
  const reading = {
    boot: 20261,
    seq: 1,
    at: Date.parse(`${daysBefore(day, 2)}T04:00:00Z`),
    household: token,
  };
  const url = new URL('api/v1/inspections', page.url()).href;
  const answer = await page.request.post(url, {
    data: { readings: [{ ...reading, stream: 'food', weight_g: 900, quality: 1 }] },
    headers: { origin: new URL(url).origin },
  });
  const { readings } = await answer.json();
  assert.deepEqual(readings?.[0]?.outcome, 'stored');
}

async function publish(stage, seats, day, id) {
  const [one, two] = [seats.officer.page, seats.officer2.page];

  await stage.step('a_publication_needs_its_legal_basis_audience_and_end', async () => {
    await one.click('#do-propose-publication');
    await one.click('#act-go');
    await one.waitForSelector('#act-basis[aria-invalid="true"]');
    await one.fill('#act-basis', '业主大会管理规约第十二条');
    await one.click('#act-go');
    await one.waitForSelector('#act-audience[aria-invalid="true"]');
    assert.match(await one.textContent('#act-wrong'), /公示对象/);
    assert.equal(await one.inputValue('#act-basis'), '业主大会管理规约第十二条');
    await one.selectOption('#act-audience', 'masked');
    await go(one);
    await one.waitForSelector('#do-publish[disabled]');
  });

  await stage.step('a_list_with_a_name_of_which_something_came_later_is_not_published', async () => {
    const [outdated] = await standing(two, id);
    await arriveLate(seats.inspector.page, day, outdated.household_id);
    await two.reload();
    await two.click('#do-publish');
    await two.click('#act-go');
    await two.waitForSelector('#act-wrong p');
    assert.match(await two.textContent('dialog#act'), /黑榜 2 户/);
    assert.match(await two.textContent('#act-wrong'), /先撤下/);
    assert.ok((await two.textContent('#act-wrong')).includes(outdated.household_id));
    await stage.shoot(two, 'publish-1280-zh-outdated', { fullPage: false });
    await two.keyboard.press('Escape');
    await takeOff(two, outdated, '本期之后又收到该户的检查记录。');
  });

  await stage.step('another_person_publishes_and_only_decided_names_are_public', async () => {
    await two.reload();
    await two.click('#do-publish');
    await go(two, { twice: true });
    await two.click('#sheet-link');
    await two.waitForSelector('#public-sheet');
    const [stands, ...others] = await standing(two, id);
    assert.deepEqual(others, []);
    const shown = await two.locator('#public-sheet [data-list="BLACK"] li').allTextContents();
    assert.equal(shown.length, 1);
    // As much of the end as tells it from every other.
    assert.ok(shown[0].endsWith(stands.household.replace('···', '')), shown[0]);
    const { items } = await ask(two, `editions/${id}/places?status=BLACK&limit=1000`);
    const text = await two.textContent('#public-sheet');
    assert.ok(items.every((place) => !text.includes(place.household_id)));
    await two.goBack();
    await two.waitForSelector('#place-table');
  });

  await stage.step('a_name_that_is_taken_off_is_public_no_more', async () => {
    const [stands] = await standing(two, id);
    await takeOff(two, stands, '住户已改进，不再公示。');
    const { items } = await ask(two, `editions/${id}/public?status=BLACK`);
    assert.deepEqual(items, []);
  });
}

async function audit(stage, seats, id) {
  const { page } = seats.auditor;
  await stage.step('an_auditor_sees_all_of_it_and_can_do_nothing', async () => {
    await goTo(page, 'lists');
    await open(page, id);
    await page.click('#trail summary');
    await page.waitForSelector('#trail li');
    const trail = await page.textContent('#trail');
    for (const word of ['提议列入黑榜', '确认列入黑榜', '公示', '撤下'])
      assert.ok(trail.includes(word), word);
    assert.equal(await page.locator('#edition-acts button, #compute, #letters-link').count(), 0);
    await page.locator('#place-table tbody .who button').first().click();
    await page.waitForSelector('#place-sentence');
    assert.equal(await page.locator('#place-propose, #place-confirm, #place-lift, #place-object').count(), 0);
    await goTo(page, 'objections');
    await page.getByRole('button', { name: '全部' }).click();
    await page.locator('#queue [data-objection]').first().click();
    await page.waitForSelector('#objection-reason');
    assert.equal(await page.locator('#record-open, #uphold, #objection table button').count(), 0);
    const refused = await page.request.post(new URL(`api/v1/editions/${id}/retract`, page.url()).href, {
      data: { reason: 'x' },
      headers: { origin: new URL(page.url()).origin },
    });
    assert.equal(refused.status(), 403);
  });

  await stage.step('the_list_is_taken_away_as_a_sheet_and_as_a_table', async () => {
    await goTo(page, 'lists');
    await open(page, id);
    for (const [button, start] of [
      ['#export-csv', '\uFEFF榜别'],
      ['#export-xlsx', 'PK'],
    ]) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).toString('utf8').startsWith(start), button);
    }
  });
}

/** Each page as it looks, and what axe says of it. */
async function look(stage, width, locale, tag, id) {
  const { context, page, complaints } = await stage.open({ width, locale, login: PEOPLE.officer2 });
  const name = (what) => `${what}-${width}-${tag}`;
  await goTo(page, 'lists');
  await open(page, id);
  await accessible(page, name('lists'));
  await stage.shoot(page, name('lists'));
  await page.locator('#place-table tbody .who button').first().click();
  await page.waitForSelector('#place-sentence');
  await accessible(page, name('reasons'));
  await stage.shoot(page, name('reasons'));
  await page.click('#do-retract');
  await page.click('#act-go');
  await page.waitForSelector('#act-wrong p');
  await accessible(page, name('dialog'));
  await stage.shoot(page, name('dialog'), { fullPage: false });
  await page.keyboard.press('Escape');
  await page.click('#sheet-link');
  await page.waitForSelector('#public-sheet');
  await accessible(page, name('sheet'));
  await stage.shoot(page, name('sheet'));
  await goTo(page, 'objections');
  await page.locator('#queue .segmented button').last().click();
  await page.locator('#queue [data-objection]').first().click();
  await page.waitForSelector('#objection-diff');
  await accessible(page, name('objection'));
  await stage.shoot(page, name('objection'));
  await page.click('#record-open');
  await page.click('#record-go');
  await page.waitForSelector('#wrong-household');
  await accessible(page, name('record'));
  await stage.shoot(page, name('record'));
  await goTo(page, 'rules');
  await page.waitForSelector('#dry-run table');
  await page.fill('#try-theta_black', 'many');
  await page.click('#try-go');
  await page.waitForSelector('#dry-run .wrong');
  await page.fill('#try-theta_black', '5000');
  await page.click('#try-go');
  await page.waitForSelector('#dry-run-result');
  await accessible(page, name('rules'));
  await stage.shoot(page, name('rules'));
  assert.deepEqual(complaints, []);
  await context.close();
}

async function story(stage, seats) {
  const day = await prepare(stage, seats);
  await object(stage, seats, day);
  await tellAgain(seats.inspector.page, day);
  await asResident(stage, seats, day, () => tellAgain(seats.inspector.page, day));
  const { id } = await revisionOf(seats.inspector.page, day);
  await decide(stage, seats, id);
  await publish(stage, seats, day, id);
  await audit(stage, seats, id);
  return id;
}

await run(async (stage) => {
  const seats = {};
  for (const [who, login] of Object.entries(PEOPLE)) {
    assert.ok(
      login,
      `expected the account of the ${who} as a name and a password in the environment, came none`,
    );
    seats[who] = await stage.open({ login });
  }
  const id = await story(stage, seats).catch(async (failure) => {
    // Where everybody stood when it went wrong.
    for (const [who, { page }] of Object.entries(seats))
      await page.screenshot({ path: join(stage.shots, `failed-${who}.png`), fullPage: true });
    throw failure;
  });
  for (const width of [390, 1280, 1920])
    for (const [locale, tag] of [
      ['zh-CN', 'zh'],
      ['en-GB', 'en'],
    ])
      await stage.step(`screens_${width}_${tag}`, () => look(stage, width, locale, tag, id));
  await stage.step('nothing_was_asked_of_any_other_host_and_nothing_complained', () => {
    for (const { foreign, complaints } of Object.values(seats))
      assert.deepEqual([foreign, complaints], [[], []]);
  });
});
