// A station over time in a browser: opening it with what is to be looked at, and what it gives out.

async function text(download) {
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a button gives out. */
export async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: await text(download) };
}

/** Opens the station page with what is to be looked at in its link, and waits until that is drawn. */
export async function look(page, choice) {
  const wanted = { station: (await stations(page))[0].id, ...choice };
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  await page.evaluate((hash) => (location.hash = hash), `#/station?${query}`);
  const { station, measure, range, day = '' } = wanted;
  const others = wanted.with?.split('~') ?? [];
  const first = range === 'month' ? `${day.slice(0, 7)}-01` : '';
  await drawn(page, [[station, ...others, measure, range].join(' '), first]);
}

/** Waits until the chart shows what is named. */
export async function drawn(page, parts) {
  await page.waitForFunction((wanted) => {
    const shows = document.querySelector('#station [data-ready="true"]')?.dataset.shows ?? '';
    return wanted.every((part) => shows.includes(part));
  }, parts.filter(Boolean));
  await page.waitForSelector('#chart-notes');
}

let asked = null;

/** The stations that were asked for. */
export const known = () => asked;

export async function stations(page) {
  asked ??= (await page.evaluate(() => fetch('api/v1/stations').then((r) => r.json()))).items;
  return asked;
}
