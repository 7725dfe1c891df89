/**
 * Follows subjects in Postgres. One statement every EVERY_MS asks for the mark of each subject, and a subject is read only
 * where its mark is another one. A mark is made of rows that are visible and compared for equality, never for order: a change
 * counts once it is committed, however late that is. A mark that a lock holds up delays the others until the common statement is
 * refused, once, by 2 s at most (the probe's); then all are asked alone, and the lock delays its own subject only.
 */
import { shareCalls } from '../caches/at-most-once-in.ts';
import type { Log } from '../metrics/log.ts';
import { Failure, toError } from '../words/failure.ts';
import { mayBeDone } from './pg-failure.ts';
import type { Database } from './pool.ts';
import { lockWait } from './statement.ts';

/** Longer: a change reaches every process later than within two seconds. Shorter: an idle process asks more often. */
const EVERY_MS = 500;
/** Age from which a subject is read anew before it is used, also in a process that was frozen. */
export const STALE_MS = 1500;
/**
 * How long the mark of a subject that is asked alone waits for a lock. Longer: each locked table delays all subjects by more of
 * STALE_MS, as they share a connection. Shorter: a subject fails for a lock that a migration has for a moment.
 */
const LOCK_WAIT_MS = 250;
const waitBriefly = lockWait(LOCK_WAIT_MS);

export type Subject<Read = unknown> = {
  /** A word, for the log and the name of the statement. */
  readonly name: string;
  /** A scalar expression of a text that changes whenever `load` would read something else. */
  readonly mark: string;
  /** Reads the subject. Where it throws, the subject stays as it is, and is read again with the next marks. */
  readonly load: () => Promise<Read>;
};

type Followed<Read = unknown> = {
  /** Asks now; calls meanwhile share the answer. Throws a Failure. */
  readonly refresh: () => Promise<void>;
  /** The subject as it was 1.5 s ago or later. Throws a Failure. */
  readonly fresh: () => Promise<Read>;
  /** The subject as last read; called after the first reading. */
  readonly last: () => Read;
  /** Time since the subject certainly was as last read. */
  readonly ageMs: () => number;
};

export type Changes = ReturnType<typeof followChanges>;

type Marks = { readonly askedMs: number; readonly of: Readonly<Record<string, string | null>> };
const NO_MARKS: Marks = { askedMs: Number.NEGATIVE_INFINITY, of: {} };

async function askMarks(asked: readonly Subject[], send: Database['query']) {
  const columns = asked.map(({ name, mark }) => `${mark} as "${name}"`);
  const name = `marks-of-${asked.map((source) => source.name).join('-')}`;
  const [of = {}] = await send<Marks['of']>({ name, text: `select ${columns.join(', ')}` });
  return of;
}

/** Whether Postgres has refused this statement, and may answer another one: an outage concerns all subjects. */
const isRefused = (error: unknown) => error instanceof Failure && !mayBeDone(error);

/**
 * @param database the probe's: readings that pass would hide from the breaker that work stalls
 * @param nowMs monotonic clock
 */
export function followChanges(
  { query, transaction }: Pick<Database, 'query' | 'transaction'>,
  log: Pick<Log, 'warn'>,
  nowMs = () => performance.now(),
) {
  const subjects = new Map<string, Subject & Followed>();
  /** Names of subjects that are asked alone, until Postgres answers their marks. */
  const apart = new Set<string>();
  const askAlone = (subject: Subject): Promise<Marks> =>
    transaction(async (send) => {
      await send(waitBriefly);
      return { askedMs: nowMs(), of: await askMarks([subject], send) };
    });
  const askTogether = async (): Promise<Marks> => {
    const together = [...subjects.values()].filter(({ name }) => !apart.has(name));
    try {
      return { askedMs: nowMs(), of: await askMarks(together, query) };
    } catch (error) {
      if (!isRefused(error)) throw error;
      for (const { name } of together) apart.add(name);
      return NO_MARKS;
    }
  };
  const askOnce = shareCalls(askTogether);

  function follow<Read>(subject: Subject<Read>): Followed<Read> {
    const { name, load } = subject;
    let known: string | null | undefined;
    let loaded: Read;
    let readMs = Number.NEGATIVE_INFINITY;
    const askMark = async (): Promise<Marks> => {
      // The statement that is under way may be older than the subject.
      for (let tries = 0; tries < 2 && !apart.has(name); tries++) {
        const marks = await askOnce();
        if (name in marks.of) return marks;
      }
      const marks = await askAlone(subject);
      apart.delete(name);
      return marks;
    };
    const read = async () => {
      const { askedMs, of } = await askMark();
      if (of[name] !== known) loaded = await load();
      known = of[name];
      readMs = askedMs;
    };
    const refresh = shareCalls(read);
    const ageMs = () => nowMs() - readMs;
    const followed = {
      refresh,
      async fresh() {
        // The first reading may have been under way, and have asked before this process was frozen.
        for (let tries = 0; tries < 2 && ageMs() > STALE_MS; tries++) await refresh();
        return loaded;
      },
      last: () => loaded,
      ageMs,
    };
    subjects.set(name, { ...subject, ...followed });
    return followed;
  }

  const failing = new Set<string>();
  /** A subject that takes long to read keeps no other subject waiting. */
  const refreshAll = () => {
    for (const { name, refresh } of subjects.values()) {
      refresh().then(
        () => failing.delete(name),
        (error: unknown) => {
          // Logged once when it begins to fail, as an outage may last for hours.
          if (!failing.has(name)) log.warn({ err: toError(error).message }, `${name} not read`);
          failing.add(name);
        },
      );
    }
  };
  const timer = setInterval(refreshAll, EVERY_MS).unref();
  return { follow, [Symbol.dispose]: () => clearInterval(timer) };
}
