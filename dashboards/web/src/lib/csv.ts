/**
 * CSV that a spreadsheet opens safely: UTF-8 with a byte order mark (or Chinese turns to noise in Excel), CRLF,
 * and no text cell that a spreadsheet would run as a formula.
 */
export type Cell = string | number | null;

/** What spreadsheets take for the start of a formula, with the full-width forms that some of them accept. */
const FORMULA = /^[\s\u0000]*[=+\-@\t\r＝＋－＠]/;

export function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCsv(header: string[], rows: Cell[][]): string {
  const lines = [header, ...rows].map((row) => row.map(csvCell).join(','));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}
