/** Chooses the log of each entry by its corridor. One log that takes an entry suffices: the other one's lack shows in the comparison. */
import type { CorridorLog } from '../../domain/corridor-settings.ts';
import type { EntryPayload } from '../entries/entry.ts';
import type { TryAppendToKafka } from './append.ts';

type Append = (payloads: readonly EntryPayload[]) => Promise<readonly EntryPayload[]>;

/**
 * Each log resolves to what it did not append.
 * @param toKafka undefined where the process knows no Kafka: Streams take all
 */
export function appendToLogs(
  toStreams: Append,
  toKafka: TryAppendToKafka | undefined,
  logOf: (corridor: string) => CorridorLog,
): Append {
  if (toKafka === undefined) return toStreams;
  return async (payloads) => {
    if (payloads.every((one) => logOf(one.transaction.corridor) === 'streams')) {
      return await toStreams(payloads);
    }
    const groups = Object.groupBy(payloads, (one) => logOf(one.transaction.corridor));
    const { streams = [], both = [], kafka = [] } = groups;
    const [left, unmirrored, leftByKafka] = await Promise.all([
      toStreams([...streams, ...both]),
      toKafka(both),
      toKafka(kafka),
    ]);
    const lacking = new Set(unmirrored);
    const mirrored = new Set(both.filter((one) => !lacking.has(one)));
    return [...left.filter((one) => !mirrored.has(one)), ...leftByKafka];
  };
}
