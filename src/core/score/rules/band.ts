/** The band that a value falls into, and the weight of the value there. */
import type { Band } from './rule-set-data.ts';

/** Bands as a table of `from` and `weight`. */
export function bandsOf(...bands: readonly (readonly [from: number, weight: number])[]): Band[] {
  return bands.map(([from, weight]) => ({ from, weight }));
}

/** Index of the band that holds a value (lower bound inclusive); -1 below the first one and for NaN. */
export function bandIndex(bands: readonly Band[], value: number): number {
  let found = -1;
  for (let index = 0; index < bands.length; index++) {
    const band = bands[index];
    if (band === undefined || !(value >= band.from)) break;
    found = index;
  }
  return found;
}

/** Weight of a value in the band that holds it; 0 when none does. Never falls as the value rises. */
export function bandWeight(bands: readonly Band[], value: number): number {
  const index = bandIndex(bands, value);
  const band = bands[index];
  if (band === undefined) return 0;
  const next = bands[index + 1];
  if (next === undefined) return band.weight;
  const share = (value - band.from) / (next.from - band.from);
  return band.weight + (next.weight - band.weight) * share;
}
