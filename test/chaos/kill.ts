/**
 * `npm run prove`: real processes under load, killed at drawn moments or made to lose Redis; once all
 * is at rest, the client's ledger is held against Postgres and Redis. Exits 1 on any breach. Slow by
 * nature, so no part of `npm test`.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from '../../bench/support/machine.ts';
import { untilReady } from '../../bench/support/role-process.ts';
import { createOutput, type Output } from '../../src/cli/output.ts';
import { createLog } from '../../src/runtime/log.ts';
import { type Check, checkAtRest } from './checker.ts';
import { type Fleet, SETTINGS, startFleet } from './fleet.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { startLoad } from './load.ts';
import { type RoundRow, runRound, wipeRedis } from './rounds.ts';
import {
  describeFault,
  drawSchedule,
  type Round,
  SCENARIOS,
  type ScenarioName,
} from './schedule.ts';
import { countWaiting } from './streams.ts';

const USAGE = `npm run prove [-- options]

--role worker|api|redis-wipe|all  what dies (all)
--rounds N        deaths of each (20; 3 wipes)
--transactions N  posted at least, each scenario (20000)
--rate N          transactions a second (2500)
--batch N         transactions a request (200)
--seed TEXT       of the traffic and of the schedule (1)`;

type Options = {
  readonly scenarios: readonly ScenarioName[];
  readonly rounds: number | undefined;
  readonly transactions: number;
  readonly rate: number;
  readonly batch: number;
  readonly seed: string;
};

const ROUNDS = { worker: 20, api: 20, 'redis-wipe': 3 } as const;
const CONNECTIONS = 4;
const STEADY_WORKERS = 1;
const REST_POLL_MS = 250;
/** Everything must come to rest while it moves; this long without a step is a hang. */
const REST_STALL_MS = 60_000;

function readOptions(): Options | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ role: { ...text, default: 'all' }, rounds: text, seed: { ...text, default: '1' } },
      transactions: { ...text, default: '20000' },
      rate: { ...text, default: '2500' },
      batch: { ...text, default: '200' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const scenarios = SCENARIOS.filter((name) => values.role === 'all' || values.role === name);
  if (values.help === true || scenarios.length === 0) return undefined;
  return {
    scenarios,
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    transactions: Number(values.transactions),
    rate: Number(values.rate),
    batch: Number(values.batch),
    seed: values.seed,
  };
}

type Run = { readonly options: Options; readonly output: Output; readonly signal: AbortSignal };

async function runScenario(run: Run, scenario: ScenarioName): Promise<readonly Check[]> {
  const { options, output, signal } = run;
  const schedule = drawSchedule(scenario, options.rounds ?? ROUNDS[scenario], options.seed);
  output.line();
  output.line(`${scenario}: ${schedule.length} rounds, seed ${options.seed}`);
  output.line(`  ${schedule.map((round) => describeFault(round.fault)).join(', ')}`);
  await using fleet = await startFleet({
    steadyWorkers: STEADY_WORKERS,
    steadyApi: scenario !== 'api',
    log: createLog('chaos', 'warn'),
    signal,
    onProgress: (text) => output.note(text),
  });
  const ledger = openLedger();
  const load = startLoad({
    ...{ url: fleet.apiUrl, apiKey: fleet.apiKey, ledger, seed: options.seed },
    ...{ rate: options.rate, batch: options.batch, connections: CONNECTIONS },
  });
  const started = performance.now();
  const rows = await runSchedule(run, { fleet, scenario, schedule });
  await untilAcknowledged(ledger, options.transactions, signal);
  await load.finish();
  const restMs = await untilAtRest(fleet, signal);
  const { counts } = ledger;
  output.line(
    `  ${counts.acknowledged} acknowledged (${counts.repeated} again, ${counts.indeterminate} attempts without an answer) in ${((performance.now() - started) / 1000).toFixed(0)} s; at rest ${(restMs / 1000).toFixed(1)} s after the last`,
  );
  const checks = await checkAtRest({
    ...{ stores: fleet.services, ledger },
    eventsKept: scenario !== 'redis-wipe',
  });
  return [...checks, aimed(scenario, rows)];
}

/** A proof that killed nobody at work proves nothing. */
function aimed(scenario: ScenarioName, rows: readonly RoundRow[]): Check {
  const atWork = rows.filter(({ held }) => held > 0).length;
  const least = scenario === 'worker' ? Math.ceil(rows.length / 2) : 1;
  const check = `rounds that met ${scenario === 'redis-wipe' ? 'waiting entries' : 'work under way'}`;
  return { check, found: atWork, expected: `≥ ${least}`, ok: atWork >= least };
}

type Scheduled = {
  readonly fleet: Fleet;
  readonly scenario: ScenarioName;
  readonly schedule: readonly Round[];
};

async function runSchedule(
  { output, signal }: Run,
  { fleet, scenario, schedule }: Scheduled,
): Promise<readonly RoundRow[]> {
  const rows: RoundRow[] = [];
  for (const round of schedule) {
    const row =
      scenario === 'redis-wipe'
        ? await wipeRedis({ fleet, signal }, round)
        : await runRound({ fleet, signal }, scenario, round);
    rows.push(row);
    output.note(`  round ${row.round}: ${row.fault}, held ${row.held}`);
  }
  if (scenario !== 'redis-wipe') await untilReady(fleet.startVictim(scenario), signal);
  const columns = ['round', 'fault', 'lived_ms', 'held', 'held_and_stored'];
  output.table(
    columns.map((field) => ({ field })),
    rows,
  );
  return rows;
}

async function untilAcknowledged(
  ledger: Ledger,
  transactions: number,
  signal: AbortSignal,
): Promise<void> {
  while (ledger.counts.acknowledged < transactions) {
    await delay(REST_POLL_MS, undefined, { signal });
  }
}

/** Waits until nothing is under way any more; returns how long that took. */
async function untilAtRest({ services }: Fleet, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  let last = '';
  let movedMs = started;
  for (;;) {
    const { entries, pending, retries } = await countWaiting(services);
    const { rows } = await services.database.query<{ open: number; unscored: number }>(
      `select (select count(*)::int from ingest_batches) as open,
              (select count(*)::int from transactions) - (select count(*)::int from scores) as unscored`,
    );
    const { open = 0, unscored = 0 } = rows[0] ?? {};
    const now = JSON.stringify({ entries, pending, retries, open, unscored });
    if (entries + pending + retries + open === 0 && unscored <= 0) {
      return performance.now() - started;
    }
    if (now !== last) movedMs = performance.now();
    last = now;
    // The checker says what is wrong with what is left.
    if (performance.now() - movedMs > REST_STALL_MS) return Number.NaN;
    await delay(REST_POLL_MS, undefined, { signal });
  }
}

async function main(): Promise<number> {
  const output = createOutput({ json: false });
  const options = readOptions();
  if (options === undefined) {
    output.line(USAGE);
    return 2;
  }
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Error('ended by SIGINT')));
  process.once('SIGTERM', () => controller.abort(new Error('ended by SIGTERM')));
  output.line(formatMachine(describeMachine()));
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
  output.line(`settings ${settings.join(' ')}`);
  const rows: (Check & { scenario: string })[] = [];
  for (const scenario of options.scenarios) {
    const run = { options, output, signal: controller.signal };
    for (const check of await runScenario(run, scenario)) rows.push({ scenario, ...check });
  }
  output.line();
  const columns = ['scenario', 'check', 'found', 'expected', 'ok'].map((field) => ({ field }));
  output.table(
    columns,
    rows.map((row) => ({ ...row, ok: row.ok ? 'ok' : 'BREACH' })),
  );
  const breaches = rows.filter(({ ok }) => !ok).length;
  output.line();
  output.line(`${rows.length - breaches} held, ${breaches} breached`);
  return breaches === 0 ? 0 : 1;
}

process.exitCode = await main();
