/**
 * Finds streams that have lost entries since the last check: a stream or its retries were deleted, a node was
 * emptied, or it continues with older data. A stream without an earlier check has lost nothing.
 */
import { readStreamProofs, writeStreamProofs } from '../store/recovery/stream-proofs.ts';
import { SHARDS_MAX, type StreamKeys } from '../stream/keys.ts';
import { findBroken, type ProvenStream, plantTokens } from '../stream/status/continuity.ts';
import { listStreams, type Market } from './market.ts';

type Continued = {
  /**
   * Names of the streams whose lost transactions are owed: all streams of the corridor, as one that is no
   * longer used may be concerned.
   */
  readonly owing: ReadonlySet<string>;
  /** Records the new proofs. The caller has recorded before that something is owed. */
  readonly renew: () => Promise<void>;
};

export type ProveStreams = () => Promise<Continued>;

/** Takes two round trips to Postgres and one to Redis where nothing was lost. Throws a Failure. */
export function createProveStreams(market: Market): ProveStreams {
  const { database, writes, redis, shards } = market;
  /** Whether transactions are appended to it now. */
  const isInUse = ({ shard }: StreamKeys) => shard < shards;
  return async () => {
    const [streams, proofs] = await Promise.all([
      listStreams(market, SHARDS_MAX),
      readStreamProofs(database),
    ]);
    const proven: ProvenStream[] = [];
    const unknown: StreamKeys[] = [];
    for (const stream of streams) {
      const proof = proofs.get(stream.transactions);
      if (proof !== undefined) proven.push({ stream, proof });
      else if (isInUse(stream)) unknown.push(stream);
    }
    const broken = await findBroken(redis, proven);
    const corridors = new Set(broken.map(({ stream }) => stream.corridor));
    const owing = streams.filter((one) => isInUse(one) && corridors.has(one.corridor));
    return {
      owing: new Set(owing.map(({ transactions }) => transactions)),
      renew: async () => {
        if (broken.length + unknown.length === 0) return;
        const gone = broken.filter(({ proof }) => proof === null).map(({ stream }) => stream);
        const planted = [
          ...(await plantTokens(redis, unknown, false)),
          ...(await plantTokens(redis, gone, true)),
        ];
        const renewed = [...broken, ...planted].flatMap(({ stream, proof }) =>
          proof === null ? [] : [[stream.transactions, proof] as const],
        );
        await writeStreamProofs(writes, new Map(renewed));
      },
    };
  };
}
