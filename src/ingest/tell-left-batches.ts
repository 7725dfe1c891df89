/** Tells the profiles of labels whose request ended between its commit and telling them. */
import type { LabelBatch } from '../store/label-batches.ts';
import type { TellProfiles } from './tell-profiles.ts';

export type TellLeftBatchesDependencies = {
  readonly listLabelBatches: (
    agedMs: number,
    transactionsMax: number,
  ) => Promise<readonly LabelBatch[]>;
  readonly deleteLabelBatches: (batchIds: readonly string[]) => Promise<void>;
  readonly tellProfiles: TellProfiles;
  /** A request that is younger may be at it itself. */
  readonly batchAgeMs: number;
  /** Told of the age of the oldest batch that profiles were not told of; 0 when there is none. */
  readonly reportAge: (ageMs: number) => void;
};

/** A page holds so many, whose profiles are told at once: single labels come by the thousand a second. */
const PAGE_TRANSACTIONS = 1000;

export async function tellLeftBatches(
  dependencies: TellLeftBatchesDependencies,
  signal: AbortSignal,
): Promise<number> {
  const { listLabelBatches, deleteLabelBatches, tellProfiles, batchAgeMs, reportAge } =
    dependencies;
  let told = 0;
  while (!signal.aborted) {
    const page = await listLabelBatches(batchAgeMs, PAGE_TRANSACTIONS);
    const [oldest] = page;
    // Before they are told: it has to be seen while that fails.
    reportAge(oldest?.ageMs ?? 0);
    if (oldest === undefined) break;
    await tellProfiles(page.flatMap(({ transactionIds }) => transactionIds));
    await deleteLabelBatches(page.map(({ batchId }) => batchId));
    told += page.length;
  }
  return told;
}
