/** The four waste streams. The order is the field's own: food, recyclable, hazardous, residual. */
export const STREAMS = ['food', 'recyclable', 'hazardous', 'residual'] as const;
export type Stream = (typeof STREAMS)[number];

export function isStream(value: unknown): value is Stream {
  return STREAMS.some((s) => s === value);
}
