/** Times of exported rows, as Date writes them at three times the cost. */
import { DAY_MS } from '../../../kit/words/utc-bucket.ts';

/** Two and three digits of the numbers below 60 and 1,000. */
const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const THREE = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'));
let dayMs = Number.NaN;
let dayText = '';

/** Epoch milliseconds of the text of a `time`. */
export const timeMs = (text: string): number => Math.round(Number(text) * 1000);

/** RFC 3339 of the text of a `time`. Rows come in the order of time, so that the day is nearly always that of the one before. */
export function timeText(text: string): string {
  const ms = timeMs(text);
  const inDay = ms - dayMs;
  if (!(inDay >= 0 && inDay < DAY_MS)) return isoOfOtherDay(ms);
  const seconds = Math.floor(inDay / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${dayText}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[inDay % 1000]}Z`;
}

function isoOfOtherDay(ms: number): string {
  const iso = new Date(ms).toISOString();
  dayMs = Math.floor(ms / DAY_MS) * DAY_MS;
  dayText = iso.slice(0, -'00:00:00.000Z'.length);
  return iso;
}
