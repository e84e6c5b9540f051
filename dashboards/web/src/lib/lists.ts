/** The lists as a due process: the API's shapes, and what follows from them for whoever works them through. Pure. */
export type EditionState =
  'draft' | 'noticed' | 'deciding' | 'published' | 'expired' | 'superseded' | 'retracted';
export type Audience = 'private' | 'building' | 'masked';
export type Status = 'RED' | 'BLACK' | 'GREY' | 'UNRATED';

export interface Edition {
  id: number;
  day: string;
  revision: number;
  state: EditionState;
  public: boolean;
  rule_version: number;
  before: number | null;
  counts: { red: number; black: number; grey: number; unrated: number };
  notices: number;
  digest: string;
  position: number;
  proposed_at: number;
  revises: number | null;
  superseded_by: number | null;
  reopened: boolean;
  noticed_at: number | null;
  deadline: number | null;
  audience: Audience | null;
  expires_at: number | null;
  publication_by: string | null;
  published_by: string | null;
  published_at: number | null;
}

export interface EditionDetail extends Edition {
  basis: string | null;
  decided_from: number | null;
}

/** A household in an edition. `household` is what may be read out, `household_id` what acts name. */
export interface EditionPlace {
  household: string;
  household_id: string | null;
  label: string | null;
  status: Status;
  shown: Status;
  rank: number;
  score: number;
  p_black: number;
  p_red: number;
  hits: number;
  warned: boolean;
  deposit_days: number;
  inspected_days: number;
  proposed_by: string | null;
  confirmed_by: string | null;
  lifted_by: string | null;
  objection_open: boolean;
  red_opt_in: boolean;
  former: boolean;
}

export interface ActLine {
  place: string;
  at: number;
  actor: string;
  kind: string;
  household: string | null;
}

export interface Stand {
  status: Status;
  hits: number;
}

export interface Move {
  household: string;
  household_id: string | null;
  from: Stand | null;
  to: Stand | null;
}

export interface Objection {
  id: number;
  edition: number;
  household: string;
  household_id: string | null;
  state: 'pending' | 'upheld' | 'rejected';
  by: string;
  at: number;
  readings: string[];
  decided_by: string | null;
  decided_at: number | null;
}

/** With what people wrote; null where it was erased. */
export interface ObjectionDetail extends Objection {
  words: string | null;
  reason: string | null;
}

/** Whether the machine alone says that a place is black: it is so once two persons have said it. */
export function proposed(place: EditionPlace): boolean {
  return place.status === 'BLACK' && place.confirmed_by === null;
}

/** A household in an edition it was told of. */
export interface HouseholdEdition {
  edition: Edition;
  place: EditionPlace | null;
  objections: Objection[];
  /** Until when it may object; null while an objection of it is pending. */
  deadline: number | null;
}

/** Who may not decide on an objection: whoever raised it, and whoever made one of the readings. */
export function hasPart(
  account: string,
  objection: Objection,
  readings: readonly { mine: boolean }[],
): 'raised' | 'read' | null {
  if (objection.by === account) return 'raised';
  return readings.some((reading) => reading.mine) ? 'read' : null;
}

/** A certainty; what is nearly certain is not called certain. */
export const sureOf = (probability: number): string =>
  probability > 0.999 ? '> 99.9 %' : `${(100 * probability).toFixed(1)} %`;

/** What keeps a name off the list, in the order in which people can do something about it. */
export const GATES = [
  'reopened',
  'former',
  'lifted',
  'objection',
  'untold',
  'window',
  'unproposed',
  'unconfirmed',
  'consent',
] as const;
export type Gate = (typeof GATES)[number];

export const isOver = (edition: Edition): boolean =>
  edition.state === 'expired' || edition.state === 'superseded' || edition.state === 'retracted';

/**
 * Why a name that the rule proposes is not shown to anybody now; empty for whoever would be shown once the edition is
 * published, and for whoever the rule puts on no list.
 */
export function gatesOf(place: EditionPlace, edition: EditionDetail, now: number): Gate[] {
  if (place.status !== 'BLACK' && place.status !== 'RED') return [];
  const black = place.status === 'BLACK';
  const held: Record<Gate, boolean> = {
    reopened: edition.reopened,
    former: place.former,
    lifted: place.lifted_by !== null,
    objection: place.objection_open,
    untold: edition.noticed_at === null,
    window: black && edition.noticed_at !== null && now < (edition.decided_from ?? Infinity),
    unproposed: black && place.proposed_by === null,
    unconfirmed: black && place.proposed_by !== null && place.confirmed_by === null,
    consent: !black && !place.red_opt_in,
  };
  return GATES.filter((gate) => held[gate]);
}

export type Step = 'propose' | 'confirm';

/** What a person has to decide next about a black name; null where there is nothing, or not yet. */
export function nextStep(place: EditionPlace, edition: EditionDetail, now: number): Step | null {
  if (edition.state !== 'deciding' || place.status !== 'BLACK') return null;
  const gates = gatesOf(place, edition, now);
  if (gates.length !== 1) return null;
  if (gates[0] === 'unproposed') return 'propose';
  return gates[0] === 'unconfirmed' ? 'confirm' : null;
}

/** Whether a name or a warning can be taken off. */
export function mayBeLifted(place: EditionPlace, edition: Edition): boolean {
  const named = place.status === 'BLACK' || place.hits > 0;
  return named && place.lifted_by === null && !isOver(edition);
}

/** What is due on an edition: a key of `lists.due.…`, and by when. */
export type Due =
  | { what: 'revise' | 'notice' | 'open' | 'decide' | 'publish' | 'propose_publication'; at: null }
  | { what: 'window' | 'heed' | 'expires'; at: number }
  | { what: 'over'; at: null };

export function dueOf(edition: EditionDetail, now: number, undecided: number): Due {
  if (isOver(edition)) return { what: 'over', at: null };
  if (edition.reopened) return { what: 'revise', at: null };
  switch (edition.state) {
    case 'draft':
      return { what: 'notice', at: null };
    case 'noticed': {
      const deadline = edition.deadline ?? now;
      return now < deadline ? { what: 'window', at: deadline } : { what: 'open', at: null };
    }
    case 'deciding': {
      const from = edition.decided_from;
      if (from !== null && now < from && edition.counts.black > 0) return { what: 'heed', at: from };
      if (edition.publication_by !== null) return { what: 'publish', at: null };
      return { what: undecided > 0 ? 'decide' : 'propose_publication', at: null };
    }
    default:
      return { what: 'expires', at: edition.expires_at ?? now };
  }
}

/** The way of an edition; the last step is how it ended. */
export const WAY = ['propose', 'notice', 'open', 'propose_publication', 'publish'] as const;
const ENDS = ['expire', 'supersede', 'retract'];

export interface Milestone {
  kind: string;
  act: ActLine | null;
  /** When it was taken; a revision may go on from the notices of the edition it corrects, without an act of its own. */
  at: number | null;
}

/** The steps there were, with who took them, and those still to come. */
export function milestones(edition: Edition, acts: readonly ActLine[]): Milestone[] {
  const whole = acts.filter((act) => act.household === null);
  const last = (kind: string) => whole.filter((act) => act.kind === kind).at(-1) ?? null;
  const way: Milestone[] = WAY.map((kind) => {
    const act = last(kind);
    return { kind, act, at: act?.at ?? (kind === 'notice' ? edition.noticed_at : null) };
  });
  const end = whole.filter((act) => ENDS.includes(act.kind)).at(-1) ?? null;
  // What ended early never came to the steps that are left.
  const taken = isOver(edition) ? way.filter((step) => step.at !== null) : way;
  return [...taken, { kind: end?.kind ?? endOf(edition), act: end, at: end?.at ?? null }];
}

function endOf(edition: Edition): string {
  if (edition.state === 'superseded') return 'supersede';
  return edition.state === 'retracted' ? 'retract' : 'expire';
}

export const SORTS = ['rank', 'score', 'p_black', 'inspected_days', 'label'] as const;
export type Sort = (typeof SORTS)[number];

export interface Choice {
  status: Status | 'WARNED' | '';
  gate: Gate | 'none' | '';
  /** Only what waits for somebody's decision. */
  open: boolean;
  text: string;
  sort: Sort;
  falling: boolean;
}

export const EVERYBODY: Choice = {
  status: '',
  gate: '',
  open: false,
  text: '',
  sort: 'rank',
  falling: false,
};

/** The places that fit a choice, in its order. */
export function choose(
  places: readonly EditionPlace[],
  choice: Choice,
  edition: EditionDetail,
  now: number,
): EditionPlace[] {
  const text = choice.text.trim().toLowerCase();
  const fits = (place: EditionPlace) => {
    if (choice.status === 'WARNED' ? !place.warned : choice.status !== '' && place.status !== choice.status)
      return false;
    if (choice.open && nextStep(place, edition, now) === null) return false;
    if (choice.gate !== '') {
      const gates = gatesOf(place, edition, now);
      if (choice.gate === 'none' ? gates.length > 0 : !gates.includes(choice.gate)) return false;
    }
    return text === '' || `${place.household} ${place.label ?? ''}`.toLowerCase().includes(text);
  };
  return places.filter(fits).sort((a, b) => (choice.falling ? -1 : 1) * order(a, b, choice.sort));
}

const ORDER: Record<Status, number> = { BLACK: 0, RED: 1, GREY: 2, UNRATED: 3 };

function order(a: EditionPlace, b: EditionPlace, sort: Sort): number {
  const byRank = ORDER[a.status] - ORDER[b.status] || a.rank - b.rank;
  if (sort === 'rank') return byRank;
  if (sort === 'label') {
    const named = new Intl.Collator('zh-CN', { numeric: true });
    return named.compare(a.label ?? '', b.label ?? '') || byRank;
  }
  return a[sort] - b[sort] || byRank;
}
