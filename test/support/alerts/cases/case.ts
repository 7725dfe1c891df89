/** A case of an alert: series that make it fire at one time, and not at another. */
export type AlertCase = {
  readonly alert: string;
  readonly what: string;
  /** Samples every 15 seconds, of a slow case every hour, in the notation of promtool. */
  readonly series: Readonly<Record<string, string>>;
  readonly isSlow?: boolean;
  /** Rules that fire at `at`, as `ruleKey` names them; absent: `warning` alone; none where no rule may fire. */
  readonly fires?: readonly string[];
  /** Absent: 3m. */
  readonly at?: string;
  /** When no rule fires yet. */
  readonly quietAt?: string;
  /** Labels of what fires, besides those of the rule; absent: the market. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The value, as the summary shows it. */
  readonly value?: string;
};

export const firesOf = ({ fires = ['warning'] }: AlertCase) => fires;

export const M = 'market="m"';
export const MARKET = { market: 'm' };
/** Labels of a series of an API, of a worker. */
export const api = (labels = '') =>
  `{${labels === '' ? '' : `${labels},`}role="api",${M},instance="a"}`;
export const worker = (labels = '') =>
  `{${labels === '' ? '' : `${labels},`}role="worker",${M},instance="w"}`;
/** A gauge that is `before` for so many minutes and `after` from then on. */
export const steps = (before: number, minutes: number, after: number, more = 400) =>
  `${before}x${minutes * 4 - 1} ${after}x${more}`;
