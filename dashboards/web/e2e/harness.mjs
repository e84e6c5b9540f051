// What every browser test here shares: a Chromium, a wire to a running hemu that can be cut, pages that write down every
// complaint and every request, steps with names, pictures, and what axe says of a page.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdtemp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { openWire } from './proxy.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const WAIT = 60_000;

/**
 * Runs a story against the hemu at HEMU_URL (`hemu demo` starts one). Pictures go to HEMU_SHOTS, or to a new folder under
 * the system's temporary one. HEMU_LOGIN is `name password` of whoever logs in where a step names nobody else.
 */
export async function run(story) {
  const base = process.env.HEMU_URL;
  if (!base) {
    console.error(
      'HEMU_URL is not set: start hemu demo and give its address, e.g. HEMU_URL=http://127.0.0.1:8080/',
    );
    process.exit(2);
  }
  const shots = process.env.HEMU_SHOTS ?? (await mkdtemp(join(tmpdir(), 'hemu-shots-')));
  await mkdir(shots, { recursive: true });
  const wire = await openWire(base);
  const browser = await chromium.launch({
    executablePath: process.env.HEMU_CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
  const stage = new Stage(browser, wire, shots);
  try {
    await story(stage);
    console.log(`${stage.passed.length} steps passed; screenshots in ${shots}`);
  } finally {
    await browser.close();
    wire.close();
  }
}

export class Stage {
  passed = [];

  constructor(browser, wire, shots) {
    this.browser = browser;
    this.wire = wire;
    this.shots = shots;
  }

  /** What `act` answers is told beside its name. */
  async step(name, act) {
    const told = await act();
    this.passed.push(name);
    console.log(`ok  ${name}${told ? `: ${told}` : ''}`);
  }

  /** A page whose browser lives elsewhere in the world; `path` is what is opened, `login` who logs in, null: nobody. */
  async open({
    path = '',
    width = 1280,
    height,
    locale = 'zh-CN',
    login = envLogin(),
    before,
    ...options
  } = {}) {
    const context = await this.browser.newContext({
      viewport: { width, height: height ?? (width < 600 ? 844 : width > 1900 ? 1080 : 900) },
      locale,
      timezoneId: 'America/New_York',
      acceptDownloads: true,
      ...options,
    });
    await before?.(context);
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT);
    const seen = { context, page, complaints: [], foreign: [], requests: [] };
    watch(seen, new URL(this.wire.url).origin);
    await page.goto(new URL(path, this.wire.url).href);
    if (login) await logIn(page, login);
    return seen;
  }

  /** Puts a file that a page gave out beside the pictures. */
  async keep(name, bytes) {
    await writeFile(join(this.shots, name), bytes);
  }

  /** A picture of the whole page, which must not be wider than the window. */
  async shoot(page, name, { fullPage = true } = {}) {
    await page.mouse.move(0, 0);
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(this.shots, `${name}.png`), fullPage, caret: 'initial' });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.ok(overflow <= 0, `${name}: the page is ${overflow} px wider than the window`);
  }
}

function envLogin() {
  return process.env.HEMU_LOGIN ?? null;
}

function watch({ page, complaints, foreign, requests }, origin) {
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('console', (m) => {
    // A cut wire is reported by the browser itself; everything else is ours.
    if (m.type() === 'error' && !/Failed to load resource|net::ERR_/.test(m.text()))
      complaints.push(m.text());
  });
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (url.protocol !== 'blob:' && url.origin !== origin) foreign.push(r.url());
    requests.push({ path: url.pathname, method: r.method(), headers: r.headers() });
  });
}

/** Ends the browser's session under the page, as if it had run out, and presses a button. */
export async function expire({ context, page }, button, { twice = false } = {}) {
  await context.clearCookies();
  // Not by the mouse: the page may have noticed already, and then nothing beneath can be clicked.
  await page.evaluate(
    ([button, times]) => {
      for (let time = 0; time < times; time += 1) document.querySelector(button).click();
    },
    [button, twice ? 2 : 1],
  );
  await page.waitForSelector('#login-again[open]');
}

/** As `name password`, on the inspectors' page. */
export async function logIn(page, login) {
  const [name, password] = login.split(' ');
  await page.fill('#login-name', name);
  await page.fill('#login-password', password);
  await page.click('#login-go');
  await page.waitForSelector('#account');
}

/** Opens a page of the inspectors' menu. */
export async function goTo(page, id) {
  await page.click(`#nav-${id}`);
  await page.waitForSelector(`#main[data-page="${id}"]`);
}

/** No rule of axe that it calls serious or critical is broken. */
export async function accessible(page, where) {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
  });
  assert.deepEqual(found, [], `${where}: axe`);
}
