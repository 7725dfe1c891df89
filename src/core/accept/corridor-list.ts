/**
 * The corridors that a transaction may name, read again every few seconds; the last list read stays in force.
 */
import type { Log } from '../../kit/metrics/log.ts';

const REFRESH_MS = 5000;

export type CorridorList = {
  readonly corridors: () => ReadonlySet<string>;
  readonly [Symbol.dispose]: () => void;
};

/** Fails when the first list cannot be read. */
export async function watchCorridors(
  listCorridors: () => Promise<readonly string[]>,
  log: Pick<Log, 'warn'>,
): Promise<CorridorList> {
  let known: ReadonlySet<string> = new Set(await listCorridors());
  let isReading = false;
  const timer = setInterval(async () => {
    if (isReading) return;
    isReading = true;
    try {
      known = new Set(await listCorridors());
    } catch (error) {
      log.warn({ cause: String(error) }, 'the list of corridors could not be read again');
    } finally {
      isReading = false;
    }
  }, REFRESH_MS);
  timer.unref();
  return { corridors: () => known, [Symbol.dispose]: () => clearInterval(timer) };
}
