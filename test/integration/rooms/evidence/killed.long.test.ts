/**
 * Goal: a worker that is killed at any write of sealing makes no fork, no gap and no second leaf. Method: worker processes with
 * keys, each killed at another statement; then one that lives, and a check of the whole log.
 */
import { expect, test } from 'vitest';
import { checkLog } from '../../../../src/rooms/evidence/check/check.ts';
import { readHead } from '../../../../src/rooms/evidence/log/checkpoint.ts';
import { createSealer } from '../../../../src/rooms/evidence/seal/duty.ts';
import { readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { originOf, publishedFile, signingKeys } from '../../../../src/rooms/evidence/settings.ts';
import { lookAtLog } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig, seeds } from '../../../support/worker-rig.ts';

const STATEMENTS = [
  'lock-evidence-log',
  'take-evidence_intake',
  'move-evidence-log',
  'insert-evidence-scores',
  'put-evidence-tiles',
  'publish-evidence',
];
const EACH = 40;

test('no kill between two writes harms the log', async () => {
  const folder = temporaryFolder();
  await using cleanUp = new AsyncDisposableStack();
  const made = await runRisk(['evidence', 'keys', folder]);
  const settings = {
    RISK_EVIDENCE_KEYS: /KEYS=(.*)/.exec(made.stdout)?.[1] ?? '',
    RISK_EVIDENCE_FOLDER: folder,
    RISK_EVIDENCE_CHECKPOINT_SECONDS: '1',
  };
  const rig = await createWorkerRig();
  cleanUp.use(rig);
  const config = testConfig(settings);
  const kill = async (statement: string, send: () => Promise<unknown>) => {
    await using worker = rig.spawnWorker({
      ...settings,
      RISK_TEST_FAILPOINT: `leader-before-${statement}`,
    });
    await send();
    expect([statement, (await worker.exited).signal]).toEqual([statement, 'SIGKILL']);
  };
  await kill('begin-evidence-log', async () => undefined);
  // A score has a leaf that is stored once the log began.
  const sealer = createSealer({
    ...{ path: publishedFile(config), keys: signingKeys(config), origin: originOf(config) },
    ...{ database: rig.pool, checkpointMs: 0, log: silentLog() },
  });
  await sealer.run(Date.now());
  for (const statement of STATEMENTS) await kill(statement, () => rig.send(seeds(EACH)));
  const sent = EACH * STATEMENTS.length;
  await using _living = rig.spawnWorker(settings);
  await rig.settled(sent, 60_000);
  await waitUntil(
    async () => {
      const log = await lookAtLog(rig.pool.query);
      return log?.hasWork === false && readHead(log.checkpoint ?? '')?.size === log.size;
    },
    60_000,
    'the last checkpoint',
  );
  const log = await lookAtLog(rig.pool.query);
  if (log === undefined) throw new Error('no log');
  const published = {
    ...{ file: await readPublished(publishedFile(config)), seen: undefined },
    keys: signingKeys(config),
  };
  const checked = await checkLog(rig.pool.query, log, published, new AbortController().signal);
  expect(checked).toMatchObject({ findings: [], scores: sent });
});
