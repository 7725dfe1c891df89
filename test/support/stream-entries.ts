/** Reads the entries of streams as the engine does, and appends entries made by hand. */
import {
  ENTRY_VERSION,
  type EntryPayload,
  type PackedEntry,
} from '../../src/core/stream/entries/entry.ts';
import { toEntry } from '../../src/core/stream/group/read-group.ts';
import { type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import type { RedisClient } from '../../src/kit/redis/connection.ts';
import { payloadsOf } from './delivered.ts';

/** The owner of entries that nobody was given. */
export const NOBODY = { stream: streamKeys('', '', 0), consumer: '' };

/** Transactions of a stream, in the order of their entries. */
export async function readEntries(
  redis: Pick<RedisClient, 'xrangeBuffer'>,
  stream: string,
): Promise<EntryPayload[]> {
  const entries = await redis.xrangeBuffer(stream, '-', '+');
  return entries.flatMap(([id, fields]) => payloadsOf(toEntry(String(id), fields, NOBODY, 1)));
}

/** Takes entries off the front of a stream without settling them; returns their transactions. */
export async function takeEntries(
  redis: Pick<RedisClient, 'xrangeBuffer' | 'xdel' | 'hincrby'>,
  { transactions, counts }: StreamKeys,
  entriesMax: number,
): Promise<string[]> {
  const taken: string[] = [];
  const entries = await redis.xrangeBuffer(transactions, '-', '+', 'COUNT', entriesMax);
  for (const [id, fields] of entries) {
    const payloads = payloadsOf(toEntry(String(id), fields, NOBODY, 1));
    taken.push(...payloads.map(({ transaction }) => transaction.transactionId));
    await redis.xdel(transactions, String(id));
    await redis.hincrby(counts, 'transactions', -payloads.length);
  }
  return taken;
}

/** Fields of an entry, for XADD. */
export function fieldsOf({ transactions, head, packed }: PackedEntry): (string | Buffer)[] {
  return ['v', ENTRY_VERSION, 'n', String(transactions), 'h', head, 'd', packed];
}

/** A row of a `transaction.scored` event. */
export type ScoredRow = readonly [
  transactionId: string,
  accountId: string,
  merchantId: string,
  score: number,
  risk: number,
  verdict: string,
  reasonCodes: readonly string[],
];

/** Scores of all events of a stream, oldest first. */
export async function readScored(
  redis: Pick<RedisClient, 'xrange'>,
  stream: string,
): Promise<ScoredRow[]> {
  const events = await redis.xrange(stream, '-', '+');
  return events.flatMap(([, fields]) => scoresOf(fields));
}

export function scoresOf(fields: readonly string[]): ScoredRow[] {
  return JSON.parse(fields[fields.indexOf('scores') + 1] ?? '[]') as ScoredRow[];
}
