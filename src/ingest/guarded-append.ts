/**
 * The producer behind breakers: where a stream cannot be written, its entries are left to the reconciler and
 * other corridors go on; only failures of Redis itself are thrown.
 */
import { Failure } from '../domain/failure.ts';
import type { Breaker } from '../runtime/breaker.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import type { AppendEntries } from './append-entries.ts';

export type GuardedAppendDependencies = {
  readonly append: AppendEntries;
  readonly redis: Breaker;
  readonly streamsOf: (corridor: string) => Breaker;
  readonly isStreamAtFault: (thrown: unknown) => boolean;
};

export function createGuardedAppend({
  append,
  redis,
  streamsOf,
  isStreamAtFault,
}: GuardedAppendDependencies): AppendEntries {
  const isOfStream = (thrown: unknown) =>
    isStreamAtFault(thrown) ||
    (thrown instanceof Failure && thrown.code === 'BREAKER_OPEN' && redis.state() === 'closed');
  const appendGroup = async (corridor: string, group: readonly EntryPayload[]) => {
    try {
      return await streamsOf(corridor).run(() => redis.run(() => append(group)));
    } catch (error) {
      if (isOfStream(error)) return { appended: 0, left: group };
      throw error;
    }
  };
  return async (payloads) => {
    const groups = Map.groupBy(payloads, ({ transaction }) => transaction.corridor);
    const results = await Promise.all(
      [...groups].map(([corridor, group]) => appendGroup(corridor, group)),
    );
    return {
      appended: results.reduce((sum, result) => sum + result.appended, 0),
      left: results.flatMap((result) => result.left),
    };
  };
}
