/** The grades an inspector gives. A quality is the part of the bag, by weight, that belongs into its stream. */
export const GRADES = [
  { id: 'all', quality: 1 },
  { id: 'most', quality: 0.9 },
  { id: 'mixed', quality: 0.75 },
  { id: 'half', quality: 0.5 },
  { id: 'little', quality: 0.2 },
] as const;
export type Grade = (typeof GRADES)[number]['id'];

/** The grade of a quality that was given here. */
export function gradeOf(quality: number): Grade | null {
  return GRADES.find((grade) => grade.quality === quality)?.id ?? null;
}

/** Weights that are one tap, in grams. An estimate is enough: from 250 g on, a bag says as much as any other of its day. */
export const WEIGHTS = [500, 1000, 2000, 3000] as const;
/** Below this a bag says nothing of its household, unless it is hazardous waste. */
export const WEIGHT_LEAST = 100;
