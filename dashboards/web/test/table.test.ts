import { expect, test } from 'vitest';
import { arranged, asCells, type Column } from '../src/lib/table';

interface Row {
  name: string;
  n: number | null;
}
const rows: Row[] = [
  { name: '10幢', n: 3 },
  { name: '9幢', n: null },
  { name: '2幢', n: 7 },
];
const columns: Column<Row>[] = [
  { id: 'name', label: 'name', value: (row) => row.name },
  {
    id: 'n',
    label: 'n',
    value: (row) => row.n,
    text: (row) => (row.n === null ? 'too few' : `${row.n} %`),
  },
];
const names = (column: string, down: boolean, filter = '') =>
  arranged(rows, columns, { column, down }, filter).map(({ name }) => name);

test('numbers_within_names_are_numbers', () => {
  expect(names('name', false)).toEqual(['2幢', '9幢', '10幢']);
});

test('nothing_comes_last_whichever_way_round', () => {
  expect(names('n', false)).toEqual(['10幢', '2幢', '9幢']);
  expect(names('n', true)).toEqual(['2幢', '10幢', '9幢']);
});

test('a_filter_reads_what_the_reader_reads', () => {
  expect(names('name', false, 'TOO few')).toEqual(['9幢']);
  expect(names('name', false, '7 2幢')).toEqual(['2幢']);
});

test('a_file_holds_values_and_no_words', () => {
  expect(asCells(rows.slice(0, 2), columns)).toEqual([
    ['10幢', 3],
    ['9幢', null],
  ]);
});
