/** Service level objectives, how fast their error budgets burn, and the alerts on it: two windows each, so that an alert ends soon after its cause. */
import type { Alert, Recording, Severity } from '../../../kit/alerts/alert.ts';
import type { WindowName, Windows } from '../../../kit/alerts/windows.ts';
import { depth } from './recordings.ts';

type Objective = {
  readonly slo: string;
  /** Share that must be good. */
  readonly target: number;
  /** Share that is bad, by market. */
  readonly bad: (window: string) => string;
};

/** Queue depth that the objective of lag allows. */
const DEPTH_MAX = 5000;
const LAG_OVER = 'risk:lag_over:bool';

const rate = (series: string, window: string) => `sum by (market) (rate(${series}[${window}]))`;
const ratio = (part: string, whole: string) => (window: string) =>
  `${rate(part, window)} / (${rate(whole, window)} > 0)`;
const late = (inTime: string, all: string) => (window: string) =>
  `1 - ${ratio(inTime, all)(window)}`;

export const OBJECTIVES: readonly Objective[] = [
  { slo: 'requests', target: 0.9995, bad: ratio('risk:request_errors:sum', 'risk:requests:sum') },
  { slo: 'reads', target: 0.99, bad: late('risk:reads_in_time:sum', 'risk:reads:sum') },
  { slo: 'scores', target: 0.95, bad: late('risk:scores_in_time:sum', 'risk:scores:sum') },
  {
    slo: 'lag',
    target: 0.999,
    bad: (window) => `avg_over_time(${LAG_OVER}[${window}])`,
  },
];

/** A burn rate of 1 spends the budget in 30 days exactly. */
const BURNS = [
  { burn: 14.4, long: 'hour', short: 'fiveMinutes', severity: 'critical' },
  { burn: 6, long: 'sixHours', short: 'halfHour', severity: 'critical' },
  { burn: 3, long: 'day', short: 'twoHours', severity: 'warning' },
  { burn: 1, long: 'threeDays', short: 'sixHours', severity: 'warning' },
] as const satisfies readonly {
  readonly burn: number;
  readonly long: WindowName;
  readonly short: WindowName;
  readonly severity: Severity;
}[];

const burnOf = (window: WindowName) => `risk:slo_burn:rate_${window}`;
const burns = (window: WindowName): Recording[] =>
  OBJECTIVES.map(({ slo, target, bad }) => ({
    record: burnOf(window),
    labels: { slo },
    // The budget is rounded, as 1 - 0.9995 is not 0.0005.
    expression: (windows: Windows) =>
      `(${bad(windows[window])}) / ${Number((1 - target).toFixed(6))}`,
  }));

export const BURN_RATES: readonly Recording[] = [
  { record: LAG_OVER, expression: ({ minute }) => `${depth(minute)} > bool ${DEPTH_MAX}` },
  ...[...new Set(BURNS.flatMap(({ long, short }) => [long, short]))].flatMap(burns),
];

/** Evaluated seldom, as it reads a month. */
export const BUDGETS: readonly Recording[] = [
  ...burns('month'),
  { record: 'risk:slo_budget_left:ratio', expression: () => `1 - ${burnOf('month')}` },
];

export const OBJECTIVE_ALERTS: readonly Alert[] = [
  {
    name: 'BudgetBurns',
    level: 'global',
    summary: 'The error budget of the objective {{ $labels.slo }} burns too fast.',
    rules: BURNS.map(({ burn, long, short, severity }) => ({
      severity,
      // The long window says that it matters, the short one that it goes on.
      when: () => `${burnOf(long)} > ${burn} and ${burnOf(short)} > ${burn}`,
      window: long,
    })),
  },
  {
    name: 'BudgetLow',
    level: 'global',
    summary: 'Less than a tenth of the error budget of the objective {{ $labels.slo }} is left.',
    runbook: 'BudgetBurns',
    rules: [{ severity: 'info', when: () => 'risk:slo_budget_left:ratio < 0.1' }],
  },
];
