/**
 * A process' copy of what parties owe. Requests append their units to one log in Redis, and every process takes all entries in the
 * order of the log and by the log's time, so that all come to the same debts and each decides its own requests. A process that
 * comes new, or was away, reads the debts that another has saved and the log after them.
 */
import type { Guard } from '../../../kit/breakers/breaker.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { appendParties, LOG_BEGINS, readDebts, saveDebts } from '../../stream/party-log.ts';
import { createPartyDebts } from './party-debts.ts';
import { type Lacking, takeUnits } from './party-units.ts';

/**
 * Cells of a log after which debts are saved and the log begins anew: a log of 1 MB. A longer log takes a new process longer to
 * read; a shorter one has debts saved more often. A log as long as the table makes saving cost no more than appending.
 */
const LOG_CELLS = 2 ** 17;
/** Cells that an entry counts besides its own, for what the stream needs of memory. */
const ENTRY_CELLS = 8;
/** Replies until the copy is complete, each a page: the longest log has 150. */
const REPLIES_MAX = 200;
/** Times are counted from here on: in smaller numbers fractions of a millisecond are exact to 10⁻⁵. */
const EPOCH_MS = Date.UTC(2026, 0);

type Request = { readonly units: Buffer; readonly quietMs: number };
type Waiting = Request & {
  readonly resolve: (lacking: readonly Lacking[]) => void;
  readonly reject: (error: unknown) => void;
};

export type PartyCopy = {
  /** @returns the units that are lacking. Throws a Failure where Redis does not answer */
  readonly take: (request: Request) => Promise<readonly Lacking[]>;
};

/** Each process takes the entries of all processes, so each further process adds 0.8 µs to the cost of a transaction. */
export function createPartyCopy(
  { redis, market, run }: { redis: RedisClient; market: string; run: Guard },
  logCells = LOG_CELLS,
): PartyCopy {
  const debts = createPartyDebts();
  /** The last entry that was taken; undefined before the first call, and once entries are gone. */
  let known: string | undefined;
  let savedAt = LOG_BEGINS;
  /** Cells of the log since `savedAt`. */
  let cells = 0;
  let waiting: Waiting[] = [];
  let isCalling = false;

  const takeEntry = (id: string, units: Buffer): readonly Lacking[] => {
    cells += ENTRY_CELLS + units.length / Float64Array.BYTES_PER_ELEMENT;
    known = id;
    return takeUnits(debts, units, timeOf(id));
  };
  const readSaved = async (): Promise<string> => {
    const saved = await run(() => readDebts(redis, market));
    debts.replace(saved?.debts ?? Buffer.alloc(0));
    savedAt = saved?.at ?? LOG_BEGINS;
    cells = 0;
    return savedAt;
  };
  const saveAt = (at: string, quietMs: number): void => {
    const saving = { at, debts: debts.pack(timeOf(at)), since: savedAt, quietMs };
    cells = 0;
    // Debts that are not saved now are saved after as many entries again.
    run(() => saveDebts(redis, market, saving)).catch(() => undefined);
  };
  const order = async (requests: readonly Request[]): Promise<(readonly Lacking[])[]> => {
    const units = requests.map((request) => request.units);
    const quietMs = Math.max(...requests.map((request) => request.quietMs));
    for (let replies = 0; replies < REPLIES_MAX; replies++) {
      known ??= await readSaved();
      const ask = { known, quietMs, units };
      const reply = await run(() => appendParties(redis, market, ask));
      if (reply.isBehind) {
        known = undefined;
        continue;
      }
      if (reply.savedAt !== savedAt) cells = 0;
      savedAt = reply.savedAt;
      for (const entry of reply.missed) takeEntry(entry.id, entry.units);
      if (reply.ids.length < units.length) continue;
      const lacking = units.map((one, nth) => takeEntry(reply.ids[nth] ?? '', one));
      if (cells > Math.max(logCells, debts.cells() / 2)) saveAt(reply.ids.at(-1) ?? '', quietMs);
      return lacking;
    }
    throw new Failure('unavailable', 'PARTIES_BEHIND', 'The log of parties could not be read up');
  };
  // A single call at a time keeps the order of the log; requests that come meanwhile share the next call.
  const callUntilNoneWaits = async (): Promise<void> => {
    isCalling = true;
    while (waiting.length > 0) {
      const requests = waiting;
      waiting = [];
      try {
        const lacking = await order(requests);
        for (const [nth, { resolve }] of requests.entries()) resolve(lacking[nth] ?? []);
      } catch (error) {
        for (const { reject } of requests) reject(error);
      }
    }
    isCalling = false;
  };
  return {
    take(request) {
      return new Promise((resolve, reject) => {
        waiting.push({ ...request, resolve, reject });
        if (!isCalling) void callUntilNoneWaits();
      });
    },
  };
}

const timeOf = (id: string) => Number(id.slice(0, id.indexOf('-'))) - EPOCH_MS;
