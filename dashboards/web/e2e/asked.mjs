// Asks the server as a page would, where no page does; the cookie is handed over by hand.

export async function asked(path, { cookie, body, base = process.env.HEMU_URL } = {}) {
  const { origin } = new URL(base);
  const response = await fetch(new URL(`api/v1/${path}`, base), {
    method: body ? 'POST' : 'GET',
    headers: {
      origin,
      ...(cookie ? { cookie } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    body: body && JSON.stringify(body),
  });
  const json = await response.json().catch(() => null);
  const [set] = response.headers.getSetCookie();
  return { status: response.status, json, cookie: set?.split(';')[0] };
}
