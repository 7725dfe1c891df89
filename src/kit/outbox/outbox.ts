/**
 * Outbox: rows that a commit adds beside what they are about, a table a topic. One process of a market takes the rows in order, in
 * the database transaction that has their effect, so no row is lost and none has its effect twice, wherever a process ends.
 */
import type { Database, Query } from '../database/pool.ts';
import { onlyOf, rowsOf } from '../database/statement.ts';
import type { Leadership, Lease } from '../duties/leadership.ts';
import type { Duty } from '../duties/run-duties.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** Rows have their effect after this time, and later while more rows wait than a run takes. */
const RUN_EVERY_MS = 1000;
/** Steps of one run, so that the duty says soon how much waits. */
const STEPS_MAX = 20;
/** Rows that a look counts: with more, a look at many rows would cost as much as a step. */
const COUNTED_MAX = 1000;

/** Columns of rows that name transactions. The ids come as one text, as the driver takes ten times as long to parse an array. */
export const IDS = `array_to_string(transaction_ids, ',') as ids`;
export type Ids = { readonly ids: string };
export const idsOf = (rows: readonly Ids[]): string[] => rows.flatMap(({ ids }) => ids.split(','));

/** The rows of a table `outbox_NAME`, whose columns `row_id` and `written_at` are alike in each table. */
type Table = {
  readonly name: string;
  /** SQL of what is read of a row. */
  readonly columns: string;
  /** SQL of the share of a step that a row takes; absent: the number of its transactions. */
  readonly weight?: string;
  /** Rows of a step end with the row that reaches this weight. */
  readonly weightMax: number;
  readonly rowsMax: number;
  /** Younger rows are left to the process that wrote them. */
  readonly ageMs?: number;
};

export type Outbox<Row> = ReturnType<typeof openOutbox<Row>>;

export function openOutbox<Row>({ name, columns, weightMax, rowsMax, ageMs, ...table }: Table) {
  const { weight = 'cardinality(transaction_ids)' } = table;
  const rows = `market.outbox_${name}`;
  const aged = ageMs ? `where written_at < now() - interval '${ageMs} ms'` : '';
  const takeRows = rowsOf<Row & { readonly weight: number }>(
    `take-outbox-${name}`,
    `with taken as (
       delete from ${rows} where row_id in (
         select row_id from (
           select row_id, sum(weight) over (order by row_id) - weight as before
             from (select row_id, ${weight} as weight from ${rows} ${aged} order by row_id limit ${rowsMax}) oldest) counted
          where before < ${weightMax})
       returning row_id, ${weight} as weight, ${columns})
     select * from taken order by row_id`,
  );
  return {
    name,
    /** Deletes the oldest rows of a step; the commit of `query` has to have their effect. */
    take: async (query: Query) => {
      const taken = await takeRows(query);
      const total = taken.reduce((sum, row) => sum + row.weight, 0);
      const mayHaveMore = taken.length === rowsMax || total >= weightMax;
      return { rows: taken as readonly Row[], mayHaveMore };
    },
    /** How many rows wait, and the age of the oldest. */
    look: onlyOf<{ rows: number; seconds: number }>(
      `look-at-outbox-${name}`,
      `select count(*)::int4 as rows, coalesce(date_part('epoch', now() - min(written_at)), 0)::float8 as seconds
         from (select written_at from ${rows} order by row_id limit ${COUNTED_MAX}) oldest`,
    ),
  };
}

/** Rows of a table, and what becomes of them. */
export type Topic<Row, Effect> = {
  readonly outbox: Outbox<Row>;
  /** Has the effect of rows in the database transaction that deletes them. */
  readonly apply: (query: Query, rows: readonly Row[]) => Promise<Effect>;
};

/** Takes the rows of one step. @returns no effect where no row waits */
export async function applyRows<Row, Effect>(
  database: Pick<Database, 'transaction'>,
  { outbox, apply }: Topic<Row, Effect>,
): Promise<{ readonly effect: Effect | undefined; readonly mayHaveMore: boolean }> {
  return await database.transaction(async (query) => {
    const { rows, mayHaveMore } = await outbox.take(query);
    return { effect: rows.length === 0 ? undefined : await apply(query, rows), mayHaveMore };
  });
}

type Parts = {
  readonly database: Pick<Database, 'query'>;
  readonly leadership: Leadership;
  readonly metrics: Pick<Metrics, 'outboxRows' | 'outboxAge'>;
};

type Options<Effect> = {
  readonly lease?: Lease;
  readonly stepsMax?: number;
  /** Called after the commit. */
  readonly onApplied?: (effect: Effect) => void;
};

/** The duty that takes the rows of a topic, of which the process that leads reports how many wait. */
export function outboxDuty<Row, Effect>(
  { database, leadership, metrics }: Parts,
  topic: Topic<Row, Effect>,
  { lease = 'care', stepsMax = STEPS_MAX, onApplied }: Options<Effect> = {},
): Duty {
  const lead = leadership.of(lease);
  const report = createReport(metrics, topic.outbox);
  const applyAll = async (signal: AbortSignal) => {
    if ((await report(database.query)) === 0) return;
    for (let step = 0; step < stepsMax && !signal.aborted; step++) {
      const { effect, mayHaveMore } = await applyRows(lead.writes, topic);
      if (effect !== undefined) onApplied?.(effect);
      if (!mayHaveMore) return;
    }
  };
  return {
    name: `apply-outbox-${topic.outbox.name}`,
    everyMs: RUN_EVERY_MS,
    run: async (signal) => {
      if (!(await lead.run(() => applyAll(signal)))) await report(null);
    },
  };
}

/** @returns a function that reports what waits; nothing waits for a process that does not lead, which has no `query` */
export function createReport(
  { outboxRows, outboxAge }: Parts['metrics'],
  { name: topic, look }: Pick<Outbox<unknown>, 'name' | 'look'>,
) {
  return async (query: Query | null): Promise<number> => {
    const { rows, seconds } = query === null ? { rows: 0, seconds: 0 } : await look(query);
    outboxRows.set({ topic }, rows);
    outboxAge.set({ topic }, seconds);
    return rows;
  };
}
