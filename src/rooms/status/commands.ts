/** `risk status`: shows the state of the pipeline, from a running API. */
import { setTimeout as wait } from 'node:timers/promises';
import { SILENT_MS } from '../../core/stream/status/workers.ts';
import type { AskApi } from '../../kit/client/api-client.ts';
import type { LiveFigures, Status } from '../../kit/client/api-types.ts';
import { type CommandContext, EXIT } from '../../kit/command/command.ts';
import { whole } from '../../kit/command/options.ts';
import type { Output } from '../../kit/command/output.ts';
import { asking, commandOf } from '../../kit/command/rows.ts';
import { RUNBOOKS_PATH } from '../../kit/http/problems-page.ts';

const WATCH_SECONDS_MAX = 3600;

/** Figures that make a corridor worth a line where they are not 0. */
const COUNTS = [
  ...(['lag', 'pending', 'retries_due', 'oldest_age_seconds'] as const),
  ...(['dead_letters', 'degradation'] as const),
];

/** Pending transactions of a corridor are a part of all pending transactions, so the table says where they are. */
const toColumn = (field: (typeof COUNTS)[number]) =>
  field === 'pending' ? { field, title: 'at workers' } : field;

const OPTIONS = {
  '--watch SECONDS': whole(
    'Again every so many seconds, until Ctrl-C',
    { min: 1, max: WATCH_SECONDS_MAX },
    undefined,
  ),
} as const;

const SHOWS =
  'Shows each corridor in which anything waits or is stopped, the totals, degradation that is not 0, missing workers, and signals that are not fine, with their runbooks';
const showAction = asking('', SHOWS, OPTIONS, async ({ values, ask }, context) => {
  for (;;) {
    await show(context.output, ask);
    if (values.watch === undefined || !(await pause(values.watch, context))) return EXIT.fine;
    context.output.line();
  }
});

export const command = commandOf({
  name: 'status',
  summary: 'Shows what waits, what failed and the totals.',
  notes: `Pending in the totals is all that is accepted and not final: the lag, what is at workers, retries, what is on hold and what is
not yet appended.

Example: risk status --json`,
  actions: { '': showAction },
});

/** False when Ctrl-C ended it, which is how a person stops watching. */
async function pause(seconds: number, { signal }: CommandContext): Promise<boolean> {
  await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

async function show(output: Output, ask: AskApi): Promise<void> {
  if (output.json) {
    output.value(await ask('GET /v1/status', {}), []);
    return;
  }
  const { status, signals } = await ask('GET /v1/live', {});
  showTroubles(output, status);
  showWorkers(output, status.workers);
  showCorridors(output, status);
  output.line();
  output.record({ ...status.totals, 'not yet appended': status.unappended });
  showSignals(output, signals);
}

function showTroubles(output: Output, status: Status): void {
  const { postgres, kafka, replica, degradation, breakers } = status;
  if (postgres === 'down') {
    output.line(
      `Postgres does not answer: totals, dead letters, latency and stops are of ${status.totals_counted_at} at the latest; what is pending is unknown.`,
    );
  }
  if (kafka === 'down')
    output.line(
      `Kafka does not answer: what waits in it is unknown: see ${RUNBOOKS_PATH}#kafkadown.`,
    );
  if (replica?.state === 'down') output.line('The replica does not answer: the primary does.');
  if (replica?.state === 'lagging') {
    output.line(`The replica is ${replica.lag_ms} ms behind: the primary answers.`);
  }
  const ofCorridors = (status.corridors ?? []).map((corridor) => corridor.degradation);
  const level = Math.max(degradation, ...ofCorridors);
  if (level > 0) {
    const open = breakers.length === 0 ? '' : ` (${breakers.join(', ')})`;
    output.line(
      `Degradation is at level ${level}${open}: bin/risk degradation list says why. What to do: see ${RUNBOOKS_PATH}#degraded.`,
    );
  }
}

function showWorkers(output: Output, workers: Status['workers']): void {
  if (workers === null) return;
  const { live, missing } = workers;
  if (live === 0)
    output.line(
      `No worker has reported in the last ${SILENT_MS / 1000} s: see ${RUNBOOKS_PATH}#noworkers.`,
    );
  if (missing > 0)
    output.line(
      `${missing === 1 ? 'A worker is' : `${missing} workers are`} missing; bin/risk workers names the silent ones: see ${RUNBOOKS_PATH}#workerdeaf.`,
    );
}

function showCorridors(output: Output, status: Status): void {
  const { redis, corridors } = status;
  const all = corridors ?? [];
  const busy = all.filter(
    (row) => row.stopped !== null || COUNTS.some((field) => Number(row[field]) > 0),
  );
  if (redis === 'down') output.line('Redis does not answer: what waits is unknown.');
  else if (busy.length === 0 && status.postgres === 'down')
    output.line('No stream has a backlog; what waits in Postgres is unknown.');
  else if (busy.length === 0) output.line(`Nothing waits in ${all.length} corridors.`);
  else output.table(['corridor', ...COUNTS.map(toColumn), 'stopped'], busy);
}

function showSignals(output: Output, signals: LiveFigures['signals']): void {
  const raised = signals.filter(({ level }) => level === 'warning' || level === 'critical');
  if (raised.length === 0) return;
  output.line();
  const shown = raised.map((alert) => {
    const say = (value: number | null) => (value === null ? null : sayFigure(alert.signal, value));
    const { value, warning, critical } = alert;
    return { ...alert, value: say(value), warning: say(warning), critical: say(critical) };
  });
  output.table(['signal', 'level', 'value', 'warning', 'critical', 'runbook', 'meaning'], shown);
}

/** A figure rounded, with the unit that the end of the signal's name says. */
function sayFigure(signal: string, value: number): string {
  if (signal.endsWith('_ms')) return `${Math.round(value)} ms`;
  if (signal.endsWith('_ratio')) return `${Number((100 * value).toFixed(1))} %`;
  if (signal.endsWith('_seconds')) return `${Number(value.toFixed(1))} s`;
  return String(Math.round(value));
}
