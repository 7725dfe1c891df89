/** Parties whose profiles batches read from Postgres now: later batches fold them once that has ended, and their other parties at once. */
import type { BatchParty, KindFold, Profiles } from './profiles.ts';

/** Batches that read profiles from Postgres at once. Fewer: processors idle while one waits; more: stores find no connection. */
const REBUILDING_BATCHES_MAX = 4;

/** The end of a rebuild, where there are too many. */
export function rebuildAhead({ kinds }: Profiles): Promise<unknown> | undefined {
  const underWay = new Set(kinds.flatMap(({ rebuilding }) => [...rebuilding.values()]));
  return underWay.size < REBUILDING_BATCHES_MAX ? undefined : Promise.race(underWay);
}

export const partiesOf = (
  folds: readonly KindFold[],
  of: (fold: KindFold) => readonly BatchParty[],
) => folds.flatMap((fold) => of(fold).map(({ party }) => ({ rebuilding: fold.rebuilding, party })));

/** Later batches wait for the parties until then. */
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
