/** `risk models watch`: shows what the watch over models found, or checks now. */
import { EXIT } from '../../../kit/command/command.ts';
import { timeOption } from '../../../kit/command/date-options.ts';
import type { Output } from '../../../kit/command/output.ts';
import { watchScores } from '../queries/watch-scores.ts';
import { listWatchReports } from '../store/watch-reports.ts';
import { RULES, type WatchReport } from '../watch-report.ts';
import type { Request } from './request.ts';

/** Features that the table shows, those that drifted furthest first; the JSON has all. */
const FEATURES_SHOWN = 10;

export async function watch({ options, database, context }: Request): Promise<number> {
  const atMs = options.at === undefined ? Date.now() : timeOption('--at', options.at);
  const maturityDays = context.config.RISK_LABEL_MATURITY_DAYS;
  const looks = options.now === true || options.at !== undefined;
  const reports = looks
    ? await watchScores(database, atMs, maturityDays, context.signal)
    : await listWatchReports(database.query, atMs);
  show(context.output, reports);
  return EXIT.fine;
}

function show(output: Output, reports: readonly WatchReport[]): void {
  if (output.json) {
    output.value(reports, []);
    return;
  }
  if (reports.length === 0) output.line('Nothing was watched: no scores, or no worker since.');
  for (const [at, report] of reports.entries()) {
    if (at > 0) output.line();
    showReport(output, report);
  }
}

const DRIFT_COLUMNS = [
  { field: 'of' },
  { field: 'psi' },
  { field: 'level' },
  { field: 'missing' },
  { field: 'before' },
];
const BOUND_COLUMNS = [
  { field: 'flagged' },
  { field: 'precision' },
  { field: 'of' },
  { field: 'recall' },
  { field: 'of frauds' },
];

function showReport(output: Output, report: WatchReport): void {
  const { model, window, rows, outcomes } = report;
  const against = report.compared_with === 'training' ? 'its training' : 'the week before';
  output.line(
    `${model === RULES ? 'rules alone' : model} at ${report.watched_at}: ${report.level}`,
  );
  output.line(`${rows} scores since ${window.from} against ${against}`);
  const features = report.features
    .toSorted((a, b) => (b.psi ?? -1) - (a.psi ?? -1))
    .slice(0, FEATURES_SHOWN);
  output.table(
    DRIFT_COLUMNS,
    [{ feature: 'score', ...report.score }, ...features].map(
      ({ feature, psi, level, ...drift }) => ({
        of: feature,
        psi: psi?.toFixed(3),
        level,
        missing: percent(drift.missing),
        before: percent(drift.missing_reference),
      }),
    ),
  );
  output.line(
    `${outcomes.rows} transactions from ${outcomes.window.from} to ${outcomes.window.to}: ` +
      `${outcomes.labelled} labelled, ${outcomes.frauds} frauds`,
  );
  if (outcomes.labelled === 0) return;
  output.table(
    BOUND_COLUMNS,
    (['review', 'decline'] as const).map((bound) => {
      const { precision, recall } = outcomes[bound];
      return {
        flagged: bound === 'review' ? 'review or decline' : bound,
        precision: interval(precision),
        of: precision?.rows ?? 0,
        recall: interval(recall),
        'of frauds': recall?.rows ?? 0,
      };
    }),
  );
  const { label_delay_seconds: delay, promised, seen } = outcomes;
  if (promised !== null) output.line(`fraud promised ${percent(promised)}, seen ${interval(seen)}`);
  if (delay !== null)
    output.line(`labels after ${days(delay.p50)} (half), ${days(delay.p99)} (99 %)`);
}

function percent(share: number | null): string | null {
  return share === null ? null : `${(100 * share).toFixed(1)} %`;
}

function interval(share: WatchReport['outcomes']['seen']): string | null {
  return share && `${percent(share.value)} (${percent(share.low)} to ${percent(share.high)})`;
}

function days(seconds: number): string {
  return `${(seconds / 86_400).toFixed(1)} days`;
}
