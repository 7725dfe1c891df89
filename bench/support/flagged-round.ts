/**
 * A round of the bench `flagged`: transactions are scored while nobody holds the lease `care`; then cases and deliveries of what is
 * flagged are made and sent by themselves, so that a small cost is not lost in what a whole load scatters.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchContext, Settings } from './bench.ts';
import { readEngineCpu } from './cpu-by-role.ts';
import type { Received } from './hook-receiver.ts';
import { startHookReceiver } from './hook-receiver-process.ts';
import type { Load } from './load.ts';
import { memoryBreaches, runLoad, warmUp } from './load-run.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { treeCpuSeconds } from './process-usage.ts';
import { readStored, storedBreaches } from './stored.ts';

export const STEPS = ['scoring', 'care'] as const;
type Step = (typeof STEPS)[number];

/** The cost of an engine that waits is measured for so long, and taken off the other steps. */
const IDLE_MS = 5000;
const POLL_MS = 50;
const DEADLINE_MS = 120_000;

/** The lease of the duties that make cases and send deliveries belongs to nobody. */
const HOLD = `update leaderships set owner = 'bench', epoch = epoch + 1, expires_at = 'infinity' where duty = 'care'`;
const LET_GO = `update leaderships set expires_at = '-infinity' where duty = 'care'`;
const LEFT = `
  select (select count(*) from outbox_review)::int + (select count(*) from outbox_decided)::int
       + (select count(*) from webhook_deliveries where state = 'waiting')::int as left`;
/** Sessions of the engine. */
const SESSIONS = `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`;
const FLAGGED = `
  select (select count(*) from scores where verdict <> 'approve')::int as flagged, (select count(*) from scores)::int as scores,
         (select count(*) from review_cases)::int as cases`;

type CpuUs = Readonly<Record<string, number>>;

export type Round = {
  /** Processor time a transaction by role, microseconds. Scoring names what is flagged. */
  readonly cpuUs: Readonly<Record<Step, CpuUs>>;
  readonly flaggedShare: number;
  readonly decisionsAnEvent: number;
  readonly breaches: readonly string[];
};

async function makeWebhook({ api, apiKey }: Pipeline, url: string): Promise<void> {
  const response = await fetch(`${api.url}/v1/webhooks`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ url, event_types: ['transaction.decided'] }),
  });
  if (response.status !== 201) throw new Error(`the webhook was refused: ${await response.text()}`);
}

async function untilDone({ services }: Pipeline, signal: AbortSignal): Promise<void> {
  const beganMs = performance.now();
  for (;;) {
    const { rows } = await services.database.query<{ left: number }>(LEFT);
    const left = rows[0]?.left ?? 0;
    if (left === 0) return;
    if (performance.now() - beganMs > DEADLINE_MS)
      throw new Error(`${left} cases and deliveries are left`);
    await delay(POLL_MS, undefined, { signal });
  }
}

type Cpu = ReturnType<typeof readEngineCpu>;

/** Processor seconds of each session of Postgres so far, by its process. */
async function readSessions({ services }: Pipeline): Promise<ReadonlyMap<number, number>> {
  const { rows } = await services.database.query<{ pid: number }>(SESSIONS);
  return new Map(rows.map(({ pid }) => [pid, treeCpuSeconds(pid)]));
}

/**
 * The CPU of the engine while `work` runs, in seconds by role. Postgres is its sessions alone: vacuum and checkpoints are of the load
 * before. A session that ends meanwhile was idle.
 */
async function cpuOf(pipeline: Pipeline, work: () => Promise<unknown>) {
  const [sessions, before] = [await readSessions(pipeline), readEngineCpu(pipeline)];
  const beganMs = performance.now();
  await work();
  const after = readEngineCpu(pipeline);
  const seconds = (performance.now() - beganMs) / 1000;
  const postgres = [...(await readSessions(pipeline))].reduce(
    (sum, [pid, cpu]) => sum + cpu - (sessions.get(pid) ?? 0),
    0,
  );
  const spent = { ...after, postgres: before.postgres + postgres };
  const roles = Object.keys(before) as (keyof Cpu)[];
  return { seconds, cpu: roles.map((role) => [role, spent[role] - before[role]] as const) };
}

const withSum = (us: readonly (readonly [string, number])[]): CpuUs => ({
  ...Object.fromEntries(us),
  together: us.reduce((sum, [, one]) => sum + one, 0),
});

/** @returns measures a round in an engine that all rounds share, which has had the unmeasured part of the load */
export async function startRounds(load: Load, given: Settings, context: BenchContext) {
  const { signal } = context;
  await using stack = new AsyncDisposableStack();
  const receiver = stack.use(await startHookReceiver(signal));
  const settings = { ...given, RISK_WEBHOOK_LOOPBACK: 'allow' };
  const pipeline = stack.use(await startPipeline({ workers: 1, settings }, context));
  const { database } = pipeline.services;
  await makeWebhook(pipeline, receiver.url);
  await warmUp(pipeline, load, context);
  await untilDone(pipeline, signal);
  const read = async () => {
    const { rows } = await database.query<Flagged>(FLAGGED);
    const [flagged = { flagged: 0, scores: 0, cases: 0 }] = rows;
    return { ...flagged, ...(await receiver.received()) };
  };
  const letGo = () =>
    cpuOf(pipeline, async () => {
      await database.query(LET_GO);
      await untilDone(pipeline, signal);
    });
  const owned = stack.move();
  return {
    measure: async (load: Load): Promise<Round> => {
      await database.query(HOLD);
      const before = await read();
      const { cpu, memory, transactions } = await runLoad(pipeline, load, context);
      const idle = await cpuOf(pipeline, () => delay(IDLE_MS, undefined, { signal }));
      const care = await letGo();
      const after = await read();
      const idleOf = new Map(idle.cpu.map(([role, spent]) => [role, spent / idle.seconds]));
      const usOf = (step: typeof idle) =>
        withSum(
          step.cpu.map(([role, spent]) => {
            const own = spent - (idleOf.get(role) ?? 0) * step.seconds;
            return [role, (own * 1e6) / transactions] as const;
          }),
        );
      const change = difference(before, after);
      return {
        cpuUs: {
          scoring: withSum(
            cpu
              .filter(({ role }) => role !== 'generator' && role !== 'together')
              .map(({ role, us_per_transaction: us }) => [role, Number(us)] as const),
          ),
          care: usOf(care),
        },
        flaggedShare: change.flagged / change.scores,
        decisionsAnEvent: change.decisions / change.events,
        breaches: [
          ...storedBreaches(await readStored(database)),
          ...memoryBreaches(memory),
          ...roundBreaches(change),
        ],
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Flagged = { readonly flagged: number; readonly scores: number; readonly cases: number };
type Counts = Flagged & Received;

const difference = (before: Counts, after: Counts): Counts => ({
  flagged: after.flagged - before.flagged,
  scores: after.scores - before.scores,
  cases: after.cases - before.cases,
  events: after.events - before.events,
  decisions: after.decisions - before.decisions,
  transactions: after.transactions - before.transactions,
});

/** Each step did what it is there for. */
function roundBreaches({ flagged, cases, decisions, transactions }: Counts): string[] {
  return [
    ...(decisions === flagged && transactions === flagged
      ? []
      : [`${decisions} decisions of ${transactions} transactions came, of ${flagged}`]),
    ...(cases > 0 ? [] : ['no case was made']),
  ];
}
