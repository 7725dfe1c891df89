/** Converts between times that people type in the zone of their browser and the instants in UTC of addresses and the API. */

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):([0-5]\d)(?::([0-5]\d))?)?$/;

/** An example of a time that `readLocal` understands; a date alone means its midnight. */
export const LOCAL_EXAMPLE = '2026-11-25 21:32';

const toInstant = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

/** @returns the instant, or unchanged text that is no time, which the API then refuses by name */
export function readLocal(text: string): string {
  const [, year, month, day, hour = 0, minute = 0, second = 0] = LOCAL.exec(text) ?? [];
  if (year === undefined) return text;
  const time = new Date(+year, Number(month) - 1, Number(day), +hour, +minute, +second);
  // `Date` makes 1 July of 31 June; such a date is refused.
  const isThere = time.getDate() === Number(day) && time.getMonth() + 1 === Number(month);
  return isThere ? toInstant(time.getTime()) : text;
}

/** The inverse of `readLocal`. */
export function showLocal(instant: string): string {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime()) || LOCAL.test(instant)) return instant;
  const two = (value: number) => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const seconds = time.getSeconds();
  const clock = [time.getHours(), time.getMinutes(), ...(seconds === 0 ? [] : [seconds])];
  return `${date} ${clock.map(two).join(':')}`;
}

export const HOUR_MS = 3_600_000;

export const hoursAgo = (hours: number) =>
  toInstant(Math.floor((Date.now() - hours * HOUR_MS) / 1000) * 1000);

/** Midnight of today in the zone of the browser. */
export const startOfToday = () => toInstant(new Date().setHours(0, 0, 0, 0));

/** `UTC+9` */
export function offsetName(): string {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${rest}`}`;
}

/** `Asia/Tokyo, UTC+9` */
export function zoneName(): string {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone === 'UTC' ? zone : `${zone}, ${offsetName()}`;
}
