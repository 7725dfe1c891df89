/** How often copies in memory turned out to be outdated, smoothed over batches. */

export type Staleness = {
  /** True while trusting a copy and being wrong now and then costs less than comparing each. */
  readonly isRare: () => boolean;
  readonly note: (outdated: number, of: number) => void;
};

const WEIGHT = 0.1;
const RARE_SHARE_MAX = 0.1;

export function createStaleness(): Staleness {
  let share = 0;
  return {
    isRare: () => share <= RARE_SHARE_MAX,
    note(outdated, of) {
      if (of > 0) share += WEIGHT * (outdated / of - share);
    },
  };
}
