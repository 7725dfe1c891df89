/**
 * A scenario from an empty folder to a verdict: services, engine, traffic, reader, faults, recovery, rest,
 * checker. All that it started has ended when it returns.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { marketUrl } from '../../../bench/support/market.ts';
import { putModelInForce } from '../../../bench/support/model-in-force.ts';
import { makeRunFolder } from '../../../bench/support/run-folder.ts';
import { createRandom } from '../../../src/kit/random.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { checkAtRest, type Verdict } from './checker.ts';
import { type Engine, startEngine } from './engine.ts';
import { type Ledger, type LedgerCounts, openLedger } from './ledger.ts';
import { makeBatches, startLoad } from './load.ts';
import { NotRun } from './not-run.ts';
import { startReader } from './reader.ts';
import { replaySamples, untilAtRest, untilRecovered } from './rest.ts';
import type { Plan, Scenario, Setup, Stage } from './scenario.ts';
import { type ChaosServices, startServices } from './services.ts';
import { createStage, openNotes, remarksOf } from './stage.ts';
import { tellFigures } from './told.ts';

export type RunOptions = {
  /** Root of the checkout whose engine runs. */
  readonly engineRoot: string;
  readonly transactions: number;
  readonly seed: string;
  readonly rate: number | undefined;
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  readonly onLine: (text: string) => void;
};

export type Report = Verdict & {
  readonly scenario: string;
  /** Transactions a second. */
  readonly rate: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly counts: LedgerCounts;
  /** From the last fault until all accepted before it was final; NaN: never. */
  readonly recoverySeconds: number;
  readonly seconds: number;
  readonly remarks: readonly string[];
};

export type Outcome =
  | Report
  | { readonly scenario: string; readonly notRun: string }
  /** The scenario did not finish: a breach of its own. */
  | { readonly scenario: string; readonly broken: string };

/** Short waits, so that many recoveries fit into minutes; their ratios are those of the defaults. */
export const SETTINGS = {
  RISK_BATCH_ENTRIES: '200',
  RISK_CLAIM_IDLE_MS: '3000',
  RISK_RECONCILE_AGE_MS: '1000',
  // Every event is kept, so that each transaction's can be looked for.
  RISK_EVENT_BYTES_MAX: '1073741824',
} as const;

const SETUP: Setup = {
  ...{ apis: 1, workers: 2, rate: 1000, batch: 100, ownTraffic: false, proxied: [] },
  ...{ environment: {}, postgresSettings: {}, spoiled: undefined, corridor: undefined },
  ...{ recoverSecondsMax: 30, batches: makeBatches },
  ...{ countersExact: true, postgresDiskBytes: undefined, hasModel: false },
};
const CONNECTIONS = 4;
const DRAIN_MS_MAX = 25_000;

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Outcome> {
  const setup = { ...SETUP, ...scenario.setup };
  const { transactions, isQuick, rate = setup.rate } = options;
  const scale = { transactions, rate, isQuick };
  const plan = scenario.plan(createRandom(`${options.seed}/${scenario.name}`), scale);
  options.onLine(`${scenario.name}: ${scenario.what}`);
  options.onLine(`  seed ${options.seed}: ${plan.schedule.join(' · ')}`);
  try {
    return await run({ scenario, plan, setup, options });
  } catch (error) {
    if (error instanceof NotRun) return { scenario: scenario.name, notRun: error.message };
    options.signal.throwIfAborted();
    return { scenario: scenario.name, broken: stackOf(error) };
  }
}

/** The error from before an error during disposal comes first. */
function stackOf(error: unknown): string {
  if (error instanceof SuppressedError) {
    return [error.suppressed, error.error].map(stackOf).join('\n');
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

type Parts = {
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly setup: Setup;
  readonly options: RunOptions;
};

async function run({ scenario, plan, setup, options }: Parts): Promise<Report> {
  const { signal, seed, transactions, rate = setup.rate } = options;
  const began = performance.now();
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await makeRunFolder('risk-chaos'));
  const logFolder = join(folder, 'logs');
  mkdirSync(logFolder, { mode: 0o777 });
  const launcher = join(options.engineRoot, 'bin', 'risk');
  const { postgresSettings, postgresDiskBytes } = setup;
  const { startServices: start = startServices } = scenario;
  const services = opened.use(
    await start({ folder, launcher, postgresSettings, postgresDiskBytes, signal }),
  );
  const model = setup.hasModel ? await putModelInForce(services.databaseUrl) : null;
  const proxies = await openProxies(setup, services, opened);
  const engine = opened.use(
    services.engine ??
      (await startEngine({
        ...{ logFolder, signal, apis: setup.apis, workers: setup.workers },
        launcher: services.firstLauncher ?? launcher,
        databaseUrl: proxies.postgres?.url ?? services.engineUrls.databaseUrl,
        redisUrl: proxies.redis?.url ?? services.engineUrls.redisUrl,
        environment: { ...SETTINGS, ...services.engineEnvironment, ...setup.environment },
      })),
  );
  const ledger = openLedger();
  const random = createRandom(`${seed}/reader`);
  const over = new AbortController();
  opened.defer(() => over.abort());
  const reader = startReader({ ledger, random, query: services.query, signal: over.signal });
  const load = startLoad({
    ...{ urls: engine.apiUrls, apiKey: engine.apiKey, ledger, seed, batch: setup.batch },
    ...{ connections: setup.ownTraffic ? 0 : CONNECTIONS, spoiled: setup.spoiled },
    ...{ rate, corridor: setup.corridor, batches: setup.batches, signal: over.signal },
  });
  const notes = openNotes();
  const stage = createStage({
    ...{ services, proxies, engine, load, ledger, transactions, seed, signal, random },
    ...{ notes, rate },
  });
  try {
    await plan.run(stage);
    const isOver = setup.ownTraffic || load.isFinishing();
    const traffic = isOver ? Promise.resolve() : stage.progress(1);
    const [recoverySeconds] = await Promise.all([
      untilRecovered(services.query, setup.recoverSecondsMax, signal),
      traffic.then(load.finish),
    ]);
    await untilAtRest(services, signal);
    await replaySamples(stage);
    await tellFigures(stage, setup.countersExact);
    await plan.judge?.(stage);
    await reader.finish();
    await drainAll(engine, stage);
    stage.bar('seconds to recover', round(recoverySeconds), { atMost: setup.recoverSecondsMax });
    if (model !== null) {
      const others = 'select from scores where model is distinct from $1';
      stage.bar('scores not by the model', (await services.query(others, [model])).length, {
        atMost: 0,
      });
    }
    const verdict = await judge(ledger, services);
    for (const fault of plan.faults) {
      stage.bar(`faults that happened: ${fault}`, notes.faults.get(fault) ?? 0, { atLeast: 1 });
    }
    return {
      ...{ scenario: scenario.name, balance: verdict.balance, recoverySeconds },
      ...{ rate, counts: ledger.counts, remarks: remarksOf(notes, ledger) },
      checks: [...verdict.checks, ...notes.bars],
      faults: Object.fromEntries(notes.faults),
      seconds: (performance.now() - began) / 1000,
    };
  } catch (error) {
    if (!(error instanceof NotRun)) options.onLine(logTails(engine));
    throw error;
  }
}

function logTails(engine: Engine): string {
  return engine
    .running()
    .map((each) => `${each.name} (running)\n${each.logTail()}`)
    .join('\n');
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;

async function openProxies(
  { proxied }: Setup,
  services: ChaosServices,
  opened: AsyncDisposableStack,
): Promise<Record<'postgres' | 'redis', TcpProxy | undefined>> {
  const open = async (name: 'postgres' | 'redis', url: string) =>
    proxied.includes(name) ? opened.use(await startTcpProxy(url)) : undefined;
  return {
    postgres: await open('postgres', services.databaseUrl),
    redis: await open('redis', services.redisUrl),
  };
}

async function drainAll(engine: Engine, stage: Stage): Promise<void> {
  await Promise.all(engine.running().map(({ name }) => engine.drain(name)));
  const bad = engine.drains.filter(({ how }) => how !== 'exit code 0');
  for (const { name, how } of bad) stage.remark(`${name} drained badly: ${how}`);
  stage.bar('drains that did not exit 0', bad.length, { exactly: 0 });
  const slowest = Math.max(0, ...engine.drains.map(({ ms }) => ms));
  stage.bar('slowest drain, ms', slowest, { atMost: DRAIN_MS_MAX });
}

/** In a session of its own, as the ledger becomes temporary tables. */
async function judge(
  ledger: Ledger,
  { databaseUrl, client: redis }: ChaosServices,
): Promise<Verdict> {
  const connection = { connectionString: marketUrl(databaseUrl), application_name: 'chaos' };
  const database = new pg.Client(connection);
  await database.connect();
  try {
    return await checkAtRest({ databaseUrl, database, redis, ledger });
  } finally {
    await database.end();
  }
}
