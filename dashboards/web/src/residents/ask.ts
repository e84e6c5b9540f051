/** Asks the API for a household: the shapes this page reads, and what went wrong. Must not keep anything. */
import { apiPath, type Deposit, type Page, type Reasons, type Score } from '../lib/api';

export type { Deposit, HouseholdDay, HouseholdRow, Me, Page, Reasons, Score, Site } from '../lib/api';

/** A reading with what acts name it by. */
export interface Read extends Deposit {
  place: string;
}

export type Status = 'RED' | 'BLACK' | 'GREY' | 'UNRATED';

/** In the newest published edition. */
export interface Listed {
  edition: number;
  day: string;
  status: Status | null;
  since: string | null;
  until: number | null;
  objection: number | null;
}

/** In an edition that the household was told of and nobody decided on. */
export interface Told {
  edition: number;
  day: string;
  state: string;
  proposed: Status | null;
  warned: boolean;
  deadline: number | null;
  objection: number | null;
}

export interface Own {
  id: string;
  label: string;
  first_day: string | null;
  score: Score;
  list: Listed | null;
  told: Told | null;
}

export type Reason = Reasons['reasons'][number] & {
  days?: number | string[];
  needed?: number;
  window?: number;
  on?: string | null;
  mean?: number;
};

export interface Mean {
  households: number;
  rated: number;
  score: number;
  low: number;
  high: number;
}

export interface Building {
  label: string | null;
  weeks: { edition: number; day: string; building: Mean | null; estate: Mean | null }[];
}

export interface Objection {
  id: number;
  edition: number;
  household_id: string | null;
  state: 'pending' | 'upheld' | 'rejected';
  at: number;
  readings: string[];
  decided_at: number | null;
  words?: string | null;
  reason?: string | null;
}

export interface Consents {
  current: { purpose: string; given: boolean; since: number | null }[];
}

export interface Trail {
  acts: Page<{ place: string; at: number; actor: string; kind: string }>;
  looks: { actor: string; what: string; day: string; count: number; last_at: number }[];
}

/** Somebody who may act for the household. */
export interface Person {
  account: string;
  since: number;
  delegate: boolean;
  own: boolean;
  may_end: boolean;
}

/** Why something was not done. `status` 0: no answer came at all. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly detail = '',
    /** The rule of the due process that was broken. */
    readonly rule = '',
    /** Seconds to wait, where the server says. */
    readonly wait = 0,
  ) {
    super(`${status} ${detail}`);
  }
}

/** As long as a phone in a stairwell may take. */
const PATIENCE_MS = 20_000;

async function refusal(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => null)) as { detail?: unknown; rule?: unknown } | null;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const wait = Number(response.headers.get('retry-after')) || 0;
  return new Refused(response.status, text(body?.detail), text(body?.rule), wait);
}

async function ask<T>(path: string, init: RequestInit): Promise<T | null> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const asked = { credentials: 'same-origin', cache: 'no-store', signal: abort.signal, ...init } as const;
    const response = await fetch(path, asked);
    if (!response.ok) throw await refusal(response);
    return response.status === 204 ? null : ((await response.json()) as T);
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(0, String(error));
  } finally {
    clearTimeout(timer);
  }
}

type Params = Record<string, string | number>;

export async function get<T>(segments: string[], params: Params = {}): Promise<T> {
  return (await ask<T>(apiPath(segments, params), { headers: { accept: 'application/json' } })) as T;
}

export async function end(segments: string[]): Promise<void> {
  await ask(apiPath(segments), { method: 'DELETE', headers: { accept: 'application/json' } });
}

export async function post<T>(segments: string[], body: object): Promise<T | null> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return ask<T>(apiPath(segments), { method: 'POST', headers, body: JSON.stringify(body) });
}
