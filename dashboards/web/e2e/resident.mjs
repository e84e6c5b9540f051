// One household from the notice to the repaired score: on its own page it sees what is proposed, objects in two taps, and is
// told of the answer and of what came of it, while staff decide at their desk and nobody reloads anything.

import assert from 'node:assert/strict';
import { ask, revisionOf, until } from './desk.mjs';
import { goTo } from './harness.mjs';
import { codeOf } from './letters.mjs';

const REASON = '已核对录像，这几袋不是这一户投的。';
/** The machine computes a corrected revision within a minute of its clock; a slow machine adds to it. */
const A_WHILE = 120_000;

const points = async (page) => Number(/\d+/.exec(await page.textContent('#score-value'))[0]);

/** The black name of a household in the newest revision of a day; undefined where it has none. */
async function blackOf(page, day, token) {
  const { id } = await revisionOf(page, day);
  const { items } = await ask(page, `editions/${id}/places?status=BLACK&limit=1000`);
  return items.find((place) => place.household_id === token);
}

/** A household that a notice calls black, and that nobody objected for. */
async function someone(page, day) {
  const { id } = await revisionOf(page, day);
  const { items } = await ask(page, `editions/${id}/places?status=BLACK&limit=1000`);
  const { items: objections } = await ask(page, 'objections');
  const objected = objections.map((one) => one.household_id);
  const found = items.findLast((place) => !objected.includes(place.household_id));
  assert.ok(
    found,
    `expected a black name of ${day} beside the one that was objected for, came ${items.length}`,
  );
  return found.household_id;
}

export async function asResident(stage, seats, day, tellAgain) {
  const token = await someone(seats.inspector.page, day);
  const home = await stage.open({ path: `home#code=${codeOf(token)}`, width: 390, login: null });
  const { page } = home;
  seats.resident = home;
  const proposed = await blackOf(seats.inspector.page, day, token);
  let objection;

  await stage.step('a_household_reads_at_home_that_it_is_proposed_for_the_black_list', async () => {
    await page.click('#login-go');
    await page.waitForSelector('#score-value');
    await page.waitForSelector('#proposed');
    assert.match(await page.textContent('#proposed'), /黑榜/);
    assert.match(await page.textContent('#place'), /还没有公布/);
    await stage.shoot(page, 'home-390-zh-proposed');
  });

  await stage.step('it_objects_in_two_taps', async () => {
    await page.click('#object-notice');
    await page.click('#object-send');
    await page.waitForSelector('#objections li[data-state="pending"]');
    const { items } = await ask(page, 'objections');
    assert.equal(items.length, 1);
    [objection] = items;
    assert.equal(objection.household_id, token);
  });

  await stage.step('staff_uphold_it_with_a_reason_and_by_keyboard_alone', async () => {
    const { page: desk } = seats.officer2;
    await goTo(desk, 'objections');
    await desk.locator(`#queue [data-objection="${objection.id}"]`).focus();
    await desk.keyboard.press('Enter');
    await desk.waitForSelector('#uphold');
    assert.match(await desk.textContent('#objection-words'), /不是我家/);
    await desk.locator('#uphold').focus();
    await desk.keyboard.press('Enter');
    await desk.locator('#act-reason').focus();
    await desk.keyboard.insertText(REASON);
    await desk.keyboard.press('Tab');
    await desk.keyboard.press('Tab');
    assert.equal(await desk.evaluate(() => document.activeElement.id), 'act-go');
    await desk.keyboard.press('Enter');
    await desk.waitForSelector('#act-done p');
    await desk.waitForSelector('#objection-reason');
  });

  await stage.step('the_answer_and_the_repaired_score_come_to_the_same_page_by_themselves', async () => {
    const loaded = await page.evaluate(() => performance.timeOrigin);
    await page.waitForSelector('#objections li[data-state="upheld"]', { timeout: A_WHILE });
    await page.locator('#objections summary').click();
    await page.waitForFunction(
      (reason) => document.querySelector('#objections')?.textContent.includes(reason),
      REASON,
    );
    // The household goes on throwing bags away, so that its score of now may fall for other reasons. What the answer alone
    // does is seen in the corrected revision, which is of the same day.
    const repaired = await blackOf(seats.inspector.page, day, token);
    assert.ok(!repaired || repaired.p_black < proposed.p_black, `${proposed.p_black} ${repaired?.p_black}`);
    await until('the score of now on the page', A_WHILE, async () => {
      const { score } = await ask(page, `households/${token}`);
      return score.score === (await points(page));
    });
    assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, 'the page was reloaded');
    return `${proposed.score} points that day, ${repaired ? `then ${repaired.score}` : 'black no more'}; now ${await points(page)}`;
  });

  await stage.step('the_household_is_told_of_the_revised_edition', async () => {
    await tellAgain();
    const { id, revision } = await revisionOf(seats.inspector.page, day);
    const own = async () => (await ask(page, `households/${token}`)).told;
    assert.equal((await own()).edition, id);
    assert.ok(revision > 2, `revision ${revision}`);
    const black = (await blackOf(seats.inspector.page, day, token)) !== undefined;
    await page.waitForFunction(
      (black) => /黑榜/.test(document.querySelector('#proposed')?.textContent ?? '') === black,
      black,
      { timeout: A_WHILE },
    );
    await stage.shoot(page, 'home-390-zh-repaired');
    return `revision ${revision}, ${black ? 'black still' : 'black no more'}`;
  });
}
