/**
 * Invalidates cached profiles after a label changed their history: those of the parties of each transaction
 * that was ever labelled fraud. A label that says legitimate changes nothing where no label said fraud, and an
 * unchanged history needs no rebuild. The labels are read after the commit: of two requests about one
 * transaction the later reader sees both.
 */
import type { Parties } from '../store/labels/labels.ts';
import type { InvalidateProfiles } from '../stream/profiles/invalidate-profiles.ts';

export type TellProfilesDependencies = {
  /** Returns the parties of those transactions that have a label that says fraud. */
  readonly findFraudParties: (transactionIds: readonly string[]) => Promise<readonly Parties[]>;
  readonly invalidateProfiles: InvalidateProfiles;
};

/** Resolves when every later fold sees these transactions' labels. Throws a Failure. */
export type TellProfiles = (transactionIds: readonly string[]) => Promise<void>;

export function createTellProfiles({
  findFraudParties,
  invalidateProfiles,
}: TellProfilesDependencies): TellProfiles {
  return async (transactionIds) => {
    const found = await findFraudParties(transactionIds);
    const accounts = new Set(found.map(({ accountId }) => accountId));
    const merchants = new Set(found.map(({ merchantId }) => merchantId));
    await invalidateProfiles([
      ...[...accounts].map((id) => ({ kind: 'account' as const, id })),
      ...[...merchants].map((id) => ({ kind: 'merchant' as const, id })),
    ]);
  };
}
