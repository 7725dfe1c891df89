/** Shares of a worker's time by corridor. */
import { DEFAULT_SETTINGS } from '../domain/corridor-settings.ts';
import type { Switches } from '../domain/switch.ts';

export type CorridorShare = {
  /** Factor of the corridor's part of a batch beside other busy corridors. */
  readonly weight: number;
  /** Part of a worker's time that a drain leaves to the corridor while the corridor has traffic, from 0 to 1. */
  readonly floor: number;
};

export type ShareOf = (corridor: string) => CorridorShare;

/** Floor of a corridor of weight 1. Larger: drains are slower; smaller: other corridors wait longer beside a drain. */
const FLOOR = 0.1;

/** @param settings as last read */
export const shareOfSettings =
  (settings: () => Switches['settings']): ShareOf =>
  (corridor) => {
    const { weight } = settings().get(corridor) ?? DEFAULT_SETTINGS;
    return { weight, floor: weight * FLOOR };
  };
