/**
 * Invalidates cached profiles after a label changed their history: those of the parties of each transaction
 * that was ever labelled fraud. A label that says legitimate changes nothing where no label said fraud, and an
 * unchanged history needs no rebuild. The labels are read after the commit: of two requests about one
 * transaction the later reader sees both.
 */
import type { Guard } from '../../kit/breakers/breaker.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { PartyKind } from '../domain/transaction.ts';
import { type AllParties, findFraudParties } from '../store/labels/labelled-transactions.ts';
import { invalidateProfiles, type Party } from '../stream/profiles/invalidate-profiles.ts';

/** Resolves when every later fold sees these transactions' labels. Throws a Failure. */
export type InvalidateLabelled = (transactionIds: readonly string[]) => Promise<void>;

/** @param guard the breaker of Redis */
export function openInvalidateLabelled(
  { query }: Pick<Database, 'query'>,
  redis: RedisClient,
  market: string,
  guard: Guard,
): InvalidateLabelled {
  return createInvalidateLabelled(
    (transactionIds) => findFraudParties(query, transactionIds),
    (parties) => guard(() => invalidateProfiles(redis, market, parties)),
  );
}

/** @param findFraud returns the parties of those transactions that have a label that says fraud */
export function createInvalidateLabelled(
  findFraud: (transactionIds: readonly string[]) => Promise<readonly AllParties[]>,
  invalidate: (parties: readonly Party[]) => Promise<void>,
): InvalidateLabelled {
  return async (transactionIds) => {
    const found = await findFraud(transactionIds);
    const ofKind = (kind: PartyKind, idOf: (parties: AllParties) => string | null): Party[] =>
      [...new Set(found.map(idOf))].flatMap((id) => (id === null ? [] : { kind, id }));
    await invalidate([
      ...ofKind('account', ({ accountId }) => accountId),
      ...ofKind('merchant', ({ merchantId }) => merchantId),
      ...ofKind('device', ({ deviceId }) => deviceId),
      ...ofKind('address', ({ ipParty }) => ipParty),
    ]);
  };
}
