/** Long jobs of the server as their list tells them, and what is said of one. Pure. */
import type { Said } from './acts.svelte';

export type JobStage = 'waiting' | 'reading' | 'judging' | 'writing' | 'storing' | 'stopping' | 'elsewhere';

export interface Job {
  /** Null where another server does it. */
  id: string | null;
  kind: 'edition' | 'revision' | 'shadow' | 'dry_run' | 'export';
  day: string | null;
  edition: number | null;
  by: string;
  since: number;
  stage: JobStage | null;
  done: number;
  of: number;
  ended: {
    at: number;
    outcome: 'done' | 'cancelled' | 'refused' | 'failed' | 'broken_off';
    detail: string | null;
  } | null;
  cancelled_by: string | null;
}

export interface JobList {
  at: number;
  items: Job[];
}

/** Nothing that is stored, is being stopped or is done elsewhere can be cancelled from here. */
export function isCancellable(job: Job): boolean {
  const lasts: readonly (JobStage | null)[] = ['waiting', 'reading', 'judging', 'writing'];
  return job.id !== null && lasts.includes(job.stage);
}

/** What it does, and to what. */
export function what(job: Job): Said {
  if (job.day !== null) return [`jobs.${job.kind}.day`, { day: job.day }];
  return [`jobs.${job.kind}`, { id: job.edition ?? '' }];
}

/** How far it is. */
export function how(job: Job): Said {
  const stage = job.stage ?? 'waiting';
  return [`jobs.stage.${stage}`, { done: job.done, of: job.of }];
}

/** What became of it; a person is named who had a part in that. */
export function became(job: Job): Said {
  const outcome = job.ended?.outcome ?? 'done';
  if (outcome === 'done' && job.kind !== 'export' && job.edition !== null)
    return ['jobs.ended.made', { id: job.edition }];
  return [`jobs.ended.${outcome}`, { who: job.cancelled_by ?? '' }];
}

/** Jobs that ran at an earlier look and do not any more: what they were about is worth asking for again. */
export function overSince(before: readonly Job[], now: readonly Job[]): boolean {
  const running = new Set(now.filter((job) => job.ended === null).map((job) => job.id));
  return before.some((job) => job.ended === null && !running.has(job.id));
}
