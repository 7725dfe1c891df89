/** Converts between times that people type in the zone of their browser and the instants in UTC of addresses and the API. */
import { serverMs } from '../api/server-time.ts';

/** A day or a time, which may have an offset from UTC. */
const TYPED =
  /^(\d{4}-\d\d-\d\d)(?:[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d{1,6})?))?(?: ?(Z|UTC|(?:UTC|GMT)?([+−-])(0?\d|1[0-4])(?::?([0-5]\d))?))?)?$/i;
/** An instant as the API takes it, or a day, which begins at midnight UTC. */
const SENT = /^(\d{4}-\d\d-\d\d)(T.+(Z|[+-]\d\d:\d\d))?$/;

/** An example of a time that `readLocal` understands; a date alone means its midnight. */
export const LOCAL_EXAMPLE = '2026-11-25 21:32';

const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** The clocks of a zone are put forward or back by at most a day. */
const SHIFT_MS_MAX = 24 * HOUR_MS;

const toInstant = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
/** `2026-11-25 21:32`, with seconds where there are some. @param wallMs what clocks show, as if their zone were UTC */
const textOf = (wallMs: number) =>
  new Date(wallMs).toISOString().slice(0, 19).replace('T', ' ').replace(/:00$/, '');
const timeOf = (ms: number) => textOf(ms + offsetMs(ms));

/** The offset of the browser's zone at an instant. */
const offsetMs = (ms: number) => -new Date(ms).getTimezoneOffset() * MINUTE_MS;

/** The instants at which the clocks of the zone show a time: none as they go forward, two as they go back. */
function instantsOf(wallMs: number): number[] {
  const offsets = new Set([wallMs - SHIFT_MS_MAX, wallMs + SHIFT_MS_MAX].map(offsetMs));
  return [...offsets].map((ms) => wallMs - ms).filter((ms) => ms + offsetMs(ms) === wallMs);
}

export const isTwice = (ms: number) => instantsOf(ms + offsetMs(ms)).length > 1;

type Meant = {
  readonly ms: number;
  /** The typed time, if the clocks of the zone leave it out. */
  readonly skipped?: string;
  readonly again?: number | undefined;
};

/** @returns undefined for text that is no time */
function meantBy(text: string): Meant | undefined {
  const [, day = '', hour = '00', minute = '00', second = '00', zone, sign, hours, minutes] =
    TYPED.exec(text.trim()) ?? [];
  const wallMs = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  // `Date` makes 1 July of 31 June; such a date is refused.
  if (Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(day)) return undefined;
  if (zone !== undefined) {
    const givenMs = Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * MINUTE_MS;
    return { ms: wallMs - (sign === '+' ? givenMs : -givenMs) };
  }
  const [ms, again] = instantsOf(wallMs);
  if (ms !== undefined) return { ms, again };
  return { ms: wallMs - offsetMs(wallMs - SHIFT_MS_MAX), skipped: textOf(wallMs) };
}

/** @returns the instant, or unchanged text that is no time, which the API then refuses by name */
export function readLocal(text: string): string {
  const meant = meantBy(text);
  return meant === undefined ? text : toInstant(meant.ms);
}

/** Says which time is sent for the typed one, with its offset; empty for an empty text. */
export function sayLocal(text: string): string {
  if (text.trim() === '') return '';
  const meant = meantBy(text);
  if (meant === undefined) return `This is no time: write it as ${LOCAL_EXAMPLE}.`;
  const { ms, skipped, again } = meant;
  const time = `${timeOf(ms)} ${offsetName(ms)}`;
  if (skipped !== undefined) return `${zone()} has no ${skipped}: ${time} is sent.`;
  if (again === undefined) return time;
  return `${zone()} has ${timeOf(ms)} twice: ${time} is sent, unless you add ${offsetName(again)}.`;
}

/** An instant as the API takes it; NaN for other texts, which the API refuses. */
export function instantMs(text: string): number {
  const [, day = '', time] = SENT.exec(text) ?? [];
  const ms = day === '' ? Number.NaN : Date.parse(text);
  return time === undefined && meantBy(day) === undefined ? Number.NaN : ms;
}

/** The inverse of `readLocal`: a time that the clocks of the zone show twice has its offset. */
export function showLocal(instant: string): string {
  const ms = instantMs(instant);
  if (Number.isNaN(ms)) return instant;
  return isTwice(ms) ? `${timeOf(ms)} ${offsetName(ms)}` : timeOf(ms);
}

export const hoursAgo = (hours: number) =>
  toInstant(Math.floor((serverMs() - hours * HOUR_MS) / 1000) * 1000);

/** Midnight of today in the zone of the browser. */
export const startOfToday = () => readLocal(timeOf(serverMs()).slice(0, 10));

/** `UTC+9`, the offset at an instant. */
export function offsetName(ms = serverMs()): string {
  const minutes = offsetMs(ms) / MINUTE_MS;
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const fraction = rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`;
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${fraction}`;
}

/** A label with the offset at the time that is typed; without a time, the offset now. */
export const timeLabel = (label: string, typed: string) =>
  `${label} (${offsetName(meantBy(typed)?.ms)})`;

const zone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `Asia/Tokyo, UTC+9`, or `Europe/Berlin, UTC+1 in January, UTC+2 in July` */
export function zoneName(): string {
  const year = new Date(serverMs()).getUTCFullYear();
  const [january, july] = [0, 6].map((month) => offsetName(Date.UTC(year, month)));
  const offsets = january === july ? offsetName() : `${january} in January, ${july} in July`;
  return zone() === 'UTC' ? zone() : `${zone()}, ${offsets}`;
}
