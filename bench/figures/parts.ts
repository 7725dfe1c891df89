/**
 * The parts of `npm run figures` as data: the commands of a part, and the tables of pages that the part fills.
 * A part's name is the name of its file in docs/figures.
 */
import type { Result } from './file.ts';
import {
  byBare,
  figures,
  input,
  microseconds,
  rowsOf,
  shown,
  type Table,
  tableOf,
} from './table.ts';

export type Part = {
  readonly name: string;
  /** Commands, each a file and its arguments. */
  readonly runs: readonly (readonly string[])[];
  /** Why the part runs only by name; absent for a part that runs with the others. */
  readonly onlyByName?: string;
  /** Table between `<!--figures:NAME-->` and `<!--/figures-->` of a page. */
  readonly table?: Table;
  /** Further tables by name. */
  readonly more?: Readonly<Record<string, Table>>;
};

const PERFORMANCE = 'performance.md';
const SCALE = 'scale.md';
const DISK = 'it writes some 20 GB';
const bench = (...args: string[]) => ['bench/run.ts', ...args];

const loadName = ({ caseName, inputs: { model } }: Result) =>
  model === 'none' ? caseName : `${caseName}, ${model} deciding`;
const LOADS = tableOf(PERFORMANCE, {
  load: loadName,
  'scored a second': figures('end_to_end_per_second'),
  'by the bare pipeline': byBare,
  'µs: API, worker, Postgres, Redis, all': microseconds,
  'p50, p99 to the score, ms': figures('accepted_to_stored_p50_ms', 'accepted_to_stored_p99_ms'),
});

const TAZAMA =
  'https://github.com/tazama-lf/docs/blob/main/Technical/Performance-Benchmarking/performance-benchmarking-of-arangodb-single-instance-vs-split-databases-vs-clustering.md';
const SAID: Table = {
  page: PERFORMANCE,
  columns: ['said by others', 'transactions a second of a core', 'source'],
  rows: ({ results: [day], machine: { cores } }) => [
    [
      'Tazama, four messages each, stores included',
      '2.4 (2,240 of 944 vCPU)',
      `[report](${TAZAMA}), 2024`,
    ],
    [
      'Run-True Decision, stores left out',
      '66, 56 (266 of 4 vCPU, 1,118 of 20)',
      '[page](https://www.run-true.com/platform/benchmarks/), as of November 2026',
    ],
    ['the day, stores and clients included', shown((day?.perSecond ?? Number.NaN) / cores), ''],
  ],
};

/** The mission's API processes, workers and connections by transactions a second. */
const ASKED = { 50: '1, 1, 30', 200: '2, 2, 50', 500: '4, 5, 80', 1000: '8, 10, 150' };
const CAPACITY: Table = {
  page: SCALE,
  columns: ['a second', 'API, workers, connections', 'asked', 'tier, $ a month', '$ a million'],
  rows: ({ results: [plan] }) =>
    (plan === undefined ? [] : rowsOf(plan, 'capacity')).map((row) => [
      String(row['rate']),
      `${row['api']}, ${row['workers']}, ${row['connections']}`,
      ASKED[Number(row['rate']) as keyof typeof ASKED] ?? '',
      `${row['tier']}, ${row['usd_a_month']}`,
      String(row['usd_a_million']),
    ]),
};

/** Caches as metrics name them, with the mission's hit rates. */
const HITS_ASKED = { scores: 80, recent_summaries: 90, past_summaries: 95 };
const CACHES: Table = {
  page: PERFORMANCE,
  columns: ['cache', '% answered', 'asked'],
  rows: ({ results: [mixed] }) => {
    if (mixed === undefined) return [];
    const percent = (cache: string) =>
      String(rowsOf(mixed, 'caches').find((row) => row['cache'] === cache)?.['hit_percent']);
    const inMemory = rowsOf(mixed, 'profiles').find(({ found }) => found === 'memory');
    const caches = Object.entries(HITS_ASKED);
    return [
      ...caches.map(([cache, asked]) => [cache.replace('_', ' '), percent(cache), String(asked)]),
      ['profiles, in the memory of a worker', shown(100 * Number(inMemory?.['share'])), '70'],
    ];
  },
};

/** A ratio, and the end of its 95 % interval that decides whether the ratio is a breach. */
const ofCalm = (name: string) => figures(`${name} of calm`, `${name} at least`);
const ratio = ({ caseName, figures: own }: Result) => {
  const [middle, from, to] = ['', '_at_least', '_at_most'].map((end) =>
    shown(own[`engine_is_so_many_times_as_cheap${end}`] ?? Number.NaN),
  );
  return caseName === 'engine' ? '1' : `${middle} (${from} to ${to})`;
};

export const PARTS: readonly Part[] = [
  {
    name: 'day',
    runs: [bench('end-to-end', '--load', 'day')],
    table: LOADS,
    more: { said: SAID },
  },
  {
    name: 'loads',
    runs: [
      bench('end-to-end', '--load', 'one-corridor', '--batch', '1000,100'),
      bench('end-to-end', '--load', 'six-corridors', '--batch', '1000,1', '--with-model'),
    ],
    table: LOADS,
  },
  {
    name: 'capped',
    runs: [bench('end-to-end', '--load', 'day', '--capped')],
    onlyByName: 'its user must be allowed to cap processes',
    table: LOADS,
  },
  {
    name: 'decide',
    runs: [bench('decide', '--rates', '250,500,1000,1500,2000')],
    table: tableOf(
      PERFORMANCE,
      {
        'waited decisions a second': input('rate'),
        'of a core': ({ inputs }, { machine }) => shown(Number(inputs['rate']) / machine.cores),
        'p50, p95, p99, ms': figures('decided_p50_ms', 'decided_p95_ms', 'decided_p99_ms'),
        µs: figures('cpu_us_per_transaction'),
      },
      [['8,000 asked of a fleet', '', 'p95 120', '']],
    ),
  },
  {
    name: 'latency',
    runs: [bench('latency')],
    table: tableOf(PERFORMANCE, {
      'open loop': ({ caseName }) => caseName,
      'p50, p95, p99 from due to scored, ms': figures(
        ...['due_to_scored_p50_ms', 'due_to_scored_p95_ms', 'due_to_scored_p99_ms'],
      ),
    }),
  },
  {
    name: 'drain',
    runs: [bench('drain')],
    table: tableOf(PERFORMANCE, {
      'backlog, profiles cold': ({ caseName }) => caseName,
      'scored a second': figures('drained_per_second'),
    }),
  },
  {
    name: 'knee',
    runs: [bench('staircase')],
    table: tableOf(PERFORMANCE, {
      'knee, a second': figures('knee_per_second'),
      'accepted in a spike of three times as much': figures('spike_accepted_per_second'),
      'scored after it, ms': figures('spike_recovery_ms'),
      'p99 before, after, ms': figures('calm_p99_ms_before', 'calm_p99_ms_after'),
    }),
  },
  {
    name: 'soak',
    runs: [bench('soak', '--minutes', '60')],
    onlyByName: DISK,
    table: tableOf(PERFORMANCE, {
      soak: ({ caseName }) => caseName,
      'growth an hour: API, worker, MiB; p50, p99 of posts, ms': figures(
        ...['api_p50_mebibytes_per_hour', 'worker-1_p50_mebibytes_per_hour'],
        ...['http_p50_ms_per_hour', 'http_p99_ms_per_hour'],
      ),
      'lost, doubled': figures('lost', 'doubled'),
    }),
  },
  {
    name: 'capacity',
    runs: [
      bench(
        ...['plan', '--batch', '1', '--connections', '64', '--calibrated', '1000'],
        ...['--rates', '1000', '--capacity', '50,200,500,1000'],
      ),
    ],
    table: CAPACITY,
  },
  {
    name: 'isolation',
    runs: [['test/isolation/run.ts', 'rolled-back', 'schema-dropped']],
    table: tableOf(PERFORMANCE, {
      "a market beside a neighbour's": ({ caseName }) => caseName,
      'p50 of calm, at least': ofCalm('p50'),
      'p99 of calm, at least': ofCalm('p99'),
      'rate of calm, at most': ofCalm('throughput'),
    }),
  },
  {
    name: 'reads',
    runs: [bench('mixed', '--seconds', '300')],
    table: tableOf(PERFORMANCE, {
      requests: ({ caseName }) => caseName,
      'a second at most': figures('requests_per_second'),
      'p50, p95, p99 at 0.7 of it, ms': figures('http_p50_ms', 'http_p95_ms', 'http_p99_ms'),
      µs: figures('cpu_us_per_request'),
    }),
    more: { caches: CACHES },
  },
  {
    name: 'rivals',
    runs: [bench('rivals', '--rounds', '4')],
    table: tableOf(PERFORMANCE, {
      system: ({ caseName }) => caseName,
      µs: figures('cpu_us_per_transaction_median'),
      "of the engine's cost (95 %)": ratio,
    }),
  },
  {
    name: 'history',
    runs: [bench('history', '--parties')],
    table: tableOf(SCALE, {
      'a past of': ({ caseName }) => caseName,
      'rate, by that in order of time': figures('rate_divided_by_first'),
      'processor time, by that in order of time': figures('cpu_divided_by_first'),
    }),
  },
  {
    name: 'export',
    runs: [bench('export')],
    onlyByName: DISK,
    table: tableOf(PERFORMANCE, {
      export: ({ caseName }) => caseName,
      'rows a second': figures('rows_per_second'),
      'p99 of posts beside, by that alone': ({ figures: { http_p99_ratio: own } }) =>
        own === undefined ? '' : shown(own),
    }),
  },
  {
    name: 'supervise',
    runs: [bench('supervise')],
  },
  {
    name: 'cliff',
    runs: [bench('cliff', '--curve', '100,200,400,700')],
    onlyByName: DISK,
    table: tableOf(PERFORMANCE, {
      'accounts in use': ({ caseName }) => caseName,
      'scored a second, worst ten seconds': figures(
        ...['end_to_end_per_second', 'worst_window_per_second'],
      ),
      µs: figures('cpu_us_per_transaction'),
    }),
  },
  {
    name: 'growth',
    runs: [bench('growth')],
    onlyByName: DISK,
    table: tableOf(PERFORMANCE, {
      'rows in the table': ({ inputs }) => shown(Number(inputs['rows'])),
      'rows of an account': input('rows_each_account'),
      µs: figures('cpu_us_per_transaction'),
      'by the first of its kind': figures('cost_ratio_to_first_run'),
    }),
  },
];
