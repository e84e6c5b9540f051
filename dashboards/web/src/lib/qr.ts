/**
 * QR codes (ISO/IEC 18004) of short texts: bytes, error correction M, versions 1 to 6. Enough for an address with a one-time
 * code, which must not be sent to anybody else to be drawn. Pure.
 */

/** Data bytes of a block, how many blocks, and check bytes of each, for versions 1 to 6 at M. */
const VERSIONS = [
  { data: 16, blocks: 1, check: 10 },
  { data: 28, blocks: 1, check: 16 },
  { data: 44, blocks: 1, check: 26 },
  { data: 32, blocks: 2, check: 18 },
  { data: 43, blocks: 2, check: 24 },
  { data: 27, blocks: 4, check: 16 },
] as const;

/** Bytes of the longest text. */
export const QR_MOST = 4 * 27 - 2;

/** Rows of dark (true) and light squares, without the quiet zone of four squares around them. */
export function qr(text: string): boolean[][] {
  const bytes = [...new TextEncoder().encode(text)];
  const version = VERSIONS.findIndex(({ data, blocks }) => bytes.length + 2 <= data * blocks);
  const kind = VERSIONS[version];
  if (!kind) throw new RangeError(`expected at most ${QR_MOST} bytes, came ${bytes.length}`);
  const board = new Board(17 + 4 * (version + 1));
  board.fixed();
  const words = interleaved(padded(bytes, kind.data * kind.blocks), kind.data, kind.check);
  const drawn = [0, 1, 2, 3, 4, 5, 6, 7].map((mask) => board.drawn(words, mask));
  return drawn.reduce((best, next) => (penalty(next) < penalty(best) ? next : best));
}

/** The text with its mode and length, filled up to the room there is. */
function padded(bytes: number[], room: number): number[] {
  const nibbles = [4, bytes.length >> 4, bytes.length & 15, ...bytes.flatMap((b) => [b >> 4, b & 15]), 0];
  const words = Array.from(
    { length: nibbles.length / 2 },
    (_, i) => (nibbles[2 * i]! << 4) | nibbles[2 * i + 1]!,
  );
  for (let i = 0; words.length < room; i++) words.push(i % 2 === 0 ? 0xec : 0x11);
  return words;
}

function interleaved(words: number[], size: number, check: number): number[] {
  const blocks = Array.from({ length: words.length / size }, (_, i) => words.slice(i * size, (i + 1) * size));
  const columns = (rows: number[][]) => rows[0]!.flatMap((_, i) => rows.map((row) => row[i]!));
  return [...columns(blocks), ...columns(blocks.map((block) => remainder(block, check)))];
}

/** Multiplication of the field with 256 elements of x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> i) & 1) * a);
  return product;
}

/** The check bytes of a block (Reed-Solomon). */
function remainder(data: number[], length: number): number[] {
  let divisor = [1];
  for (let i = 0, root = 1; i < length; i++, root = times(root, 2))
    divisor = [...divisor, 0].map((at, n) => at ^ times(n > 0 ? divisor[n - 1]! : 0, root));
  const rest = [...data, ...Array<number>(length).fill(0)];
  for (let i = 0; i < data.length; i++) {
    const factor = rest[i]!;
    divisor.forEach((at, n) => (rest[i + n]! ^= times(at, factor)));
  }
  return rest.slice(data.length);
}

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class Board {
  /** null: room for data. */
  readonly #cells: (boolean | null)[][];
  constructor(readonly size: number) {
    this.#cells = Array.from({ length: size }, () => Array<boolean | null>(size).fill(null));
  }

  #set(x: number, y: number, dark: boolean): void {
    if (x >= 0 && y >= 0 && x < this.size && y < this.size) this.#cells[y]![x] = dark;
  }

  /** Rings around a middle: dark where the distance is one of those named. */
  #rings(x: number, y: number, most: number, dark: readonly number[]): void {
    for (let dy = -most; dy <= most; dy++)
      for (let dx = -most; dx <= most; dx++)
        this.#set(x + dx, y + dy, dark.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  }

  /** What is the same in every code of this size; the places of the format are kept free. */
  fixed(): void {
    const { size } = this;
    for (let i = 0; i < size; i++) {
      this.#set(6, i, i % 2 === 0);
      this.#set(i, 6, i % 2 === 0);
    }
    for (const [x, y] of [
      [3, 3],
      [size - 4, 3],
      [3, size - 4],
    ] as const)
      this.#rings(x, y, 4, [0, 1, 3]);
    if (size > 21) this.#rings(size - 7, size - 7, 2, [0, 2]);
    this.#format(0);
  }

  /** Error correction and mask, twice, guarded by a BCH code; and the square that is always dark. */
  #format(mask: number): void {
    let rest = mask;
    for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
    const bits = ((mask << 10) | rest) ^ 0x5412;
    const { size } = this;
    for (let i = 0; i < 15; i++) {
      const dark = ((bits >> i) & 1) === 1;
      // Around the upper left; row and column 6 are the timing's.
      const along = i < 6 ? i : i < 8 ? i + 1 : 0;
      if (i < 8) this.#set(8, along, dark);
      else this.#set(i === 8 ? 7 : 14 - i, 8, dark);
      if (i < 8) this.#set(size - 1 - i, 8, dark);
      else this.#set(8, size - 15 + i, dark);
    }
    this.#set(8, size - 8, true);
  }

  /** With the words in pairs of columns from the right, up and down by turns. */
  drawn(words: number[], mask: number): boolean[][] {
    const free = this.#cells.map((row) => row.map((cell) => cell === null));
    this.#format(mask);
    const cells = this.#cells.map((row) => row.map((cell) => cell === true));
    let bit = 0;
    for (let right = this.size - 1, up = true; right > 0; right -= right === 8 ? 3 : 2, up = !up) {
      if (right === 6) right = 5;
      for (let n = 0; n < this.size; n++)
        for (const x of [right, right - 1]) {
          const y = up ? this.size - 1 - n : n;
          if (!free[y]![x]) continue;
          const dark = (((words[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
          cells[y]![x] = dark !== MASKS[mask]!(x, y);
          bit++;
        }
    }
    return cells;
  }
}

/** How hard a code is to read, by the standard's four rules. */
function penalty(cells: boolean[][]): number {
  const columns = cells.map((_, x) => cells.map((row) => row[x]!));
  let sum = 0;
  for (const line of [...cells, ...columns]) {
    const text = line.map(Number).join('');
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    for (let i = 0; i + 11 <= text.length; i++)
      if (['10111010000', '00001011101'].includes(text.slice(i, i + 11))) sum += 40;
  }
  cells.forEach((row, y) =>
    row.forEach((dark, x) => {
      const below = cells[y + 1];
      if (
        below &&
        x + 1 < row.length &&
        [row[x + 1], below[x], below[x + 1]].every((other) => other === dark)
      )
        sum += 3;
    }),
  );
  const dark = cells.flat().filter(Boolean).length / cells.length ** 2;
  return sum + 10 * Math.floor(Math.abs(dark * 100 - 50) / 5);
}
