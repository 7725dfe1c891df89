/** Checkpoints in a real object store: an owner of the database who has the folder as well, and forgets the log, is found out. */
import { generateKeyPairSync } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storeSealed } from '../../bench/support/sealed-scores.ts';
import type { ServicesOptions } from '../../bench/support/services.ts';
import type { Config } from '../../src/kit/config/config.ts';
import { toSigningKey } from '../../src/rooms/evidence/log/checkpoint.ts';
import { openCheckpointBucket } from '../../src/rooms/evidence/seal/bucket.ts';
import { createSealer, type SealerRun } from '../../src/rooms/evidence/seal/duty.ts';
import { readPublished } from '../../src/rooms/evidence/seal/published.ts';

const ORIGIN = 's3.example.com/market_0';
const SCORES = 2000;
const LOG_TABLES = ['evidence_entries', 'evidence_tiles', 'evidence_logs'];

/** @param config with `RISK_EVIDENCE_BUCKET` */
export async function tryCheckpoints(
  options: ServicesOptions & { readonly folder: string },
  config: Config,
  check: (what: string, isSo: boolean, seen?: unknown) => void,
): Promise<void> {
  const path = join(options.folder, 'checkpoints');
  const bucket = openCheckpointBucket(config, ORIGIN);
  const keys = [toSigningKey(generateKeyPairSync('ed25519').privateKey)];
  const log = { origin: ORIGIN, keys, path, bucket };
  await using sealed = await storeSealed(options, { ...log, scores: SCORES });
  const { database, ids } = sealed;
  const [inBucket, inFile] = [await bucket?.read(), await readPublished(path)];
  check('the newest checkpoint is in the bucket', inFile !== undefined && inBucket === inFile);

  const [slow, fast] = [openCheckpointBucket(config, ORIGIN), openCheckpointBucket(config, ORIGIN)];
  await slow?.read();
  await fast?.read();
  await fast?.write('of its successor');
  const late = await slow?.write('older').catch((error: Error) => error.message);
  check('a leader that stood still writes nothing over its successor', /412/.test(String(late)));
  await fast?.write(inBucket ?? '');

  await rm(path);
  for (const table of LOG_TABLES) await database.query({ text: `delete from market.${table}` });
  const text = 'update market.scores set attempts = 5 - attempts where transaction_id = $1';
  await database.query({ text }, [ids[0]]);
  const sealAnew = async (by: typeof bucket): Promise<SealerRun> => {
    const sealer = createSealer({
      ...{ ...log, bucket: by, database, checkpointMs: 0, log: options.log },
    });
    for (;;) {
      const run = await sealer.run(Date.now());
      if (run.isRefused || !run.mayHaveMore) return run;
    }
  };
  const { isRefused } = await sealAnew(bucket);
  check('a log that begins anew is refused for the checkpoint in the bucket', isRefused);
  check('the refused log published nothing', (await bucket?.read()) === inBucket);
  check('without the bucket nobody refuses it', !(await sealAnew(undefined)).isRefused);
}
