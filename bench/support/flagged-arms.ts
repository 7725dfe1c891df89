/** The arms of the bench `flagged`: an engine of its own each, and what a transaction costs it until nothing is left to do. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext, Settings } from './bench.ts';
import { readEngineCpu } from './cpu-by-role.ts';
import { type HookReceiver, startHookReceiver } from './hook-receiver-process.ts';
import type { Load } from './load.ts';
import { memoryBreaches, runLoad, warmUp } from './load-run.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { Services } from './services.ts';
import { readStored, storedBreaches } from './stored.ts';

export const ARMS = ['neither', 'cases', 'webhook'] as const;
export type Arm = (typeof ARMS)[number];

/** Each arm waits as long, as an engine that waits works a little, too. */
const SETTLE_MS = 4000;
const SETTLE_POLL_MS = 500;
const SETTLE_DEADLINE_MS = 120_000;

/** The duty that makes cases belongs to nobody: transactions are named for review, and no case is made of them. */
const HOLD_CASES = `update leaderships set owner = 'bench', epoch = epoch + 1, expires_at = 'infinity' where duty = 'cases'`;
const LEFT = `
  select (select count(*) from webhook_intake)::int + (select count(*) from webhook_deliveries where state = 'waiting')::int as hooks,
         (select count(*) from review_intake)::int as cases`;
const FLAGGED = `
  select (select count(*) from scores where verdict <> 'approve')::int as flagged, (select count(*) from scores)::int as scores,
         (select count(*) from review_cases)::int as cases`;

export type Round = {
  /** Processor time a transaction by role, microseconds. */
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly flaggedShare: number;
  readonly decisionsAnEvent: number;
  readonly breaches: readonly string[];
};

/** Waits until nothing is left to make or to send, at least SETTLE_MS. */
async function settle({ services }: Pipeline, arm: Arm, signal: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  for (;;) {
    const { rows } = await services.database.query<{ hooks: number; cases: number }>(LEFT);
    const [{ hooks, cases } = { hooks: 1, cases: 1 }] = rows;
    const waitedMs = performance.now() - beganMs;
    if (waitedMs >= SETTLE_MS && hooks === 0 && (cases === 0 || arm === 'neither')) return;
    if (waitedMs > SETTLE_DEADLINE_MS) throw new Error(`left are ${hooks} events, ${cases} cases`);
    await delay(SETTLE_POLL_MS, undefined, { signal });
  }
}

async function makeWebhook({ api, apiKey }: Pipeline, { url }: HookReceiver): Promise<void> {
  const response = await fetch(`${api.url}/v1/webhooks`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ url, event_types: ['transaction.decided'] }),
  });
  if (response.status !== 201) throw new Error(`the webhook was refused: ${await response.text()}`);
}

async function holdCases({ database }: Services): Promise<void> {
  await database.query(HOLD_CASES);
}

export async function measureArm(
  arm: Arm,
  load: Load,
  given: Settings,
  context: BenchContext,
): Promise<Round> {
  const { signal } = context;
  using receiver = await startHookReceiver(signal);
  const prepare = arm === 'neither' ? holdCases : undefined;
  const settings = { ...given, RISK_WEBHOOK_LOOPBACK: 'allow' };
  await using pipeline = await startPipeline({ workers: 1, settings, prepare }, context);
  if (arm === 'webhook') await makeWebhook(pipeline, receiver);
  await warmUp(pipeline, load, context);
  await settle(pipeline, arm, signal);
  const run = await runLoad(pipeline, load, context);
  const scored = readEngineCpu(pipeline);
  await settle(pipeline, arm, signal);
  const settled = readEngineCpu(pipeline);
  const cpuUs: Record<string, number> = {};
  for (const { role, us_per_transaction } of run.cpu) {
    if (role === 'generator' || role === 'together') continue;
    const key = role as keyof typeof scored;
    const after = ((settled[key] - scored[key]) * 1e6) / load.transactions;
    cpuUs[role] = Number(us_per_transaction) + after;
  }
  cpuUs['together'] = Object.values(cpuUs).reduce((sum, us) => sum + us, 0);
  const { rows } = await pipeline.services.database.query<Flagged>(FLAGGED);
  const [flagged = { flagged: 0, scores: 0, cases: 0 }] = rows;
  const received = await receiver.received();
  return {
    cpuUs,
    flaggedShare: flagged.flagged / flagged.scores,
    decisionsAnEvent: received.decisions / received.events,
    breaches: [
      ...storedBreaches(await readStored(pipeline.services.database)),
      ...memoryBreaches(run.memory),
      ...armBreaches(arm, flagged, received),
    ],
  };
}

type Flagged = { readonly flagged: number; readonly scores: number; readonly cases: number };

/** Each arm did what it is there for. */
function armBreaches(
  arm: Arm,
  { flagged, cases }: Flagged,
  { decisions, transactions }: Awaited<ReturnType<HookReceiver['received']>>,
): string[] {
  const expected = arm === 'webhook' ? flagged : 0;
  return [
    ...(decisions === expected && transactions === expected
      ? []
      : [`${arm}: ${decisions} decisions of ${transactions} transactions came, of ${expected}`]),
    ...(cases > 0 === (arm !== 'neither') ? [] : [`${arm}: ${cases} cases`]),
  ];
}
