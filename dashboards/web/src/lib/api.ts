/** The HTTP API, version 1: the shapes this page reads, and one function that asks. */
import type { Stream } from './streams';

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Site {
  name: string;
  zone: string;
  now: number;
  speed: number;
  demo: boolean;
  version: string;
}

export interface Overview {
  at: number;
  households: { registered: number; active_28d: number | null };
  devices: { known: number; online: number; silent: number };
  today: { day: string; deposits: number; weight_g: number; attributed: number; inspected: number };
  ledger: {
    position: number;
    applied: number;
    records: number;
    quarantined: number;
    conflicts: number;
    repeats: number;
  };
  charts: {
    applied: number;
    /** What keeps them, where they are not in the site's own file. */
    engine: { name: string; waiting: number; answers: boolean } | null;
  };
}

export interface Estate {
  id: string;
  name: string;
  households: number;
  stations: number;
}

export interface Building {
  id: string;
  label: string;
  units: number;
  floors: number;
  households: number;
  /** Metres from the plan's top left corner. */
  x: number;
  y: number;
  w: number;
  h: number;
  /** Null, as the mean is, where it would lead to a household. */
  rated: number | null;
  mean_score: number | null;
}

export interface EstatePlan extends Estate {
  plan: {
    width: number;
    height: number;
    buildings: Building[];
    stations: { id: string; name: string; x: number; y: number }[];
  } | null;
}

export type DeviceState = 'online' | 'silent' | 'offline';

export interface Bin {
  stream: Stream;
  fill: number | null;
  weight_g: number | null;
  at?: number;
}

export interface Station {
  id: string;
  name: string;
  estate: string;
  /** Null when it is not drawn on the plan. */
  x: number | null;
  y: number | null;
  devices: string[];
  state: DeviceState;
  last_at: number | null;
  bins: Bin[];
  deposits_today: number;
  /** Those of them that name a household. */
  attributed_today: number;
  /** Null when it is not among the site's newest. */
  last_deposit_at: number | null;
}

export interface Device {
  id: string;
  estate: string | null;
  station: string | null;
  state: DeviceState;
  connected: boolean;
  last_at: number | null;
  boot: string | null;
  upto: number | null;
  missing: [number, number][];
  firmware: string | null;
  battery_mv: number | null;
  rssi_dbm: number | null;
  temperature_c: number | null;
  queued: number | null;
  records: number;
  quarantined: number;
  /** Records that came under a number that other content has. */
  conflicts: number;
  /** Boots with such records that nobody has looked at: nothing of them counts. */
  frozen: string[];
  /** Readings that do not count because of it. */
  held: number;
  revoked: boolean;
}

export interface HouseholdRow {
  id: string;
  estate: string | null;
  building: string | null;
  unit: string | null;
  door: string | null;
  label: string;
}

export interface Score {
  as_of: number;
  edition: string;
  rated: boolean;
  score: number | null;
  low: number;
  high: number;
  evidence: number;
  good: number;
  mu: number;
  p_black: number;
  p_red: number;
  prior: number;
  days45: number;
  inspected_days60: number;
  rule: string;
}

export interface Household extends HouseholdRow {
  registered: boolean;
  first_day: string | null;
  score: Score;
}

/** Why a score is what it is: shares in points that add up to the score less the prior. */
export interface Reasons {
  edition: string;
  score: number | null;
  prior: number;
  reasons: { code: string; tenths?: number }[];
  streams: { stream: Stream; recent: boolean; points: number }[];
  cameras: number;
  inspectors: number;
  clamped: number;
  sentence: { zh: string; en: string };
}

export interface DaySource {
  source: string;
  stream: Stream;
  quality: number;
  readings: number;
  counts: boolean;
}

export interface HouseholdDay {
  day: string;
  bags: number;
  weight_g: number;
  streams: Stream[];
  evidence: number;
  decayed: number;
  quality: number | null;
  sources: DaySource[];
}

export interface Deposit {
  id: string;
  at: number;
  day: string;
  device: string;
  stream: Stream;
  weight_g: number;
  quality: number | null;
  confidence: number | null;
  by: 'camera' | 'inspector';
  bag: string | null;
  /** What a picture of the bag is called where it is kept, as far as whoever graded it named one. */
  photo: string | null;
  /** Its place in the journal, by which acts name it. */
  place: string;
  /** Why it does not count; empty where it does. */
  flags: string[];
  /** The account that asks made it with its own phone, which nothing else here tells. */
  mine: boolean;
}

/** A household in an edition that households were told of. */
export interface HouseholdEdition {
  edition: { id: number; day: string; revision: number; state: string };
  place: { status: string; shown: string; score: number; warned: boolean } | null;
  objections: {
    id: number;
    state: 'pending' | 'upheld' | 'rejected';
    at: number;
    readings: string[];
    decided_by: string | null;
  }[];
  deadline: number | null;
}

interface Place {
  rank: number;
  of: number;
}

export interface Rank {
  city: Place;
  estate: Place | null;
}

export interface Consents {
  current: { purpose: string; given: boolean; since: number | null }[];
  history: { purpose: string; given: boolean; by: string; at: number; position: number }[];
}

/** What was done about a household, and who looked at it. */
export interface HouseholdTrail {
  acts: Page<{ place: string; at: number; actor: string; kind: string; why: string | null }>;
  looks: { actor: string; what: string; day: string; count: number }[];
}

/** Somebody who acts for a household. */
export interface HouseholdPerson {
  account: string;
  since: number;
  delegate: boolean;
  may_end: boolean;
}

export interface NextBag {
  day: string;
  ordinal: number;
  look: string;
}

/** A deposit as the live list shows it; the household is masked by the server. */
export interface LiveDeposit {
  at: number;
  device: string;
  station?: string | null;
  stream: Stream;
  weight_g: number;
  quality: number | null;
  by: 'camera' | 'inspector';
  household: string | null;
}

export interface LiveStatus {
  at: number;
  device: string;
  station?: string | null;
  bins?: Bin[];
}

export interface SeriesAnswer {
  measure: string;
  step: string;
  agg: string;
  unit: string;
  from: number;
  to: number;
  series: { device: string; stream: Stream | null; points: [number, number][] }[];
}

/** Something at a station that a person should look at. */
export interface Incident {
  at: number;
  device: string;
  kind: string;
  stream: Stream | null;
  note: string | null;
  photo: string | null;
}

export interface Quarantined {
  id: number;
  at: number;
  device: string;
  reason: string;
  detail: string;
  boot: string | number | null;
  seq: number | null;
  raw: string;
  bytes: number;
}

/** Who is logged in. */
export interface Me {
  account: string;
  role: string;
  rights: string[];
  households: string[];
  has_second_factor: boolean;
  until: number;
}

/** Who was faster at something that only one can do. */
export interface Winner {
  actor: string;
  at: number;
  what: string;
}

/** Why an answer did not come. `status` 0: no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** The rule of the due process that forbids it, as a stable word. */
    readonly rule = '',
    readonly winner: Winner | null = null,
  ) {
    super(`${status} ${title}: ${detail}`);
  }
}

type Params = Record<string, string | number | null | undefined>;

/** The address of a resource, relative to the page, so that a proxy may serve the site under a prefix. */
export function apiPath(segments: string[], params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') query.set(key, String(value));
  }
  const path = segments.map(encodeURIComponent).join('/');
  const text = query.toString();
  return `./api/v1/${path}${text ? `?${text}` : ''}`;
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const field = (name: string) => {
    const value = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)[name] : null;
    return typeof value === 'string' ? value : '';
  };
  const title = field('title') || response.statusText;
  const winner = (body as { winner?: Winner } | null)?.winner ?? null;
  return new ApiError(response.status, title, field('detail'), field('rule'), winner);
}

/**
 * Told when the server says that nobody is logged in (any more); answers whether somebody is again, so that what was asked
 * is asked once more. Without anyone to tell, nobody is.
 */
let readmitted: () => Promise<boolean> = () => Promise.resolve(false);
export function onNobody(wait: () => Promise<boolean>): void {
  readmitted = wait;
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'no answer', String(error));
  }
  if (response.ok) return response;
  throw await problem(response);
}

/** A request that was refused for want of a session did nothing: it waits for one and is sent again, whatever it asks. */
async function askAsSomebody(path: string, init: RequestInit): Promise<Response> {
  for (;;) {
    try {
      return await ask(path, init);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401) || !(await readmitted())) throw error;
    }
  }
}

/** Asks for one resource; throws ApiError, or the abort's own error when `signal` fired. */
export async function get<T>(segments: string[], params: Params = {}, signal?: AbortSignal): Promise<T> {
  const headers = { accept: 'application/json' };
  const response = await askAsSomebody(apiPath(segments, params), { headers, ...(signal ? { signal } : {}) });
  return (await response.json()) as T;
}

/** The pages of a list, one after the other for as long as somebody asks. */
export async function* pages<T>(
  segments: string[],
  params: Params = {},
  signal?: AbortSignal,
): AsyncGenerator<Page<T>> {
  let after: string | null = null;
  do {
    const page: Page<T> = await get(segments, { ...params, after }, signal);
    yield page;
    after = page.next;
  } while (after !== null);
}

/** What is in a list; the page with which it is `most` or more is the last one asked for. */
export async function getAll<T>(
  segments: string[],
  params: Params = {},
  signal?: AbortSignal,
  most = Infinity,
): Promise<T[]> {
  const found: T[] = [];
  for await (const { items } of pages<T>(segments, params, signal)) {
    found.push(...items);
    if (found.length >= most) break;
  }
  return found;
}

/** Has something ended that the path names. */
export async function end(segments: string[]): Promise<void> {
  await askAsSomebody(apiPath(segments), { method: 'DELETE', headers: { accept: 'application/json' } });
}

/** Has something done; what was answered, null where that is nothing. */
export async function post<T>(segments: string[], body: object): Promise<T | null> {
  // Whoever logs in is nobody yet, and nobody logs in again in order to log out.
  const ofNobody = segments[0] === 'login' || segments.join('/') === 'logout';
  const send = ofNobody ? ask : askAsSomebody;
  const response = await send(apiPath(segments), {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.status === 204 ? null : ((await response.json()) as T);
}
