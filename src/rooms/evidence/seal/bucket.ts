/** The newest checkpoint in an object store, apart from the database and from the folder of published checkpoints. */
import { bodyOf, openObjectStore } from '../../../kit/client/object-store.ts';
import type { Config } from '../../../kit/config/config.ts';
import { originOf, publishedName } from '../settings.ts';

export type CheckpointBucket = NonNullable<ReturnType<typeof openCheckpointBucket>>;

const ABSENT = 404;

/** @returns undefined without `RISK_EVIDENCE_BUCKET` */
export function openCheckpointBucket(config: Config, origin = originOf(config)) {
  if (config.RISK_EVIDENCE_BUCKET === undefined) return undefined;
  const { name, ask } = openObjectStore(config.RISK_EVIDENCE_BUCKET, config);
  const object = publishedName(origin);
  let known: string | null = null;
  return {
    /** `s3://BUCKET/PREFIX/OBJECT` */
    name: `${name}/${object}`,
    /** Returns the checkpoint that was written last; undefined before the first. */
    read: async () => {
      const { status, bytes, etag } = await ask(object, { allowed: ABSENT });
      known = status === ABSENT ? null : etag;
      return status === ABSENT ? undefined : bytes.toString();
    },
    /**
     * Resolves once the store has the checkpoint; a bucket with versions keeps those before.
     * @throws Failure where another process has written since `read`, as a leader that stood still would write an older checkpoint
     */
    write: async (note: string) => {
      const { headers, ...put } = bodyOf(note);
      const since = known === null ? { 'If-None-Match': '*' } : { 'If-Match': known };
      const { etag } = await ask(object, { ...put, headers: { ...headers, ...since } });
      known = etag;
    },
  };
}
