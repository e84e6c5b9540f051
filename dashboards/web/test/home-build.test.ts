// @vitest-environment node
// The residents' page as it is built: small, old enough, all its own. It is built here, in memory, twice.
import { gzipSync } from 'node:zlib';
import { parse } from 'acorn';
import { build, type Rolldown } from 'vite';
import { beforeAll, expect, test } from 'vitest';

/** Page, script and sheet together, as they are sent. */
const BUDGET = 60 * 1024;
/** What Chrome 78 lacks (the browser within WeChat on old phones) and a build does not add. */
const YOUNGER =
  /structuredClone|\.at\(|hasOwn\(|replaceChildren|WeakRef|FinalizationRegistry|findLast|Promise\.any|toSorted|toReversed|toSpliced|AbortSignal\.|randomUUID|checkVisibility|\.groupBy\(|moveBefore|showModal|scheduler\./;
const YOUNGER_STYLES =
  /:is\(|:where\(|:has\(|(?:^|[{;])inset[:-]|(?:^|[{;])gap:|margin-(?:inline|block)|padding-(?:inline|block)|clamp\(|min\(|overflow:\s*clip|aspect-ratio|color-mix|@layer/;

type File = { name: string; text: string };
let files: File[] = [];
let again: File[] = [];

async function built(): Promise<File[]> {
  const made = await build({ configFile: 'vite.home.config.ts', logLevel: 'error', build: { write: false } });
  const { output } = (Array.isArray(made) ? made[0] : made) as Rolldown.RolldownOutput;
  return output.map((file) => ({
    name: file.fileName,
    text: file.type === 'chunk' ? file.code : String(file.source),
  }));
}

const one = (ending: string): string => {
  const found = files.filter((file) => file.name.endsWith(ending));
  expect(
    found.map((file) => file.name),
    ending,
  ).toHaveLength(1);
  return found[0]?.text ?? '';
};

beforeAll(async () => {
  files = await built();
  again = await built();
}, 120_000);

test('the_first_view_is_under_sixty_kilobytes', () => {
  const sizes = ['.html', '.js', '.css'].map((ending) => gzipSync(one(ending)).length);
  const sum = sizes.reduce((a, b) => a + b, 0);
  expect(sum, `html, js, css: ${sizes.join(', ')}`).toBeLessThan(BUDGET);
});

test('the_script_is_a_classic_one_in_the_words_of_2019', () => {
  expect(() => parse(one('.js'), { ecmaVersion: 2019, sourceType: 'script' })).not.toThrow();
  const tag = /<script[^>]*>/.exec(one('.html'))?.[0] ?? '';
  expect(tag).toMatch(/ defer /);
  expect(tag).not.toMatch(/module|crossorigin/);
});

test('nothing_is_called_that_an_old_browser_does_not_have', () => {
  expect(YOUNGER.exec(one('.js'))?.[0]).toBeUndefined();
  expect(YOUNGER_STYLES.exec(one('.css'))?.[0]).toBeUndefined();
  // Called by Svelte, and added by old.ts.
  expect(one('.js')).toContain('replaceAll');
});

test('nothing_of_the_page_is_inline_or_from_elsewhere', () => {
  const page = one('.html');
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*src=)|https?:/);
  expect(one('.css')).not.toMatch(/https?:|@import/);
});

test('the_inspectors_words_are_not_in_it', () => {
  expect(one('.js')).not.toMatch(/督导工作台|echarts/);
});

test('two_builds_are_the_same_bytes', () => {
  expect(again).toEqual(files);
});
