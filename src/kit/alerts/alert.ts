/** An alert as data: `deploy/prometheus` and `deploy/alertmanager` are made of all alerts. */
import { TRIGGERS, type Trigger, type TriggerName } from './triggers.ts';

/** Critical wakes somebody, a warning is looked at today, information is read when there is time. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The scope that an alert speaks of. A region is the corridors of one source country. */
type AlertLevel = 'global' | 'region' | 'corridor' | 'service' | 'model';

export type AlertRule = {
  readonly severity: Severity;
  /** PromQL that has a value for each thing that is wrong. */
  readonly when: (windows: Windows) => string;
  /** How long the expression must have values; at once without. */
  readonly lasts?: WindowName;
  /** Window that tells rules of one severity apart. */
  readonly window?: WindowName;
  /** The change of processes that cures it, as `worker up`. */
  readonly scale?: string;
};

export type Alert = {
  readonly name: string;
  readonly level: AlertLevel;
  readonly summary: string;
  /** Heading in docs/runbooks.md; without it, the name. */
  readonly runbook?: string;
  readonly rules: readonly AlertRule[];
};

/** A series that is computed at each evaluation, for the alerts. */
export type Recording = {
  readonly record: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly expression: (windows: Windows) => string;
};

/**
 * All times of alerts, in one table. The shipped rules have factor 1; the proof that each alert fires multiplies every time by
 * a sixtieth, so that an hour is a minute.
 */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WINDOWS_SECONDS = {
  /** Between two scrapes, and between two evaluations of rules. */
  scrape: 15,
  minute: MINUTE,
  fiveMinutes: 5 * MINUTE,
  quarter: 15 * MINUTE,
  halfHour: 30 * MINUTE,
  hour: HOUR,
  twoHours: 2 * HOUR,
  sixHours: 6 * HOUR,
  day: DAY,
  threeDays: 3 * DAY,
  week: 7 * DAY,
  month: 30 * DAY,
} as const;
export type WindowName = keyof typeof WINDOWS_SECONDS;

/** Durations as PromQL writes them, and as seconds. */
export type Windows = {
  readonly [name in WindowName]: string;
} & { readonly seconds: (name: WindowName) => number };

const UNITS_MS = [
  ['d', DAY * 1000],
  ['h', HOUR * 1000],
  ['m', MINUTE * 1000],
  ['s', 1000],
] as const;

/** Rules for a value that is bad above two thresholds. */
export function above(
  value: (windows: Windows) => string,
  { warning, critical }: { readonly warning: number; readonly critical: number },
  lasts?: WindowName,
): AlertRule[] {
  return [['warning', warning] as const, ['critical', critical] as const].map(
    ([severity, threshold]) => ({
      severity,
      when: (windows) => `${value(windows)} > ${threshold}`,
      ...(lasts === undefined ? {} : { lasts }),
    }),
  );
}

/** The rule of a trigger, whose measure is `value` over the window that is given. */
export function triggered(
  name: TriggerName,
  severity: Severity,
  value: (window: string) => string,
): AlertRule {
  const trigger: Trigger | undefined = TRIGGERS.find((trigger) => trigger.name === name);
  if (trigger === undefined) throw new Error(`${name} is no trigger`);
  const { add, threshold, role, windowSeconds, forSeconds } = trigger;
  const when = (windows: Windows) =>
    `${value(windows[windowOf(windowSeconds)])} ${add ? '>' : '<'} ${threshold}`;
  const scale = `${role} ${add ? 'up' : 'down'}`;
  return { severity, when, scale, ...(forSeconds === 0 ? {} : { lasts: windowOf(forSeconds) }) };
}

/** Events of a counter in the last five minutes, summed up by labels. */
export const fresh =
  (series: string, by = 'market') =>
  ({ fiveMinutes }: Windows) =>
    `sum by (${by}) (increase(${series}[${fiveMinutes}])) > 0`;

export function windowsAt(factor: number): Windows {
  const seconds = (name: WindowName) => WINDOWS_SECONDS[name] * factor;
  const names = Object.keys(WINDOWS_SECONDS) as WindowName[];
  const durations = names.map((name) => [name, toDuration(seconds(name))] as const);
  return { ...(Object.fromEntries(durations) as Record<WindowName, string>), seconds };
}

/** The largest unit of which the duration is a whole number. */
export function toDuration(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const [unit, unitMs] = UNITS_MS.find(([, trigger]) => ms % trigger === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

/** The window of a number of seconds that stands in the table. */
function windowOf(seconds: number): WindowName {
  const found = (Object.keys(WINDOWS_SECONDS) as WindowName[]).find(
    (name) => WINDOWS_SECONDS[name] === seconds,
  );
  if (found === undefined) throw new Error(`no window has ${seconds} seconds`);
  return found;
}
