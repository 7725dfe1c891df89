/** Parties whose profiles a batch reads from Postgres now: later batches fold these parties after the read, and other parties at once. */
import type { BatchParty, KindFold, Profiles } from './profiles.ts';

/** Rebuilds under way at once; a batch may have two. Fewer: processors idle while a batch waits; more: writes find no connection. */
const REBUILDING_BATCHES_MAX = 4;

/** The end of the first rebuild to end; undefined while fewer than REBUILDING_BATCHES_MAX are under way. */
export function rebuildAhead({ kinds }: Profiles): Promise<unknown> | undefined {
  const underWay = new Set(kinds.flatMap(({ rebuilding }) => [...rebuilding.values()]));
  return underWay.size < REBUILDING_BATCHES_MAX ? undefined : Promise.race(underWay);
}

export const partiesOf = (
  folds: readonly KindFold[],
  of: (fold: KindFold) => readonly BatchParty[],
) => folds.flatMap((fold) => of(fold).map(({ party }) => ({ rebuilding: fold.rebuilding, party })));

/** Makes later batches wait for the parties until the work has ended. */
export function noteRebuilding(
  parties: ReturnType<typeof partiesOf>,
  work: Promise<unknown>,
): void {
  const ended = Promise.allSettled([work]).then(() => {
    for (const { rebuilding, party } of parties)
      if (rebuilding.get(party) === ended) rebuilding.delete(party);
  });
  for (const { rebuilding, party } of parties) rebuilding.set(party, ended);
}
