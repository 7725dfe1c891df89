/**
 * Tells the profiles what became known: those of the parties of each transaction that was ever labelled fraud are
 * made invalid. A label that says legitimate changes nothing where nobody said fraud, and what nobody changed costs
 * no rebuild. Asked after the commit: of two requests about one transaction the one that looks last sees both.
 */
import type { Parties } from '../store/labels.ts';
import type { InvalidateProfiles } from '../stream/invalidate-profiles.ts';

export type TellProfilesDependencies = {
  /** Whose those transactions are that have a label that says fraud. */
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
