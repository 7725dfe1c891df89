/** An API and a worker with a sample scored, a model in force, dead letters and labels: something for every page. */
import type { Role } from '../../../src/kit/words/principal.ts';
import { writeSimulation } from '../../../src/tools/simulate/command.ts';
import { insertPersonKey } from '../../support/people.ts';
import { type RiskProcess, spawnRisk } from '../../support/risk.ts';
import { startRollOut } from '../../support/rolled-out.ts';
import { type RunningApi, spawnRunningApi } from '../../support/running-api.ts';
import { makeServiceFolder } from '../../support/service-folder.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../../support/stored-rows.ts';
import { answerOf, labelInput, postLabels } from '../../support/submit.ts';
import { waitUntil } from '../../support/wait-until.ts';

export const TRANSACTIONS = 2000;
const SCORED_WITHIN_MS = 120_000;
/** Lets webhooks reach the receivers of a test, which run on this machine. */
const SETTINGS = { RISK_WEBHOOK_LOOPBACK: 'allow' };

type Found = {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly score: { readonly score: number };
};

export type Engine = {
  readonly api: Awaited<ReturnType<typeof spawnRunningApi>>;
  /** Transaction ids: the riskiest first. */
  readonly riskiest: readonly { readonly id: string; readonly account: string }[];
  /** The merchant of the riskiest transaction. */
  readonly merchant: string;
  /** An open dead letter. */
  readonly deadLetterId: string;
  /** The only worker. */
  readonly worker: RiskProcess;
  readonly keyOf: (...roles: Role[]) => Promise<string>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export async function startEngine(): Promise<Engine> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await spawnRunningApi(SETTINGS));
  const folder = stack.use(makeServiceFolder());
  const worker = spawnRisk(['worker'], {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    RISK_WORKER_PORT: '0',
    ...SETTINGS,
  });
  stack.defer(async () => {
    worker.kill('SIGTERM');
    await worker.exited;
  });
  const file = `${folder.services}/sample.ndjson`;
  await writeSimulation(
    {
      ...{ transactions: TRANSACTIONS, accounts: 100, merchants: 50, days: 10, endMs: Date.now() },
      ...{ seed: 'console', fraudRate: 0.02 },
    },
    { out: file, labels: `${folder.services}/labels.ndjson` },
    new AbortController().signal,
  );
  const { code, stderr } = await api.risk('replay', file);
  if (code !== 0) throw new Error(stderr);
  const read = async (path: string) => (await answerOf(await api.request(path))).body;
  const isScored = async () => (await read('/v1/status')).totals.scored >= TRANSACTIONS;
  await waitUntil(isScored, SCORED_WITHIN_MS, 'the sample to be scored');
  const { items } = await read('/v1/transactions?min_score=600&limit=50');
  const riskiest = items
    .toSorted((a: Found, b: Found) => b.score.score - a.score.score)
    .map((one: Found) => ({
      ...{ id: one.transaction_id, account: one.account_id },
    }));
  const { merchant_id: merchant } = await read(`/v1/transactions/${riskiest[0].id}`);
  await postLabels(api, [labelInput({ transaction_id: riskiest[0].id, label: 'fraud' })]);
  await storeLetters(api);
  const [letter] = (await read('/v1/dead-letters?limit=1')).items;
  const rollOut = stack.use(await startRollOut(api.testDatabase));
  await rollOut.put(await rollOut.register(1), 'canary:5');
  const owned = stack.move();
  return {
    ...{ api, riskiest, merchant, deadLetterId: letter.dead_letter_id, worker },
    keyOf: (...roles) => insertPersonKey(api.testDatabase, `Person ${roles.join(' ')}`, roles),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Dead letters of transactions without a score, which stay open. */
async function storeLetters({ database }: RunningApi): Promise<void> {
  const nowMs = Date.now();
  const times = Array.from({ length: 40 }, (_, n) => nowMs - n * 60_000);
  const ids = await storeTransactions(
    database,
    times.map((createdAtMs) => ({ createdAtMs })),
  );
  await storeDeadLetters(
    database,
    times.map((failedAtMs, n) => ({
      ...{ id: idAt(failedAtMs, n), transactionId: ids[n] ?? null, failedAtMs },
      errorCode: n % 3 === 0 ? 'FEATURES_INVALID' : 'CRASHES_WORKER',
    })),
  );
}
