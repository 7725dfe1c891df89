/**
 * Which streams have lost something since they were last looked at, of themselves: one was deleted, or its retries, a node
 * was emptied, or continues with older data. A stream that was never looked at has lost nothing.
 */
import type { Continuity, ProvenStream, StreamProof } from '../stream/continuity.ts';
import type { StreamKeys } from '../stream/keys.ts';

export type ProveStreamsDependencies = Continuity & {
  /** All that streams may be, also where nothing is written any more. */
  readonly listStreams: () => Promise<readonly StreamKeys[]>;
  /** Whether transactions are appended to it now. */
  readonly isInUse: (stream: StreamKeys) => boolean;
  /** Proofs have the name of their stream as key. */
  readonly readProofs: () => Promise<ReadonlyMap<string, StreamProof>>;
  readonly writeProofs: (proofs: ReadonlyMap<string, StreamProof>) => Promise<void>;
};

export type Continued = {
  /** Names of the streams that are owed what was lost: all of a corridor, as one that is no longer used may be meant. */
  readonly owing: ReadonlySet<string>;
  /** Proves them from now on. The caller has noted before that something is owed. */
  readonly renew: () => Promise<void>;
};

export type ProveStreams = () => Promise<Continued>;

/** Two round trips to Postgres and one to Redis where nothing was lost. Throws a Failure. */
export function createProveStreams(dependencies: ProveStreamsDependencies): ProveStreams {
  const { listStreams, isInUse, readProofs, writeProofs, findBroken, plant } = dependencies;
  return async () => {
    const [streams, proofs] = await Promise.all([listStreams(), readProofs()]);
    const proven: ProvenStream[] = [];
    const unknown: StreamKeys[] = [];
    for (const stream of streams) {
      const proof = proofs.get(stream.transactions);
      if (proof !== undefined) proven.push({ stream, proof });
      else if (isInUse(stream)) unknown.push(stream);
    }
    const broken = await findBroken(proven);
    const corridors = new Set(broken.map(({ stream }) => stream.corridor));
    const owing = streams.filter((one) => isInUse(one) && corridors.has(one.corridor));
    return {
      owing: new Set(owing.map(({ transactions }) => transactions)),
      renew: async () => {
        if (broken.length + unknown.length === 0) return;
        const gone = broken.filter(({ proof }) => proof === null).map(({ stream }) => stream);
        const planted = [...(await plant(unknown, false)), ...(await plant(gone, true))];
        const renewed = [...broken, ...planted].flatMap(({ stream, proof }) =>
          proof === null ? [] : [[stream.transactions, proof] as const],
        );
        await writeProofs(new Map(renewed));
      },
    };
  };
}
