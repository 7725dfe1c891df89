/** Writes down which entries a log has delivered of corridors that have both, so that people see whether they deliver the same. */
import { createHash } from 'node:crypto';
import type { Market } from '../market.ts';
import { type LogDelivery, noteDeliveries } from '../store/log-deliveries/log-deliveries.ts';
import type { EntryOrigin } from '../stream/entries/entry-head.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import { partitionOf } from '../stream/keys.ts';
import type { EntryTransaction } from './decided.ts';

/** Retries and what is given back stay in the log that delivered them first. */
const MIRRORED: readonly EntryOrigin[] = ['ingest', 'reconciled', 'replay'];

/** May run again for the same transactions. Throws a Failure. */
export type NoteDelivered = (transactions: readonly EntryTransaction[]) => Promise<void>;

export function createNoteDelivered(
  { database, comparedOf }: Pick<Market, 'database' | 'comparedOf'>,
  log: 'streams' | 'kafka',
): NoteDelivered {
  const isCompared = ({ entry, head, transaction }: EntryTransaction): boolean => {
    const { corridor } = entry.stream;
    const compared = comparedOf(corridor);
    if (compared === null || entry.carried > 0 || !MIRRORED.includes(head.origin)) return false;
    const { receivedAtMs } = transaction;
    return receivedAtMs >= compared.fromMs && receivedAtMs <= (compared.toMs ?? receivedAtMs);
  };
  return async (transactions) => {
    const compared = transactions.filter(isCompared);
    if (compared.length === 0) return;
    const groups = Map.groupBy(compared, ({ entry }) => entry);
    const deliveries = Array.from(
      groups,
      ([entry, group]): LogDelivery => ({
        corridor: entry.stream.corridor,
        digest: digestOf(entry),
        receivedAtMs: group[0]?.transaction.receivedAtMs ?? 0,
        transactionIds: group.map(({ transaction }) => transaction.transactionId),
        shard: partitionOf(entry.stream.shard),
      }),
    );
    await noteDeliveries(database.query, log, deliveries);
  };
}

function digestOf({ version, transactions, head, packed }: StreamEntry): Buffer {
  const hash = createHash('sha256').update(`${version}\n${transactions}\n${head}\n`);
  return hash.update(packed ?? '').digest();
}
