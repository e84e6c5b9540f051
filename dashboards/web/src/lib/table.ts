/** Rows as a table shows them: filtered, in order, a page at a time, and as a file. Pure. */
import type { Cell } from './csv';

export interface Column<T> {
  id: string;
  label: string;
  /** What is sorted by and written into the file. */
  value: (row: T) => Cell;
  /** What is read; the value where there is nothing else to say. */
  text?: (row: T) => string;
  num?: boolean;
}

export interface Order {
  column: string;
  down: boolean;
}

export const PAGE = 20;

const collator = new Intl.Collator('zh-CN', { numeric: true });

/** Nothing comes last, whichever way round. */
function compare(a: Cell, b: Cell, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order =
    typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
  return down ? -order : order;
}

export function shownText<T>(column: Column<T>, row: T): string {
  const value = column.value(row);
  return column.text?.(row) ?? (value === null ? '' : String(value));
}

/** The rows in which every word typed is found, in the order of a column; equal ones stay as they came. */
export function arranged<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  order: Order | null,
  filter: string,
): T[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (row: T) => {
    const whole = columns.map((column) => shownText(column, row).toLowerCase()).join(' ');
    return words.every((word) => whole.includes(word));
  };
  const found = words.length === 0 ? [...rows] : rows.filter(fits);
  const by = columns.find((column) => column.id === order?.column);
  if (!by || !order) return found;
  return found.sort((a, b) => compare(by.value(a), by.value(b), order.down));
}

export function asCells<T>(rows: readonly T[], columns: readonly Column<T>[]): Cell[][] {
  return rows.map((row) => columns.map((column) => column.value(row)));
}
