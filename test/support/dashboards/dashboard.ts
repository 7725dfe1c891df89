/** Dashboards as data: what a person decides about one. `make-dashboard.ts` writes the JSON of Grafana from it. */

/** Units as Grafana names them. */
export type Unit =
  | 'bytes'
  | 'currencyUSD'
  | 'cps'
  | 'none'
  | 'percentunit'
  | 'reqps'
  | 's'
  | 'short';

export type Query = {
  /** PromQL with `$market`, other variables of the dashboard and `$__rate_interval`. */
  readonly expression: string;
  /** Name of a line, with labels as {{label}}. */
  readonly legend: string;
};

export type Panel = {
  readonly title: string;
  readonly unit: Unit;
  /** A number is the last value; the others are drawn over time. */
  readonly kind: 'lines' | 'number' | 'stacked';
  /** Bounds of the colours and lines; where `critical` is below `warning`, small values are bad. */
  readonly bounds?: { readonly warning: number; readonly critical: number };
  /** Beside the help of the metrics. */
  readonly note?: string;
  readonly queries: readonly Query[];
};

export type Variable =
  | { readonly name: 'market' | 'corridor' | 'model' | 'instance'; readonly of: string }
  | { readonly name: string; readonly label: string; readonly byDefault: string };

export type Dashboard = {
  /** Name of the file and of the address. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
};

/** The interval of a rate. */
const RATE = '[$__rate_interval]';
export const HTTP = 'risk_http_request_duration_seconds';
export const ACCEPTED = 'risk_transactions_accepted_total';
export const SCORED = 'risk_transactions_scored_total';
export const LATENCY = 'risk_score_latency_seconds';
export const DEAD = 'risk_dead_letters_total';
export const CPU = 'risk_process_cpu_seconds_total';
export const MARKET = 'market=~"$market"';
export const CORRIDOR = `${MARKET},corridor=~"$corridor"`;

export const OF_API = `${MARKET},job="risk-api"`;
/** The engine is not to blame for what people have stopped. */
export const FAILED = 'status=~"5..",problem=""';

/** Increases a second of a counter, summed by labels. */
export const perSecond = (counter: string, selector: string, by = '') =>
  `sum${grouped(by)} (rate(${counter}{${selector}}${RATE}))`;

/** The share that events of `part` have among those of `whole`; 0 where no event of `part` occurred yet. */
export const share = (part: Counted, whole: Counted, by = '') => {
  const all = perSecond(...whole, by);
  return `(${perSecond(...part, by)} or 0 * ${all}) / ${all}`;
};
type Counted = readonly [counter: string, selector: string];

export const quantile = (nth: number, histogram: string, selector: string, by = '') =>
  `histogram_quantile(${nth}, sum by (${['le', ...(by === '' ? [] : [by])].join(', ')}) (rate(${histogram}_bucket{${selector}}${RATE})))`;

/** A line each for the median, 95 and 99 % of a histogram. */
export const quantiles = (histogram: string, selector: string): Query[] =>
  [0.5, 0.95, 0.99].map((nth) => ({
    expression: quantile(nth, histogram, selector),
    legend: `p${nth * 100}`,
  }));

/** A gauge that several processes report alike. */
export const largest = (gauge: string, selector: string, by = '') =>
  `max${grouped(by)} (${gauge}{${selector}})`;

/** A gauge of the worker that leads, of the last minute: it is absent for a moment while another worker takes the lead. */
export const ofLeader = (gauge: string, selector: string, by = '') =>
  `max${grouped(by)} (last_over_time(${gauge}{${selector}}[1m]))`;

/** The sum over streams, each of which all workers report. */
export const overStreams = (gauge: string, selector: string, by = '') =>
  `sum${grouped(by)} (max by (market, corridor, shard) (${gauge}{${selector}}))`;

type More = Pick<Panel, 'bounds' | 'note'>;
const panelOf =
  (kind: Panel['kind']) =>
  /** @param shown an expression draws a line for each value of the labels by which it groups */
  (title: string, unit: Unit, shown: string | readonly Query[], more: More = {}): Panel => ({
    ...{ title, unit, kind, ...more },
    queries: typeof shown === 'string' ? one(shown, labelsOf(shown)) : shown,
  });
const labelsOf = (expression: string) => {
  const [, by = ''] = / by \(([^)]*)\)/.exec(expression) ?? [];
  const labels = by.split(', ').filter((label) => label !== 'le');
  return labels.map((label) => `{{${label}}}`).join(' ');
};
export const lines = panelOf('lines');
export const stacked = panelOf('stacked');
export const number = panelOf('number');

export const upTo = (warning: number, critical: number): More => ({
  bounds: { warning, critical },
});
export const ERRORS = upTo(0.01, 0.05);

export const ofTraffic = (name: 'market' | 'corridor'): Variable => ({ name, of: ACCEPTED });
export const ofProcesses = (name: 'market' | 'instance'): Variable => ({ name, of: CPU });

/** Panels of one line. */
export const one = (expression: string, legend: string): Query[] => [{ expression, legend }];

const grouped = (by: string) => (by === '' ? '' : ` by (${by})`);
