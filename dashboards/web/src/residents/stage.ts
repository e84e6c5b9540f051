/** How far a told edition is for its household. Pure. */
import type { Told } from './ask';

/** Whether an objection would be taken now. */
export function mayObject(told: Told | null, now: number): told is Told & { deadline: number } {
  return told !== null && told.objection === null && told.deadline !== null && now < told.deadline;
}

/** 0 told, 1 objections are open or looked at, 2 people decide, 3 published. */
export function step(told: Told, now: number): number {
  if (told.state === 'published') return 3;
  return told.deadline === null || now < told.deadline ? 1 : 2;
}
