// Drives an officer who has an edition computed while somebody else writes, reloads the page, and cancels it. Whoever runs
// this holds the folder up after the line `hold` and lets it go after `release`, and answers each with a line.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { accessible, goTo, run } from './harness.mjs';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function tell(line) {
  console.log(line);
  const { done } = await answers.next();
  assert.ok(!done, `nobody answered ${line}`);
}

const editions = (page) =>
  page.evaluate(() =>
    fetch('api/v1/editions')
      .then((r) => r.json())
      .then((list) => list.items.length),
  );

async function compute(page) {
  await page.click('#compute');
  await page.waitForSelector('#act[open]');
  await page.click('#act-go');
}

async function pictures(stage, page, name) {
  for (const width of [390, 1280, 1920]) {
    await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
    await stage.shoot(page, `${name}-${width}`, { fullPage: false });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

await run(async (stage) => {
  const { context, page, complaints } = await stage.open({ width: 1280 });
  await page.waitForSelector('#nav-lists');
  await goTo(page, 'lists');
  const before = await editions(page);

  await stage.step('who_asks_for_an_edition_sees_how_far_it_is', async () => {
    await tell('hold');
    await compute(page);
    await page.waitForSelector('#act .job[data-stage="waiting"] button');
    await stage.shoot(page, 'jobs-dialog-1280', { fullPage: false });
  });

  await stage.step('whoever_reloads_the_page_sees_it_too', async () => {
    await page.reload();
    await page.waitForSelector('#editions .job[data-stage="waiting"] button');
    assert.match(await page.textContent('#editions .job'), /计算 \d{4}-\d\d-\d\d 期/);
    await accessible(page, 'a job that runs');
    await pictures(stage, page, 'jobs-running');
  });

  await stage.step('a_cancelled_edition_leaves_nothing_and_says_who_cancelled_it', async () => {
    await page.click('#editions .job button');
    await page.waitForSelector('#editions .job[data-stage="stopping"]');
    assert.equal(await page.locator('#editions .job button').count(), 0);
    await tell('release');
    await page.waitForSelector('#editions [data-running="0"] details');
    await page.click('#editions details summary');
    assert.match(
      await page.textContent('#editions [data-ended="cancelled"]'),
      /tester 已取消；没有存入任何内容/,
    );
    assert.equal(await editions(page), before);
    await pictures(stage, page, 'jobs-ended');
  });

  await stage.step('it_is_computed_when_it_is_asked_for_again', async () => {
    await compute(page);
    await page.waitForSelector('#act-done p');
    assert.equal(await editions(page), before + 1);
    await page.waitForSelector('#editions [data-ended="done"]', { state: 'attached' });
  });

  assert.deepEqual(complaints, []);
  await context.close();
});
process.exit(0);
