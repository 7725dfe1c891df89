/** What corridors may have of a worker's time. */

export type CorridorShare = {
  /** Factor of the corridor's part of a batch beside other busy corridors. */
  readonly weight: number;
  /** Part of a worker's time that a drain leaves to the corridor while the corridor has traffic, from 0 to 1. */
  readonly floor: number;
};

export type ShareOf = (corridor: string) => CorridorShare;

// A larger floor slows a drain; a smaller one lets other corridors wait longer beside it.
const DEFAULT_SHARE: CorridorShare = { weight: 1, floor: 0.1 };

export const defaultShareOf: ShareOf = () => DEFAULT_SHARE;
