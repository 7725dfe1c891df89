/**
 * Notes rows whose entries could not be appended: gathers ids and writes many in one statement. The reconciler appends them as
 * soon as there is room. A row that is not noted costs the reconciler a search, once the row has the age for it.
 */
import type { Database } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { setLeft } from '../store/open-rows/open-rows.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';

const FLUSH_INTERVAL_MS = 50;
const FLUSH_IDS = 1000;
/** Most rows remembered while Postgres does not answer; the reconciler finds the others. */
const IDS_MAX = 10_000;

export type LeftRows = {
  readonly note: (left: readonly Pick<EntryPayload, 'rowId'>[]) => void;
  /** Writes what is gathered; must be called before the pool closes. */
  readonly flush: () => Promise<void>;
};

export function createLeftRows(
  database: Pick<Database, 'query'>,
  log: Pick<Log, 'warn'>,
): LeftRows {
  let gathered = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const write = async () => {
    const rowIds = [...gathered];
    gathered = new Set();
    await setLeft(database.query, rowIds, true).catch((error: unknown) => {
      log.warn({ cause: String(error), rows: rowIds.length }, 'rows left to the reconciler');
    });
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    running = running.then(write);
    return running;
  };
  return {
    note(left) {
      for (const { rowId } of left) {
        if (rowId !== null && gathered.size < IDS_MAX) gathered.add(rowId);
      }
      if (gathered.size >= FLUSH_IDS) void flush();
      else timer ??= setTimeout(() => void flush(), FLUSH_INTERVAL_MS);
    },
    flush,
  };
}
