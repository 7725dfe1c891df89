/**
 * The open rows that are in Redis: in an entry of a stream, be it delivered or not, or in a retry. The reconciler reads these
 * rows, so that it appends no row that still waits.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ENTRY_VERSION } from '../entries/entry.ts';
import { GROUP, type StreamKeys } from '../keys.ts';
import {
  loadForStreams,
  loadScript,
  runForStreams,
  runScript,
  runScripts,
  type ScriptArgument,
  type ScriptForStreams,
} from '../scripts.ts';

/** Consumer that adopts entries which nobody would deliver. */
const ADOPTER = 'adopted';
/** Longer than any worker leaves an entry alone. */
const ADOPTED_IDLE_MS = 86_400_000;
/**
 * How long an entry of another version waits for a worker that reads it. Longer: what a release left that is gone is scored later.
 * Shorter: what the next worker of that release would read is appended anew.
 */
export const UNREAD_MS = 10 * 60_000;
/** Entries of a page, each of up to 64 KiB: Redis copies them. */
const PAGE_ENTRIES = 100;
const PAGE_RETRIES = 500;

export type HeadPage = {
  readonly rowIds: readonly string[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
  /** The last entry of the page; null for retries, and where the page is empty. */
  readonly last: string | null;
};

export type HeadReader = ReturnType<typeof createHeadReader>;

export function createHeadReader(redis: RedisClient) {
  const dropScript = loadForStreams('drop-unread-2');
  const adoptScript = loadForStreams('adopt-1');
  const entryScript = loadScript('read-heads-1');
  const retryScript = loadScript('read-retry-heads-1');
  return {
    /** Takes entries out of these streams that no worker has read for UNREAD_MS. Throws a Failure. */
    dropUnread: (streams: readonly StreamKeys[]) =>
      walk(
        dropScript,
        streams.map(({ transactions, counts }) => [transactions, counts]),
        (from) => [GROUP, ENTRY_VERSION, UNREAD_MS, from, PAGE_ENTRIES],
      ),
    /** Makes entries of these streams pending again that nobody would deliver any more. Throws a Failure. */
    adopt: (streams: readonly StreamKeys[]) =>
      walk(
        adoptScript,
        streams.map(({ transactions }) => [transactions]),
        (from) => [GROUP, from, PAGE_ENTRIES, ADOPTER, ADOPTED_IDLE_MS],
      ),
    /** @param from as XRANGE takes it. Throws a Failure. */
    async entries({ transactions }: StreamKeys, from: string): Promise<HeadPage> {
      const args = [from, PAGE_ENTRIES];
      const reply = await runScript(redis, entryScript, { keys: [transactions], args });
      if (!Array.isArray(reply)) throw unexpected('read-heads');
      const [last, entries, rowIds] = reply;
      const isEnd = Number(entries) < PAGE_ENTRIES;
      return {
        rowIds,
        next: isEnd ? null : `(${last}`,
        last: last === '' ? null : String(last),
      };
    },
    /** @param from null at first. Throws a Failure. */
    async retries({ retries }: StreamKeys, from: string | null): Promise<HeadPage> {
      const args = [from ?? '0', PAGE_RETRIES];
      const reply = await runScript(redis, retryScript, { keys: [retries], args });
      if (!Array.isArray(reply)) throw unexpected('read-retry-heads');
      const [cursor, rowIds] = reply;
      const next = cursor === '0' ? null : String(cursor);
      return { rowIds, next, last: null };
    },
  };

  /** Calls a script page by page, until it has returned '' in place of a next page for all keys. */
  async function walk(
    script: ScriptForStreams,
    all: readonly (readonly string[])[],
    argsFrom: (from: string) => readonly ScriptArgument[],
  ): Promise<void> {
    // A call asks many streams, as most are empty and an idle engine asks each once a second.
    let replies = await runForStreams(redis, script, all, argsFrom('-'));
    let keys = all;
    while (keys.length > 0) {
      const left = keys.flatMap((own, nth) => {
        const reply = replies[nth];
        if (reply instanceof Failure) throw reply;
        if (!Array.isArray(reply)) throw unexpected('a walk through a stream');
        return reply[1] === '' ? [] : [{ keys: own, args: argsFrom(String(reply[1])) }];
      });
      keys = left.map((call) => call.keys);
      replies = await runScripts(redis, script.each, left);
    }
  }
}
