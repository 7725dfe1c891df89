/**
 * The open rows that are in Redis: in an entry of a stream that is undelivered, pending or handed over, or in a retry. The
 * reconciler reads these rows, so that it appends no row that still waits.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { GROUP, type StreamKeys } from '../keys.ts';
import { loadScript, runScript, runScripts } from '../scripts.ts';

/** Consumer that adopts entries which nobody would deliver. */
const ADOPTER = 'adopted';
/** Longer than any worker leaves an entry alone. */
const ADOPTED_IDLE_MS = 86_400_000;
/** Entries of a page, each of up to 64 KiB: Redis copies them. */
const PAGE_ENTRIES = 100;
const PAGE_RETRIES = 500;

export type HeadPage = {
  readonly rowIds: readonly string[];
  /** Whether there are entries of version 2, which name no row. */
  readonly hasOld: boolean;
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
  /** The last entry of the page; null for retries, and where the page is empty. */
  readonly last: string | null;
};

export type HeadReader = {
  /** Makes entries of these streams pending again that nobody would deliver any more. Throws a Failure. */
  readonly adopt: (streams: readonly StreamKeys[]) => Promise<void>;
  /** @param from as XRANGE takes it. Throws a Failure. */
  readonly entries: (stream: StreamKeys, from: string) => Promise<HeadPage>;
  /** @param from null at first. Throws a Failure. */
  readonly retries: (stream: StreamKeys, from: string | null) => Promise<HeadPage>;
};

export function createHeadReader(redis: RedisClient): HeadReader {
  const adoptScript = loadScript('adopt-1');
  const entryScript = loadScript('read-heads-1');
  const retryScript = loadScript('read-retry-heads-1');
  return {
    async adopt(streams) {
      let left = streams.map(({ transactions }) => ({ key: transactions, from: '-' }));
      while (left.length > 0) {
        // All together, as most streams are empty and an idle engine looks at each of them once a second.
        const calls = left.map(({ key, from }) => ({
          keys: [key],
          args: [GROUP, from, PAGE_ENTRIES, ADOPTER, ADOPTED_IDLE_MS],
        }));
        const replies = await runScripts(redis, adoptScript, calls);
        left = left.flatMap(({ key }, nth) => {
          const reply = replies[nth];
          if (reply instanceof Failure) throw reply;
          if (!Array.isArray(reply)) throw unexpected('adopt');
          return reply[1] === '' ? [] : { key, from: String(reply[1]) };
        });
      }
    },
    async entries({ transactions }, from) {
      const args = [from, PAGE_ENTRIES];
      const reply = await runScript(redis, entryScript, { keys: [transactions], args });
      if (!Array.isArray(reply)) throw unexpected('read-heads');
      const [last, entries, old, rowIds] = reply;
      const isEnd = Number(entries) < PAGE_ENTRIES;
      return {
        rowIds,
        hasOld: Number(old) > 0,
        next: isEnd ? null : `(${last}`,
        last: last === '' ? null : String(last),
      };
    },
    async retries({ retries }, from) {
      const args = [from ?? '0', PAGE_RETRIES];
      const reply = await runScript(redis, retryScript, { keys: [retries], args });
      if (!Array.isArray(reply)) throw unexpected('read-retry-heads');
      const [cursor, old, rowIds] = reply;
      const next = cursor === '0' ? null : String(cursor);
      return { rowIds, hasOld: Number(old) > 0, next, last: null };
    },
  };
}
