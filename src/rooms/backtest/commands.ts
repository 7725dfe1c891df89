/** `risk backtest …`: backtests over a running API. */
import { readDataFile } from '../../kit/command/data-file.ts';
import { commandOf } from '../../kit/command/rows.ts';
import type { BandsJson } from './count/bands.ts';
import type { Report } from './count/report.ts';

/** As much as the API takes. */
const FILE_BYTES_MAX = 524_288;
/** Fields beside the version, by their options. */
const options = {
  from: 'from',
  to: 'to',
  'known-by': 'known_by',
  corridor: 'corridor',
  model: 'model',
  'review-from': 'review_from',
  'decline-from': 'decline_from',
  'against-rule-set': 'against_rule_set',
  'against-model': 'against_model',
};

type Told = Readonly<Record<string, unknown>> & { readonly report?: Report | null };

/** Leaves the most telling figures of a report. */
function tell({ report, ...fields }: Told): Readonly<Record<string, unknown>> {
  if (report === undefined || report === null) return fields;
  const { rows, days, frauds, legitimates, unlabelled, subject, against, changes, flips, rules } =
    report;
  return {
    ...fields,
    rows,
    days,
    frauds,
    legitimates,
    unlabelled,
    ...changes,
    versions: [subject, against].map(({ version, alerts, auc, average_precision, ...figures }) => ({
      version,
      alerts_per_day: figures.alerts_per_day,
      officers: figures.officers,
      precision: alerts.precision?.value,
      recall: alerts.recall?.value,
      f1: alerts.f1?.value,
      auc: auc?.value,
      average_precision,
    })),
    flips: flips.map(({ examples, ...flip }) => ({
      ...flip,
      first: examples[0]?.transaction_id,
    })),
    rules: rules.map(({ id, hits, fraud, legitimate, without }) => ({
      id,
      hits,
      fraud,
      legitimate,
      alerts_less_without: without.alerts,
      frauds_less_without: without.frauds_caught,
    })),
  };
}

const sayAsked = ({ backtest_id: id }: Readonly<Record<string, unknown>>) =>
  `A worker runs it: bin/risk backtest show ${id} says how far it is, and has its report once it is done`;

/** Says before and after of each corridor, and of all, in a row. */
function tellBands(answer: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { corridors, ...all } = answer as BandsJson;
  const bandsOf = ({ review, decline }: { review: number; decline: number }) =>
    `${review}/${decline}`;
  const figures = ({ before, after }: Pick<BandsJson, 'before' | 'after'>) => ({
    alerts_per_day: `${before.alerts_per_day} -> ${after.alerts_per_day}`,
    frauds_caught: `${before.frauds_caught} -> ${after.frauds_caught}`,
    legitimate_stopped: `${before.legitimate_stopped} -> ${after.legitimate_stopped}`,
  });
  return {
    bands: [
      ...corridors.map(({ corridor, bands_before, bands_after, ...both }) => ({
        corridor,
        bands: `${bandsOf(bands_before)} -> ${bandsOf(bands_after)}`,
        ...figures(both),
      })),
      { corridor: 'all', bands: '', ...figures(all) },
    ],
  };
}

export const command = commandOf({
  name: 'backtest',
  summary: 'Says what a version of rules or a model would have decided.',
  notes: `FILE is a rule set, as risk rules export writes it. A backtest runs in a worker; show --json prints the whole report.
Example: risk backtest run --from 2026-11-01 --to 2026-11-08 --rule-set careful@1`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    run: {
      operation: 'requestBacktest',
      options: { ...options, 'rule-set': 'rule_set' },
      fields: { source: undefined },
      notes: sayAsked,
    },
    file: {
      operation: 'requestBacktest',
      summary: 'Ask what the rule set of a file would have decided',
      words: { FILE: async (path) => ({ source: await readDataFile(path, FILE_BYTES_MAX) }) },
      options,
      notes: sayAsked,
    },
    list: {
      operation: 'listBacktests',
      columns: [
        'backtest_id',
        'state',
        'version',
        'against',
        'from',
        'to',
        'progress',
        'requested_by',
      ],
    },
    show: { operation: 'readBacktest', tell },
    bands: { operation: 'readBacktestBands', tell: tellBands },
    resume: { operation: 'resumeBacktest', notes: sayAsked },
  },
});
