/**
 * `transaction.scored` in Kafka: the value of a record is the JSON of an event, whose schema is the file of its version in
 * `docs/schemas`.
 */
import { partitionOf, tagOf } from '../keys.ts';
import type { Settlement } from '../settle/settle.ts';
import type { LogRecord } from './divide-records.ts';
import { topicsOf } from './topics.ts';

export const SCORED_VERSION = 1;

/** An event for each entry that publishes scores; all of an event belong to one partition. */
export function toScoredRecords(market: string, settlements: readonly Settlement[]): LogRecord[] {
  return settlements.flatMap(({ stream, ended, isFrozen = false }) =>
    ended.flatMap(({ scores, scoredAtMs }) => {
      const rows = scores.flatMap(({ count, rows }) => (count > 0 ? rows : []));
      if (rows.length === 0) return [];
      const scoredAt = new Date(scoredAtMs).toISOString();
      // The rows are JSON already.
      const head = `"version":${SCORED_VERSION},"corridor":"${stream.corridor}","scored_at":"${scoredAt}"`;
      const frozen = isFrozen ? ',"releases_held":true' : '';
      return {
        topic: topicsOf(market, stream.corridor).scored,
        partition: partitionOf(stream.shard),
        key: tagOf(stream),
        value: Buffer.from(`{${head}${frozen},"scores":[${rows.join()}]}`),
        headers: { v: String(SCORED_VERSION) },
      };
    }),
  );
}
