// Codes as they are made for a letter box, by `HEMU_BIN --data HEMU_DATA household code`.

import { execFileSync } from 'node:child_process';

/** What the command prints. */
export function code(...which) {
  const { HEMU_BIN, HEMU_DATA } = process.env;
  const args = ['--data', HEMU_DATA, 'household', 'code', ...which];
  return execFileSync(HEMU_BIN, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
}

export const codeOf = (token) => code(token).split('\n')[0].trim();
