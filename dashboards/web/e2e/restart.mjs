// A server that ends and comes back on another port, under an open page. Whoever runs this restarts it: after the line
// "restart" on stdout the server is to go, and the new one's address is to come on stdin.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { goTo, run } from './harness.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

await run(async (stage) => {
  const { page, complaints } = await stage.open({ locale: 'en-GB' });
  await goTo(page, 'household');
  await page.fill('#household-query', 'kept');
  const loaded = await page.evaluate(() => performance.timeOrigin);

  await stage.step('a_server_that_is_gone_is_said_to_be_gone', async () => {
    console.log('restart');
    await page.waitForSelector('#banner-away', { timeout: 30_000 });
    assert.match(await page.textContent('#banner-away'), /cannot be reached.*(next try in \d+ s|trying)/s);
  });

  await stage.step('the_page_heals_when_the_server_is_back_and_loses_nothing', async () => {
    const { value } = await lines.next();
    stage.wire.turn(value.trim());
    await page.waitForSelector('#banner-away', { state: 'detached', timeout: 60_000 });
    assert.equal(await page.inputValue('#household-query'), 'kept');
    assert.equal(await page.locator('#login-again[open]').count(), 0, 'the session goes on');
    assert.equal(await page.evaluate(() => performance.timeOrigin), loaded, 'the page was not reloaded');
    await goTo(page, 'today');
    await page.waitForSelector('#live-state[data-state="live"]', { timeout: 40_000 });
    assert.deepEqual(complaints, []);
  });
});
process.exit(0);
