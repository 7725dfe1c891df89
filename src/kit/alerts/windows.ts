/**
 * All times of alerts, in one table. The shipped rules have factor 1; the proof that each alert fires multiplies every time by
 * a sixtieth, so that an hour is a minute.
 */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const WINDOWS_SECONDS = {
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

export function windowsAt(factor: number): Windows {
  const seconds = (name: WindowName) => WINDOWS_SECONDS[name] * factor;
  const names = Object.keys(WINDOWS_SECONDS) as WindowName[];
  const durations = names.map((name) => [name, toDuration(seconds(name))] as const);
  return { ...(Object.fromEntries(durations) as Record<WindowName, string>), seconds };
}

/** The largest unit of which the duration is a whole number. */
export function toDuration(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const [unit, unitMs] = UNITS_MS.find(([, one]) => ms % one === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

/** The window of a number of seconds that stands in the table. */
export function windowOf(seconds: number): WindowName {
  const found = (Object.keys(WINDOWS_SECONDS) as WindowName[]).find(
    (name) => WINDOWS_SECONDS[name] === seconds,
  );
  if (found === undefined) throw new Error(`no window has ${seconds} seconds`);
  return found;
}
