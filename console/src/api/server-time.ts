/** The API's clock, read from the date of each answer: deadlines are the server's, and the browser's clock may be wrong. */

/** A date has whole seconds. */
const DATE_STEP_MS = 1000;

let offsetMs = 0;

/**
 * The server wrote its date between the request and the answer: the offset moves only where the date contradicts this, so that neither a
 * slow answer nor the seconds of a date make times left jump.
 */
export function noteServerDate(date: string | null, askedAtMs: number): void {
  const atMs = Date.parse(date ?? '');
  if (Number.isNaN(atMs)) return;
  const least = atMs - Date.now();
  const most = atMs + DATE_STEP_MS - askedAtMs;
  offsetMs = Math.max(least, Math.min(most, offsetMs));
}

export const serverMs = () => Date.now() + offsetMs;
