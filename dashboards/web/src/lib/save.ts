/** Gives the reader a file that the page has made. Its name tells nothing of anybody. */
import { toCsv, type Cell } from './csv';

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveCsv(name: string, header: string[], rows: Cell[][]): void {
  save(new Blob([toCsv(header, rows)], { type: 'text/csv;charset=utf-8' }), name);
}
