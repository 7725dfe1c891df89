/** Requests for evidence of a log that has been sealed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSealer } from '../../../../src/rooms/evidence/seal/duty.ts';
import { silentLog } from '../../config.ts';
import type { RunningApi } from '../../running-api.ts';
import { makeKeys, ORIGIN, sealAll } from './rig.ts';

/** Answers that a log has to give. */
export const PROVEN = ['checkpoint', 'consistency', 'scores/{id}', 'audit/{id}'].map(
  (path) => `GET /v1/evidence/${path} 200`,
);

const WAIT = 'insert into market.outbox_evidence (transaction_ids) values (array[$1::uuid])';

/** @param scored an id with a score, sealed here @param unknown one without */
export async function evidencePaths(
  { database }: Pick<RunningApi, 'database'>,
  scored: string,
  unknown: string,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'risk-evidence-'));
  try {
    const path = join(folder, 'checkpoints');
    const keys = makeKeys();
    const log = silentLog();
    const sealer = createSealer({ database, origin: ORIGIN, keys, path, checkpointMs: 0, log });
    await sealAll(sealer);
    await database.query({ text: WAIT }, [scored]);
    await sealAll(sealer);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [
    'checkpoint',
    'checkpoint?x=1',
    'consistency?from=1',
    'consistency?from=x',
    'consistency?from=99999',
    'consistency',
    'audit/1',
    'audit/0',
    'audit/999999',
    ...[scored, unknown, 'x'].map((id) => `scores/${id}`),
  ].map((path) => `/v1/evidence/${path}`);
}
