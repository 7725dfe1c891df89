/** Writes into a prepared request when its transactions happened: `created_at` of live traffic. */

const MARK = Buffer.from('"created_at":"');
const TIME_BYTES = '2026-01-01T00:00:00.000Z'.length;

/**
 * Overwrites each `created_at` of the request, which must be of that form.
 * @param untilMs epoch milliseconds: the last of them
 * @param spanMs the others lie evenly within this time before it, in the order of the request
 */
export function stampTimes(request: Buffer, untilMs: number, spanMs: number): void {
  const places: number[] = [];
  for (let at = request.indexOf(MARK); at >= 0; at = request.indexOf(MARK, at)) {
    at += MARK.byteLength;
    places.push(at);
  }
  let ms = Number.NaN;
  let time = Buffer.alloc(TIME_BYTES);
  for (const [index, place] of places.entries()) {
    const next = Math.floor(untilMs - spanMs * (1 - (index + 1) / places.length));
    if (next !== ms) time = Buffer.from(new Date(next).toISOString(), 'latin1');
    ms = next;
    time.copy(request, place);
  }
}
