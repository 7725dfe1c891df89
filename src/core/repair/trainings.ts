/**
 * The night of a market: one trainer at a time builds the table of the day, and ends what the table says is worse. Nobody waits for
 * the table; a day has at most one.
 */
import { onlyOf } from '../../kit/database/statement.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { openTurns } from '../../kit/process/turns.ts';
import { lowestIdAt } from '../../kit/words/cursor.ts';
import { engineOf } from '../../kit/words/principal.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import type { Training, Worker } from '../room.ts';

/** Bound on a statement of a training, for which nobody waits. */
export const STATEMENT_MS = 3_600_000;
const LOOK_EVERY_MS = 60_000;
/** Time of day from which a table is built once nothing older is pending. Earlier: payments of midnight are missed. */
const SETTLED_MS = 600_000;
/** Time of day from which a table is built whatever is pending. */
const LATEST_MS = 3_600_000;

const lookAt = onlyOf<{ isBuilt: boolean; isPending: boolean }, [day: number, lowest: string]>(
  'look-at-night',
  `select exists (select from market.scorecards where day = date '1970-01-01' + $1::int4) as "isBuilt",
          exists (select from market.open_rows
                   where not is_on_hold
                     and exists (select from unnest(transaction_ids) id where id < $2::uuid)) as "isPending"`,
);

export const NIGHT: Training = {
  name: 'build-scorecard',
  everyMs: LOOK_EVERY_MS,
  // Shorter: a night that always fails keeps a processor busy.
  againMs: 1_800_000,
  isDue: async ({ query }, day, timeMs) => {
    if (timeMs < SETTLED_MS) return false;
    const { isBuilt, isPending } = await lookAt(query, day, lowestIdAt(day * DAY_MS));
    return !isBuilt && (!isPending || timeMs >= LATEST_MS);
  },
  run: async (...of) => (await import('./night/build-table.ts')).buildTable(...of),
};

/** Runs at each look, as the trainer before may have ended between the night and this training. */
export const END_WORSE: Training = {
  name: 'end-worse',
  everyMs: LOOK_EVERY_MS,
  againMs: 0,
  isDue: async () => true,
  run: async (database, { day }) =>
    (await import('./night/after-night.ts')).endWorse(database, day),
};

const tryAlone = onlyOf<{ isAlone: boolean }>(
  'try-to-train',
  `select pg_try_advisory_xact_lock('market.scorecards'::regclass::oid::int4, 0) as "isAlone"`,
);

/**
 * Trainings take turns, so that a process needs the memory of one. A lease would lapse while a training computes; the lock lives as long as
 * its session, which has no snapshot and no transaction id for which other sessions wait.
 */
export function bindTrainings(
  trainings: readonly Training[],
  { config, database }: Pick<Worker, 'config' | 'database'>,
  nowMs = Date.now,
): Duty[] {
  const { inTurn } = openTurns();
  return trainings.map(({ name, everyMs, againMs, isDue, run }) => {
    // A process that ends at once trains nothing.
    let notBeforeMs = nowMs() + everyMs;
    const look = async (signal: AbortSignal) => {
      const atMs = nowMs();
      const day = Math.floor(atMs / DAY_MS);
      if (atMs < notBeforeMs || !(await isDue(database, day, atMs - day * DAY_MS))) return;
      notBeforeMs = atMs + againMs;
      const by = engineOf('risk trainer');
      await run(database, { day, maturityDays: config.RISK_LABEL_MATURITY_DAYS, by, signal });
    };
    const lookAlone = (signal: AbortSignal) =>
      database.transaction(async (query) => {
        if ((await tryAlone(query)).isAlone) await look(signal);
      });
    return { name, everyMs, run: (signal) => inTurn(() => lookAlone(signal)) };
  });
}
