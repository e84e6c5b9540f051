// What the station page draws of some charts and gives out as tables, written to HEMU_POINTS: whoever runs it against
// servers whose charts are kept elsewhere compares.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { run } from './harness.mjs';
import { look, saved, stations } from './station.mjs';

/** A measure of each kind: a mean by the hour, sums, the last value, a share of many, and a mean by the day. */
const LOOKS = [
  { measure: 'level', range: 'week' },
  { measure: 'deposits', range: 'week' },
  { measure: 'battery', range: 'month' },
  { measure: 'attributed', range: '90d' },
];

await run(async (stage) => {
  const { context, page, complaints } = await stage.open({ width: 1280 });
  await page.waitForSelector('#nav-station');
  const { now } = await page.evaluate(() => fetch('api/v1/site').then((r) => r.json()));
  const day = new Date(now - 9 * 86_400_000).toISOString().slice(0, 10);
  const tables = {};
  for (const { id } of (await stations(page)).slice(0, 2))
    for (const { measure, range } of LOOKS)
      await stage.step(`${id}_${measure}`, async () => {
        await look(page, { station: id, measure, range, ...(range === '90d' ? {} : { day }) });
        const { bytes } = await saved(page, '#csv');
        const lines = bytes.toString('utf8').trim().split('\r\n').slice(1);
        tables[`${id} ${measure}`] = lines;
        return `${lines.length} points`;
      });
  assert.ok(Object.values(tables).every((lines) => lines.length > 0));
  assert.deepEqual(complaints, []);
  await writeFile(process.env.HEMU_POINTS, JSON.stringify(tables, null, 1));
  await context.close();
});
