// What a script does at the inspectors' desk, whoever sits there: asks, waits, opens an edition, presses a dialog's button.

import assert from 'node:assert/strict';

/** Asks as whoever is logged in on a page. */
export async function ask(page, path) {
  const answer = await page.request.get(new URL(`api/v1/${path}`, page.url()).href);
  assert.equal(answer.status(), 200, path);
  return answer.json();
}

export const editions = async (page) => (await ask(page, 'editions')).items;

export async function today(page) {
  return (await page.textContent('#clock')).trim().slice(0, 10);
}

export function daysBefore(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}

/** Looks again and again until something is so; what it is then. */
export async function until(what, patience, look) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `${what}: not within ${patience / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Opens an edition by its link. */
export async function open(page, id) {
  await page.evaluate((id) => (location.hash = `#/lists?edition=${id}`), id);
  await page.waitForSelector(`#editions a[data-edition="${id}"][aria-current]`);
  await page.waitForSelector('#place-table');
}

/** Presses the button that the dialog is about, and waits until it is done. */
export async function go(page, { twice = false } = {}) {
  if (twice) await page.dblclick('#act-go');
  else await page.click('#act-go');
  await page.waitForSelector('#act-done p');
  assert.equal(await page.locator('dialog#act[open]').count(), 0);
}

/** The newest revision of a day once the machine has computed what an objection made due. */
export async function revisionOf(page, day) {
  return until(`the revision of ${day}`, 120_000, async () => {
    const [newest] = (await ask(page, `editions?day=${day}`)).items;
    return newest.reopened ? null : newest;
  });
}
