/** How many households took part, as the server says it of an estate's buildings. Pure. */
import { addDays } from './time';

export type TurnoutLength = 'day' | 'week';

export interface TurnoutTime {
  from: string;
  /** The day after the last. */
  to: string;
}

export interface TurnoutBuilding {
  building: string | null;
  label: string;
  too_few: boolean;
  households: number | null;
  /** A number a time; null where it would say something of one household. */
  came: (number | null)[];
}

export interface Turnout {
  by: TurnoutLength;
  at: number;
  times: TurnoutTime[];
  households: number | null;
  came: (number | null)[];
  items: TurnoutBuilding[];
}

export function shareOf(came: number | null, households: number | null): number | null {
  return came === null || households === null || households === 0 ? null : came / households;
}

/** A day, or the first and the last of a week. */
export function timeText(time: TurnoutTime, by: TurnoutLength): string {
  const short = (day: string) => day.slice(5);
  return by === 'day' ? short(time.from) : `${short(time.from)}–${short(addDays(time.to, -1))}`;
}
