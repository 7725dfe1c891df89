/** When scores were published: the only reader of the engine's events among the benches. */
import { setTimeout as delay } from 'node:timers/promises';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { MARKET } from './market.ts';
import type { Stores } from './services.ts';

const PAGE_ENTRIES = 1000;
/** The engine drops the oldest events beyond its budget, which holds those of several seconds. */
const PAUSE_MS = 1000;

export type FollowedEvents = {
  /** When the event of each transaction was appended, epoch milliseconds. Reads what is there, and ends. */
  readonly end: () => Promise<ReadonlyMap<string, number>>;
};

/** Reads events as they are appended, those that are there already included. */
export async function followPublished({ database, redis }: Stores): Promise<FollowedEvents> {
  const { rows } = await database.query<{ corridor: string }>('select corridor from corridors');
  const corridors = rows.map(({ corridor }) => corridor);
  const places = corridors.map((corridor) => ({
    scored: streamKeys(MARKET, corridor, 0).scored,
    from: '-',
  }));
  const published = new Map<string, number>();
  const readNext = async (place: { readonly scored: string; from: string }) => {
    const page = await redis.xrange(place.scored, place.from, '+', 'COUNT', PAGE_ENTRIES);
    for (const [id, fields] of page) {
      const scores = JSON.parse(fields[fields.indexOf('scores') + 1] ?? '[]') as [string][];
      const publishedMs = Number(id.split('-')[0]);
      for (const [transactionId] of scores) published.set(transactionId, publishedMs);
      place.from = `(${id}`;
    }
    return page.length === PAGE_ENTRIES;
  };
  const readAll = async () => {
    for (const place of places) {
      while (await readNext(place));
    }
  };
  const over = new AbortController();
  const follow = async () => {
    while (!over.signal.aborted) {
      await readAll();
      await delay(PAUSE_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const following = follow();
  // A failure is thrown where it is ended.
  following.catch(() => undefined);
  return {
    async end() {
      over.abort();
      await following;
      await readAll();
      return published;
    },
  };
}
