/** Minutes and points as the server tells them, and how they are said. Pure but for the chance a request's key is drawn by. */
import type { Page } from './ask';

export interface Entry {
  place: string;
  at: number;
  currency: 'minutes' | 'points';
  kind: string;
  amount: number;
  with: { household: string } | null;
  help: string | null;
  why: string | null;
  reversed: number | null;
}

export interface Service {
  id: number;
  was_helped: boolean;
  with: { household: string };
  help: string;
  began: number;
  minutes: number;
  state: string;
  by: string;
}

export interface Account {
  minutes: number;
  points: number;
  entries: Page<Entry>;
  services: Service[];
}

/** Whole hours and the minutes beyond them. */
export function hours(minutes: number): { h: number; m: number } {
  const all = Math.abs(minutes);
  return { h: Math.floor(all / 60), m: all % 60 };
}

/** A request's own name: sent twice under it, it is done once. */
export function drawKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => `0${byte.toString(16)}`.slice(-2)).join('');
}
