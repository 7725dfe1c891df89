/** The end of entries of Redis Streams, behind the breaker of Redis. */
import type { Market } from '../market.ts';
import { handEntriesOver } from '../stream/group/versions.ts';
import type { EntryEnds } from '../stream/settle/entry-ends.ts';
import { settle } from '../stream/settle/settle.ts';

export function createStreamEnds(market: Market): EntryEnds {
  return {
    settle: (settlements) => market.guards.redis.run(() => settle(market, settlements)),
    handOver: (entries) => handEntriesOver(market.redis, entries),
  };
}
