/**
 * `risk reconcile`: does the workers' maintenance of every second until nothing is left, for an operator who
 * does not want to wait or runs no worker.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Reconciler } from '../../../core/repair/reconcile.ts';
import { bindReconciler } from '../../../core/repair/reconcile-duty.ts';
import { requestRescan } from '../../../core/store/recovery/rescan.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  parseArguments,
} from '../../../kit/command/command.ts';
import { timeOption } from '../../../kit/command/date-options.ts';
import { openCommandDatabase, openCommandRedis } from '../../../kit/command/stores.ts';
import { createLeadership, readLeader } from '../../../kit/duties/leadership.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';

/** Pause between two runs that found work. */
const PAUSE_MS = 200;

export const command: Command = {
  name: 'reconcile',
  summary: 'Appends to the streams what is stored but not there.',
  usage: `risk reconcile [--from TIME] [--json]

Closes open batches older than RISK_RECONCILE_AGE_MS and, if Redis or a part of it was lost, brings back
everything that is neither scored nor waiting. Workers do the same every second; running it twice is harmless.

  --from TIME  looks at everything received since then, a date or an RFC 3339 time, whether a loss was
               noticed or not; while a worker reconciles, it is that worker who does

Needs DATABASE_URL and REDIS_URL.`,
  needs: ['DATABASE_URL', 'REDIS_URL'],
  run: reconcile,
};

async function reconcile(args: string[], context: CommandContext): Promise<number> {
  const { config, output, signal } = context;
  const { from } = parseArguments(args, { from: { type: 'string' } }).values;
  const fromMs = from === undefined ? undefined : timeOption('--from', from);
  await using database = openCommandDatabase(context, 'reconcile', { connectionsMax: 2 });
  using connection = await openCommandRedis(context);
  if (fromMs !== undefined) await requestRescan(database, new Date(fromMs));
  await using leadership = createLeadership(database, nameProcess());
  const lead = leadership.of('repair');
  const { redis } = connection;
  const reconciler = bindReconciler(config, database, redis, () => undefined, lead.writes);
  let result: Totals | undefined;
  const led = await lead.run(async () => {
    result = await runUntilDone(reconciler, signal);
  });
  if (!led || result === undefined) {
    const leader = (await readLeader(database, 'repair')) ?? null;
    const does = fromMs === undefined ? 'nothing to do here' : 'and does what is asked here';
    output.value({ leader: false, led_by: leader }, [
      `${leader ?? 'another process'} reconciles: ${does}`,
    ]);
    return EXIT.fine;
  }
  output.record({ leader: true, ...result });
  return result.recovering ? EXIT.failed : EXIT.fine;
}

type Totals = {
  readonly batches: number;
  readonly appended: number;
  readonly recovering: boolean;
};

/** Runs until there is nothing to do and no recovery is left, or until the signal. */
async function runUntilDone(reconciler: Reconciler, signal: AbortSignal): Promise<Totals> {
  let [batches, appended] = [0, 0];
  for (;;) {
    const report = await reconciler.run(signal);
    batches += report.batches;
    appended += report.appended;
    const { recovering, full } = report;
    const isIdle = report.batches === 0 && report.appended === 0 && !recovering;
    // Full streams have to wait for the workers: the operator may run the command again.
    if (signal.aborted || full || isIdle) return { batches, appended, recovering };
    await delay(PAUSE_MS);
  }
}
