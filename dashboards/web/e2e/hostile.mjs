// Texts that would run if a page took them for markup. Each sets `window.ran`, or asks, or is refused by the policy aloud.

const RUN = 'window.ran=1';

export const TEXTS = [
  `<script>${RUN}</script>`,
  `"><script>${RUN}</script>`,
  `'><script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `</title><script>${RUN}</script>`,
  `</textarea><script>${RUN}</script>`,
  `<scr<script>ipt>${RUN}</script>`,
  `<ScRiPt>${RUN}</sCrIpT>`,
  `<script src=data:text/javascript,${RUN}></script>`,
  `<img src=x onerror=${RUN}>`,
  `"><img src=x onerror=${RUN}>`,
  `' onerror='${RUN}' src='x`,
  `<img src=x:x onerror=alert(1)>`,
  `<svg onload=${RUN}>`,
  `<svg/onload=${RUN}//`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><foreignObject><img src=x onerror=${RUN}></foreignObject></svg>`,
  `<math><mtext></form><form><mglyph><style></math><img src onerror=${RUN}>`,
  `<body onload=${RUN}>`,
  `<iframe src=javascript:${RUN}></iframe>`,
  `<iframe srcdoc="<script>parent.ran=1</script>"></iframe>`,
  `<object data=javascript:${RUN}></object>`,
  `<embed src=javascript:${RUN}>`,
  `<a href=javascript:${RUN}>x</a>`,
  `javascript:${RUN}`,
  `<form action=javascript:${RUN}><button autofocus>x</button></form>`,
  `<input onfocus=${RUN} autofocus>`,
  `<select onfocus=${RUN} autofocus>`,
  `<details open ontoggle=${RUN}>`,
  `<video><source onerror=${RUN}></video>`,
  `<audio src=x onerror=${RUN}>`,
  `<marquee onstart=${RUN}>`,
  `<style>@import 'data:text/css,*{color:red}';</style>`,
  `<link rel=stylesheet href=data:text/css,*{color:red}>`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<base href=//evil.example/>`,
  `<template><img src=x onerror=${RUN}></template>`,
  `{@html '<img src=x onerror=${RUN}>'}`,
  `{{constructor.constructor('${RUN}')()}}`,
];

/** What people and devices write, and the page shows. Ids stay: they are asked for again. */
const WRITTEN = new Set([
  'name',
  'label',
  'note',
  'firmware',
  'reason',
  'detail',
  'raw',
  'door',
  'household',
  'photo',
]);

/** Puts the texts, one after the other, where the API's answers have something written; which were used. */
export async function writeEverywhere(context) {
  const used = new Set();
  let next = 0;
  const change = (value, key) => {
    if (Array.isArray(value)) return value.map((item) => change(item, key));
    if (value && typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item, name)]));
    if (typeof value !== 'string' || !WRITTEN.has(key)) return value;
    const text = TEXTS[next++ % TEXTS.length];
    used.add(text);
    return text;
  };
  await context.route(
    (url) => url.pathname.startsWith('/api/v1/') && !url.pathname.endsWith('/live'),
    async (route) => {
      const answer = await route.fetch();
      if (!/json/.test(answer.headers()['content-type'] ?? '')) return route.fulfill({ response: answer });
      return route.fulfill({ response: answer, json: change(await answer.json()) });
    },
  );
  return used;
}
