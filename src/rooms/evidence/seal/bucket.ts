/** The newest checkpoint in an object store, apart from the database and from the folder of published checkpoints. */
import { bodyOf, openObjectStore } from '../../../kit/client/object-store.ts';
import type { Config } from '../../../kit/config/config.ts';
import { originOf, publishedName } from '../settings.ts';

export type CheckpointBucket = {
  /** `s3://BUCKET/PREFIX/OBJECT` */
  readonly name: string;
  /** Returns the checkpoint that was written last; undefined before the first. */
  readonly read: () => Promise<string | undefined>;
  /** Resolves once the store has the checkpoint; a bucket with versions keeps those before. */
  readonly write: (note: string) => Promise<void>;
};

const ABSENT = 404;

/** @returns undefined without `RISK_EVIDENCE_BUCKET` */
export function openCheckpointBucket(
  config: Config,
  origin = originOf(config),
): CheckpointBucket | undefined {
  if (config.RISK_EVIDENCE_BUCKET === undefined) return undefined;
  const { name, ask } = openObjectStore(config.RISK_EVIDENCE_BUCKET, config);
  const object = publishedName(origin);
  return {
    name: `${name}/${object}`,
    read: async () => {
      const { status, bytes } = await ask(object, { allowed: ABSENT });
      return status === ABSENT ? undefined : bytes.toString();
    },
    write: async (note) => {
      await ask(object, bodyOf(note));
    },
  };
}
