/** A market with scores, lines of the audit log, and a sealer whose keys and published checkpoints are of the test alone. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { recordChange } from '../../../../src/kit/audit/audit-log.ts';
import { byCommand } from '../../../../src/kit/command/stores.ts';
import type { Database, Query } from '../../../../src/kit/database/pool.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { toSigningKey, verifierKey } from '../../../../src/rooms/evidence/log/checkpoint.ts';
import { createSealer, type SealerRun } from '../../../../src/rooms/evidence/seal/duty.ts';
import { addUnsealed } from '../../../../src/rooms/evidence/store/unsealed.ts';
import { readKeys } from '../../../../verify/note.ts';
import { silentLog } from '../../config.ts';
import { createTestDatabase } from '../../database.ts';
import { type PlainScore, toNewScores } from '../../delivered.ts';
import { insertScores } from '../../insert-scores.ts';
import { idAt } from '../../stored-rows.ts';

export const ORIGIN = 'risk.example.com/market_0';
export const MONTH_MS = Date.UTC(2026, 9, 1);

export const makeKeys = () =>
  [generateKeyPairSync('ed25519'), generateKeyPairSync('ml-dsa-44')].map(({ privateKey }) =>
    toSigningKey(privateKey),
  );

export function makeScore(createdAtMs: number, nth: number): PlainScore {
  const features = Float64Array.from({ length: FEATURE_COUNT }, (_, at) =>
    (nth * 31 + at * 7) % 11 === 0 ? Number.NaN : (((nth + 1) * (at + 3)) % 97) / 3,
  );
  const decision = score({ vector: features, ruleSet: currentRuleSet, opinion: null });
  return {
    ...{ transactionId: idAt(createdAtMs), createdAtMs, accountId: `acc_${nth % 7}`, decision },
    ...{ corridor: 'US-EG', features, model: null, attempts: 1, degradation: 0 },
    ruleSet: currentRuleSet.id,
  };
}

export async function openEvidenceRig() {
  await using opened = new AsyncDisposableStack();
  const testDatabase = opened.use(await createTestDatabase());
  const database = opened.use(testDatabase.open());
  const folder = mkdtempSync(join(tmpdir(), 'risk-evidence-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  await ensurePartitions(database, [monthOf(MONTH_MS)]);
  const keys = makeKeys();
  const path = join(folder, 'checkpoints');
  const openSealer = (over: Partial<Parameters<typeof createSealer>[0]> = {}) =>
    createSealer({
      database,
      origin: ORIGIN,
      keys,
      path,
      checkpointMs: 0,
      log: silentLog(),
      ...over,
    });
  let nth = 0;
  const owned = opened.move();
  return {
    testDatabase,
    database,
    keys,
    path,
    openSealer,
    trusted: readKeys(keys.map((key) => verifierKey(ORIGIN, key)).join('\n')),
    /** Stores scores in one statement, as a worker does. @returns ids */
    store: async (
      count: number,
      into: Pick<Database, 'query' | 'transaction'> = database,
      scoredAtMs = Date.now(),
    ): Promise<string[]> => {
      const scores = Array.from({ length: count }, () => makeScore(MONTH_MS + nth * 1000, nth++));
      await insertScores(into, toNewScores(scores), scoredAtMs, [addUnsealed(true)]);
      return scores.map(({ transactionId }) => transactionId);
    },
    change: (subject: string) =>
      database.transaction((query: Query) =>
        recordChange(query, byCommand('test'), {
          ...{ action: 'control.set' as const, subject, before: null, after: { limit: '10.50' } },
        }),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type EvidenceRig = Awaited<ReturnType<typeof openEvidenceRig>>;

/** Seals until nothing is left, or until the sealer refuses. @returns what the last run said */
export async function sealAll(sealer: ReturnType<typeof createSealer>): Promise<SealerRun> {
  for (;;) {
    const run = await sealer.run(Date.now());
    if (!run.mayHaveMore) return run;
  }
}
