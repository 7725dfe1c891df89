/** When scores were published: the only reader of the engine's events among the benches. */
import { streamsOf } from '../../src/stream/keys.ts';
import { MARKET } from './market.ts';
import type { Stores } from './services.ts';

const PAGE_ENTRIES = 1000;

/**
 * When the event of each transaction was appended, epoch milliseconds; transactions whose events were trimmed
 * are missing.
 */
export async function readPublished({ database, redis }: Stores): Promise<Map<string, number>> {
  const { rows } = await database.query<{ corridor: string }>('select corridor from corridors');
  const corridors = rows.map(({ corridor }) => corridor);
  const published = new Map<string, number>();
  for (const { scored } of streamsOf(MARKET, corridors, 1)) {
    let from = '-';
    for (;;) {
      const page = await redis.xrange(scored, from, '+', 'COUNT', PAGE_ENTRIES);
      for (const [id, fields] of page) {
        const scores = JSON.parse(fields[fields.indexOf('scores') + 1] ?? '[]') as [string][];
        const publishedMs = Number(id.split('-')[0]);
        for (const [transactionId] of scores) published.set(transactionId, publishedMs);
      }
      if (page.length < PAGE_ENTRIES) break;
      from = `(${page.at(-1)?.[0] ?? ''}`;
    }
  }
  return published;
}
