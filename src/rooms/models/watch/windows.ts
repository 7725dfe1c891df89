/** Which transactions the watch examines, by created_at. */

/** `toMs` is exclusive. */
type WatchWindow = { readonly fromMs: number; readonly toMs: number };

export type WatchWindows = {
  readonly atMs: number;
  /** The scores that are compared. */
  readonly recent: WatchWindow;
  /** What they are compared with where there is no training. */
  readonly before: WatchWindow;
  /** The scores that are judged by labels: recent enough to be relevant, old enough to have labels. */
  readonly matured: WatchWindow;
};

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** @param maturityDays how long the label of a transaction may take */
export function windowsAt(atMs: number, maturityDays: number): WatchWindows {
  const window = (toMs: number, lengthMs: number) => ({ fromMs: toMs - lengthMs, toMs });
  return {
    atMs,
    recent: window(atMs, DAY_MS),
    before: window(atMs - DAY_MS, WEEK_MS),
    matured: window(atMs - maturityDays * DAY_MS, WEEK_MS),
  };
}
