/** The rule page as one person works with it: what is in force, what runs beside, and what is being tried. */
import { ApiError, get, post } from '../../lib/api';
import type { Status } from '../../lib/lists';
import { Resource } from '../../lib/resource.svelte';
import type { Dashboard } from '../dashboard.svelte';

export type Constants = Record<string, number>;

interface Shadow {
  id: number;
  version: number;
  from: string;
  begun_by: string;
  ended_by: string | null;
}

export interface Rules {
  in_force: number;
  rule: Constants;
  versions: {
    id: number;
    version: number;
    from: string;
    proposed_by: string;
    proposed_at: number;
    adopted_by: string | null;
    adopted_at: number | null;
  }[];
  shadow: Shadow[];
}

export interface Shadows {
  items: (Shadow & { editions: { day: string; counts: number[]; moved: number }[] })[];
}

/** On a list, or on none. */
export type End = Status | 'NONE';

export interface DryRun {
  edition: string;
  before: number | null;
  counts: number[];
  new_counts: number[];
  moved: number;
  moves: { from: End; to: End; households: number }[];
  households: {
    household: string;
    from: End;
    to: End;
    gates: Record<string, boolean>;
    score: number;
    new_score: number;
  }[];
}

export class RulesDesk {
  readonly rules = new Resource<Rules>();
  readonly shadows = new Resource<Shadows>();
  /** What was typed, by constant; what was not is as in force. */
  typed = $state<Record<string, string>>({});
  day = $state('');
  busy = $state(false);
  run = $state.raw<DryRun | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** The constant that is no number. */
  wrong = $state<string | null>(null);

  async load(): Promise<void> {
    await Promise.all([
      this.rules.load((signal) => get<Rules>(['rules'], {}, signal)),
      this.shadows.load((signal) => get<Shadows>(['rules', 'shadow'], {}, signal)),
    ]);
  }

  async try(): Promise<void> {
    const rule = this.rules.data?.rule;
    if (!rule || this.busy) return;
    const changed = Object.entries(this.typed).filter(([, text]) => text.trim() !== '');
    this.wrong = changed.find(([, text]) => !Number.isFinite(Number(text)))?.[0] ?? null;
    if (this.wrong !== null) return;
    const numbers = Object.fromEntries(changed.map(([name, text]) => [name, Number(text)]));
    this.busy = true;
    this.error = null;
    try {
      const body = { rule: { ...rule, ...numbers }, ...(this.day ? { edition: this.day } : {}) };
      this.run = await post<DryRun>(['rules', 'dry-run'], body);
    } catch (failure) {
      this.error = failure instanceof ApiError ? failure : new ApiError(0, 'no answer', String(failure));
    }
    this.busy = false;
  }
}

const desks = new WeakMap<Dashboard, RulesDesk>();

/** The desk of whoever is logged in. */
export function rulesOf(dash: Dashboard): RulesDesk {
  const desk = desks.get(dash) ?? new RulesDesk();
  desks.set(dash, desk);
  return desk;
}
