/** The arms of the bench `flagged`, in turn in one engine, and what a transaction costs it until nothing is left to do. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext, Settings } from './bench.ts';
import { readEngineCpu } from './cpu-by-role.ts';
import type { Received } from './hook-receiver.ts';
import { type HookReceiver, startHookReceiver } from './hook-receiver-process.ts';
import type { Load } from './load.ts';
import { type LoadRun, memoryBreaches, runLoad, warmUp } from './load-run.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import type { Services } from './services.ts';
import { readStored, storedBreaches } from './stored.ts';

export const ARMS = ['neither', 'cases', 'webhook'] as const;
export type Arm = (typeof ARMS)[number];

/** Each arm waits as long at least, as an engine that waits works a little, too. */
const SETTLE_MS = 4000;
const SETTLE_POLL_MS = 500;
const SETTLE_DEADLINE_MS = 120_000;

/** The duty that makes cases belongs to nobody: transactions are named for review, and no case is made of them. */
const HOLD_CASES = `update leaderships set owner = 'bench', epoch = epoch + 1, expires_at = 'infinity' where duty = 'cases'`;
const FORGET_CASES = 'delete from review_intake';
const LET_CASES_GO = `update leaderships set expires_at = '-infinity' where duty = 'cases'`;
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

/** Takes what is flagged until it is disposed. */
async function makeWebhook(
  { api, apiKey }: Pipeline,
  { url }: HookReceiver,
): Promise<AsyncDisposable> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${apiKey}` };
  const ask = async (method: string, path: string, body: string | null = null) => {
    const answer = await fetch(`${api.url}/v1/webhooks${path}`, { method, headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`a webhook was refused: ${text}`);
    return text;
  };
  const body = JSON.stringify({ url, event_types: ['transaction.decided'] });
  const { webhook_id: id } = JSON.parse(await ask('POST', '', body));
  return {
    [Symbol.asyncDispose]: async () => {
      await ask('DELETE', `/${id}`);
    },
  };
}

/** Makes no cases until it is disposed, and none of what came meanwhile. */
async function holdCases({ database }: Services): Promise<AsyncDisposable> {
  await database.query(HOLD_CASES);
  return {
    [Symbol.asyncDispose]: async () => {
      await database.query(FORGET_CASES);
      await database.query(LET_CASES_GO);
    },
  };
}

export type Measure = (arm: Arm, load: Load) => Promise<Round>;

/** @returns measures an arm in an engine that all arms share, which has had the unmeasured part of the load */
export async function startArms(
  load: Load,
  given: Settings,
  context: BenchContext,
): Promise<AsyncDisposable & { readonly measure: Measure }> {
  const { signal } = context;
  await using stack = new AsyncDisposableStack();
  const receiver = stack.use(await startHookReceiver(signal));
  const settings = { ...given, RISK_WEBHOOK_LOOPBACK: 'allow' };
  const pipeline = stack.use(await startPipeline({ workers: 1, settings }, context));
  await warmUp(pipeline, load, context);
  await settle(pipeline, 'cases', signal);
  const owned = stack.move();
  const read = async () => {
    const { rows } = await pipeline.services.database.query<Flagged>(FLAGGED);
    const [flagged = { flagged: 0, scores: 0, cases: 0 }] = rows;
    return { ...flagged, ...(await receiver.received()) };
  };
  return {
    measure: async (arm, load) => {
      await using _webhook = arm === 'webhook' ? await makeWebhook(pipeline, receiver) : undefined;
      await using _held = arm === 'neither' ? await holdCases(pipeline.services) : undefined;
      const before = await read();
      const run = await runLoad(pipeline, load, context);
      const scored = readEngineCpu(pipeline);
      await settle(pipeline, arm, signal);
      const settled = readEngineCpu(pipeline);
      const after = await read();
      const change = Object.fromEntries(
        Object.entries(after).map(([name, value]) => [
          name,
          value - before[name as keyof typeof before],
        ]),
      ) as typeof after;
      return {
        cpuUs: cpuUsOf(run, scored, settled),
        flaggedShare: change.flagged / change.scores,
        decisionsAnEvent: change.decisions / change.events,
        breaches: [
          ...storedBreaches(await readStored(pipeline.services.database)),
          ...memoryBreaches(run.memory),
          ...armBreaches(arm, change),
        ],
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Cpu = ReturnType<typeof readEngineCpu>;

/** Processor time of the load and of what was left to do after it. */
function cpuUsOf({ cpu, transactions }: LoadRun, scored: Cpu, settled: Cpu): Round['cpuUs'] {
  const us: Record<string, number> = {};
  for (const { role, us_per_transaction } of cpu) {
    if (role === 'generator' || role === 'together') continue;
    const key = role as keyof Cpu;
    us[role] = Number(us_per_transaction) + ((settled[key] - scored[key]) * 1e6) / transactions;
  }
  return { ...us, together: Object.values(us).reduce((sum, one) => sum + one, 0) };
}

type Flagged = { readonly flagged: number; readonly scores: number; readonly cases: number };

/** The arm did what it is there for. */
function armBreaches(
  arm: Arm,
  {
    flagged,
    cases,
    decisions,
    transactions,
  }: Flagged & Pick<Received, 'decisions' | 'transactions'>,
): string[] {
  const expected = arm === 'webhook' ? flagged : 0;
  return [
    ...(decisions === expected && transactions === expected
      ? []
      : [`${arm}: ${decisions} decisions of ${transactions} transactions came, of ${expected}`]),
    ...(cases > 0 === (arm !== 'neither') ? [] : [`${arm}: ${cases} cases`]),
  ];
}
