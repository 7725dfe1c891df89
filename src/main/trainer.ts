/**
 * A trainer process: composition root. One trainer of a market at a time builds tables of the day and trains trees, in this process, which
 * gives way to all others on the machine.
 */
import { getPriority, setPriority } from 'node:os';
import { bindTrainings, END_WORSE, NIGHT, STATEMENT_MS } from '../core/repair/trainings.ts';
import type { Training } from '../core/room.ts';
import { proveWrite } from '../core/store/write-probe.ts';
import { type CommandContext, EXIT } from '../kit/command/command.ts';
import { EXIT_BAD_CONFIGURATION } from '../kit/config/config.ts';
import { openDatabase, openProbe } from '../kit/database/open-database.ts';
import { runMaintenance } from '../kit/duties/run-duties.ts';
import { createProcessMetrics } from '../kit/metrics/metrics.ts';
import { ROOMS } from './rooms.ts';
import { waitForSchema } from './schema-version.ts';
import { serveHealth } from './serve-health.ts';
import { createReadiness } from './vital-signs.ts';

const NICE = 10;
/** Shorter: a process that gives way to all others does not connect on a busy machine. */
const CONNECT_MS = 60_000;
const NEEDED =
  'DATABASE_URL must be set, as a trainer starts no services of its own, and RISK_MARKET where RISK_MARKETS is set';

/**
 * Resolves to the exit code where the process cannot run; the signal ends the process at once, as each training is one commit.
 * @param overrides parts that a test puts in place of the engine's own
 */
export async function runTrainer(
  { config, log, signal, environment }: CommandContext,
  { nowMs, trainings }: { nowMs?: () => number; trainings?: readonly Training[] } = {},
): Promise<number> {
  const { DATABASE_URL: url, RISK_MARKET: market, markets } = config;
  if (url === undefined || (markets.length > 1 && !environment['RISK_MARKET'])) {
    log.fatal(NEEDED);
    return EXIT_BAD_CONFIGURATION;
  }
  await using resources = new AsyncDisposableStack();
  const limits = { connectTimeoutMs: CONNECT_MS, statementTimeoutMs: STATEMENT_MS };
  const database = resources.use(openDatabase(config, url, 'trainer', limits));
  const probe = resources.use(openProbe(config, url, 'trainer'));
  if (!(await waitForSchema(database, config.RISK_SCHEMA_WAIT_MS, signal))) {
    if (signal.aborted) return EXIT.fine;
    log.fatal('the schema is missing or older than this engine: run `risk migrate`');
    return EXIT.failed;
  }
  if (config.RISK_WORKER_PORT > 0) {
    const readiness = createReadiness({ postgres: () => proveWrite(probe.prove).then(() => true) });
    const vitals = { ...WITHOUT_BREAKERS, readiness, isAlive: () => true, draining: signal };
    const metrics = createProcessMetrics({ role: 'trainer', market });
    resources.use(await serveHealth(config, metrics, log, vitals));
  }
  setPriority(Math.max(getPriority(), NICE));
  signal.addEventListener('abort', () => process.exit(EXIT.fine));
  const all = trainings ?? [NIGHT, END_WORSE, ...ROOMS.flatMap(({ training = [] }) => training)];
  log.info({ market, httpPort: config.RISK_WORKER_PORT }, 'trainer starts');
  await runMaintenance(bindTrainings(all, { config, database }, nowMs), signal, log);
  return EXIT.fine;
}

const WITHOUT_BREAKERS = {
  needs: ['postgres'],
  health: { level: () => 0 as const, breakers: () => [] },
  refused: () => ({ postgres: [], redis: [] }),
} as const;
