import { expect, test } from 'vitest';
import { csvCell, toCsv } from '../src/lib/csv';
import { CSV_HEADER, csvRows, type Counted } from '../src/lib/series';

test('text_that_a_spreadsheet_would_run_is_neutralised', () => {
  for (const bad of [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    ' =1',
    '\u0000=1',
    '\n=1',
  ]) {
    expect(csvCell(bad).replace(/^"/, ''), JSON.stringify(bad)).toMatch(/^'/);
  }
});

test('numbers_stay_numbers_even_below_zero', () => {
  expect(csvCell(-71)).toBe('-71');
  expect(csvCell(0.25)).toBe('0.25');
  expect(csvCell(NaN)).toBe('');
  expect(csvCell(null)).toBe('');
});

test('quotes_commas_and_line_ends_are_quoted', () => {
  expect(csvCell('a,b')).toBe('"a,b"');
  expect(csvCell('say "hi"')).toBe('"say ""hi"""');
  expect(csvCell('=A1,"x"')).toBe(`"'=A1,""x"""`);
  expect(csvCell('和睦')).toBe('和睦');
});

test('a_file_begins_with_a_byte_order_mark_and_ends_lines_with_crlf', () => {
  const text = toCsv(['a', 'b'], [[1, '可回收物']]);
  expect(text).toBe('\uFEFFa,b\r\n1,可回收物\r\n');
  expect([...new TextEncoder().encode(text)].slice(0, 3)).toEqual([0xef, 0xbb, 0xbf]);
});

test('the_chart_file_holds_every_point_in_order_with_local_and_utc_time', () => {
  const one = (stream: 'food' | null, at: number, value: number): Counted => ({
    station: 's1',
    measure: 'fill',
    unit: 'ratio',
    agg: 'mean',
    step: 'hour',
    lines: [{ device: '=cmd', stream, readings: [{ at, value, n: 2 }] }],
  });
  const rows = csvRows([one('food', 7_200_000, 0.5), one(null, 3_600_000, 0.25)], 'Asia/Shanghai');
  expect(toCsv(CSV_HEADER, rows).split('\r\n').slice(1)).toEqual([
    "1970-01-01T09:00:00+08:00,1970-01-01T01:00:00.000Z,s1,fill,ratio,mean,hour,'=cmd,,0.25,,2",
    "1970-01-01T10:00:00+08:00,1970-01-01T02:00:00.000Z,s1,fill,ratio,mean,hour,'=cmd,food,0.5,,2",
    '',
  ]);
});
