/** A household's code as it comes: behind `#code=` in a printed link, or typed. Pure but for the history it is given. */

const OF_LINK = /[#&]code=([^&]*)/;

/** What to send of what somebody typed or pasted; a whole link gives the code in it. */
export function typedCode(text: string): string {
  const found = OF_LINK.exec(text);
  return (found ? decoded(found[1] ?? '') : text).trim();
}

/** Takes the code out of the address, which a bookmark, a screenshot or the next person would show; null: there is none. */
export function takeCode(
  at: Pick<Location, 'hash' | 'pathname' | 'search'>,
  history: Pick<History, 'replaceState'>,
): string | null {
  const found = OF_LINK.exec(at.hash);
  if (!found) return null;
  history.replaceState(null, '', at.pathname + at.search);
  return decoded(found[1] ?? '').trim() || null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
