/**
 * Reads waiting transactions stream by stream: for the checker, and as evidence of what a dead process left.
 */
import { decodeEntry } from '../../../src/core/stream/entries/entry.ts';
import { toEntry } from '../../../src/core/stream/group/read-group.ts';
import { GROUP, isPast, type StreamKeys, streamsOf } from '../../../src/core/stream/keys.ts';
import type { RedisClient } from '../../../src/kit/redis/connection.ts';
import { NOBODY, scoresOf } from '../../support/stream-entries.ts';
import type { Query } from './sessions.ts';

/** A session in Postgres and one in Redis. */
export type Sessions = { readonly query: Query; readonly client: RedisClient };

export const MARKET = 'market_0';
const PAGE_ENTRIES = 5000;

export async function allStreams({ query }: Pick<Sessions, 'query'>): Promise<StreamKeys[]> {
  const rows = await query<{ corridor: string; shards: number }>(
    `select corridor, coalesce(shards, 1)::int as shards
       from corridors left join corridor_settings using (corridor) order by corridor`,
  );
  const shards = new Map(rows.map((row) => [row.corridor, row.shards]));
  return streamsOf(MARKET, shards.keys(), (corridor) => shards.get(corridor) ?? 1);
}

/** Each has the events and the dead letters of its past. */
async function liveStreams(stores: Sessions): Promise<StreamKeys[]> {
  return (await allStreams(stores)).filter(({ shard }) => !isPast(shard));
}

export async function countWaiting(stores: Sessions) {
  const { client: redis } = stores;
  /** Entries in the streams: undelivered, or delivered and not acknowledged. */
  const waiting = { entries: 0, pending: 0, retries: 0 };
  for (const keys of await allStreams(stores)) {
    waiting.entries += await redis.xlen(keys.transactions);
    waiting.retries += await redis.zcount(keys.retries, '-inf', '(+inf');
    waiting.pending += await countPending(redis, keys);
  }
  return waiting;
}

async function countPending(redis: RedisClient, { transactions }: StreamKeys): Promise<number> {
  const [count] = (await redis.xpending(transactions, GROUP).catch(ignoreMissingGroup)) ?? [];
  return Number(count ?? 0);
}

/** A wiped Redis has no group until a worker recreates it: nothing is pending then. */
function ignoreMissingGroup(error: unknown): null {
  if (String(error).includes('NOGROUP')) return null;
  throw error;
}

/** Transactions that were delivered to consumers of a process and not acknowledged by them. */
export async function heldBy(stores: Sessions, pid: number): Promise<string[]> {
  const { client: redis } = stores;
  const held: string[] = [];
  for (const { transactions } of await allStreams(stores)) {
    const pending = (await redis
      .xpending(transactions, GROUP, '-', '+', PAGE_ENTRIES)
      .catch(ignoreMissingGroup)) as [string, string][] | null;
    const ids = (pending ?? []).filter(([, consumer]) => consumer.includes(`-${pid}-`));
    const page = redis.pipeline();
    for (const [id] of ids) page.xrangeBuffer(transactions, id, id);
    for (const [, entries] of (await page.exec()) ?? []) {
      const [entry] = entries as [Buffer, Buffer[]][];
      if (entry !== undefined) held.push(...idsOf(entry));
    }
  }
  return held;
}

function idsOf([id, fields]: readonly [Buffer, readonly Buffer[]]): string[] {
  const { transactions } = decodeEntry(toEntry(String(id), fields, NOBODY, 1));
  return transactions.map(({ transactionId }) => transactionId);
}

/** Ids with a score in a `transaction.scored` event, and how many scores there are. */
export async function readScoredEvents(
  stores: Sessions,
): Promise<{ readonly ids: Set<string>; readonly events: number }> {
  const { client: redis } = stores;
  const ids = new Set<string>();
  let events = 0;
  for (const { scored } of await liveStreams(stores)) {
    for (let from = '-'; ; ) {
      const page = await redis.xrange(scored, from, '+', 'COUNT', PAGE_ENTRIES);
      for (const [id] of page.flatMap(([, fields]) => scoresOf(fields))) {
        events += 1;
        ids.add(id);
      }
      const last = page.at(-1)?.[0];
      if (page.length < PAGE_ENTRIES || last === undefined) break;
      from = `(${last}`;
    }
  }
  return { ids, events };
}

/** Copies in the streams of dead letters, by transaction. */
export async function countDeadLetterCopies(stores: Sessions): Promise<Map<string, number>> {
  const copies = new Map<string, number>();
  for (const { deadLetters } of await liveStreams(stores)) {
    for (const [, fields] of await stores.client.xrange(deadLetters, '-', '+')) {
      const message = fields[fields.indexOf('message') + 1] ?? '{}';
      const { transaction_id: id = '' } = JSON.parse(message) as { transaction_id?: string };
      copies.set(id, (copies.get(id) ?? 0) + 1);
    }
  }
  return copies;
}
