/**
 * `risk reconcile`: does the workers' maintenance of every second until nothing is left, for an operator who
 * does not want to wait or runs no worker.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { bindReconciler, type Reconciler } from '../../../core/repair/reconcile.ts';
import { openKafka } from '../../../core/stream/kafka/clients.ts';
import { EXIT } from '../../../kit/command/command.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
import { openCommandDatabase, openCommandRedis } from '../../../kit/command/stores.ts';
import { createLeadership, readLeader } from '../../../kit/duties/leadership.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';

/** Pause between two runs that found work. */
const PAUSE_MS = 200;

const APPENDS =
  'Appends what no stream has: what an API could not append, and open rows older than RISK_RECONCILE_AGE_MS that are nowhere in Redis, whatever lost them';
const reconcile = written('', APPENDS, {}, async (_given, context) => {
  const { config, output, signal } = context;
  await using database = openCommandDatabase(context, 'reconcile', { connectionsMax: 2 });
  using connection = await openCommandRedis(context);
  await using leadership = createLeadership(database, nameProcess());
  const lead = leadership.of('repair');
  const { redis } = connection;
  await using kafka = config.KAFKA_URL === undefined ? undefined : openKafka(config.KAFKA_URL);
  const { writes } = lead;
  const reconciler = bindReconciler(config, database, redis, () => undefined, writes, kafka);
  let result: Totals | undefined;
  const led = await lead.run(async () => {
    result = await runUntilDone(reconciler, signal);
  });
  if (!led || result === undefined) {
    const leader = (await readLeader(database.query, 'repair'))?.owner ?? null;
    output.value({ leader: false, led_by: leader }, [
      `${leader ?? 'another process'} reconciles: nothing to do here`,
    ]);
    return EXIT.fine;
  }
  output.record({ leader: true, ...result });
  return EXIT.fine;
});

export const command = commandOf({
  name: 'reconcile',
  summary: 'Appends to the streams what is stored but not there.',
  needs: ['DATABASE_URL', 'REDIS_URL'],
  notes: `Workers do the same every second; running it twice is harmless. Needs DATABASE_URL and REDIS_URL.`,
  actions: { '': reconcile },
});

type Totals = { readonly rows: number; readonly appended: number };

/** Runs until every open row was looked at and nothing is left to do, or until the signal. */
async function runUntilDone(reconciler: Reconciler, signal: AbortSignal): Promise<Totals> {
  let [rows, appended, isWhole] = [0, 0, false];
  for (;;) {
    const report = await reconciler.run(signal);
    rows += report.rows;
    appended += report.appended;
    isWhole = report.lost === 0 && (isWhole || report.isWhole);
    const isIdle = report.rows === 0 && isWhole;
    // Full streams have to wait for the workers: the operator may run the command again.
    if (signal.aborted || report.full || isIdle) return { rows, appended };
    await delay(PAUSE_MS);
  }
}
