/** How models and rule sets in rollout do, by the minute: workers add, gates and the engine's rollback read. */
import { rowsOf } from '../../../kit/database/statement.ts';
import type { Counts } from '../../score/rollout/stages.ts';

/** Subject of the counts of every score of a corridor. */
export const EVERYBODY = 'all';
/** Gates look at this much of a stage at most. Longer: a fault of yesterday holds a subject up. */
export const LOOKED_AT_HOURS = 24;

export const COUNTED = ['decided', 'failed', 'over_500', 'over_750', 'severe'] as const;
export type Count = { readonly subject: string; readonly corridor: string } & {
  readonly [Column in (typeof COUNTED)[number]]: number;
};

const each = (text: (column: string) => string) => COUNTED.map(text).join(', ');

/** Adds to the current minute. @returns the sums of the minute and the one before it */
export const addCounts = rowsOf<Count, [counts: string]>(
  'add-rollout-counts',
  `with added as (
     insert into market.rollout_counts as c (subject, corridor, ${COUNTED.join(', ')})
     select subject, corridor, ${COUNTED.join(', ')}
       from jsonb_to_recordset($1::jsonb) as r (subject text, corridor text, ${each((column) => `${column} bigint`)})
      order by subject, corridor
     on conflict (subject, corridor, minute) do update set ${each((column) => `${column} = c.${column} + excluded.${column}`)}
     returning *)
   select a.subject, a.corridor, ${each((column) => `(a.${column} + coalesce(b.${column}, 0))::float8 as ${column}`)}
     from added a left join market.rollout_counts b
       on b.subject = a.subject and b.corridor = a.corridor and b.minute = a.minute - interval '1 minute'`,
);

/** Forgets what `addCounts` would add up for subjects in corridors; locks rows in its order. */
export const forgetCounts = rowsOf<
  object,
  [subjects: readonly string[], corridors: readonly string[]]
>(
  'forget-rollout-counts',
  `with forgotten as (
     select c.subject, c.corridor, c.minute from market.rollout_counts c
       join unnest($1::text[], $2::text[]) o (subject, corridor) using (subject, corridor)
      where c.minute >= date_trunc('minute', now()) - interval '1 minute'
      order by 1, 2, 3 for update of c)
   delete from market.rollout_counts c using forgotten f
    where (c.subject, c.corridor, c.minute) = (f.subject, f.corridor, f.minute)`,
);

/** Counts of a subject and of its corridors since a time. */
export const readCounts = rowsOf<
  Counts,
  [subject: string, corridors: readonly string[], since: string]
>(
  'read-rollout-counts',
  `select o.corridor, coalesce(sum(decided) filter (where subject = $1), 0)::float8 as decided,
          coalesce(sum(failed) filter (where subject = $1), 0)::float8 as failed,
          coalesce(sum(decided) filter (where subject = '${EVERYBODY}'), 0)::float8 as scored,
          coalesce(sum(over_500) filter (where subject = '${EVERYBODY}'), 0)::float8 as "over500",
          coalesce(sum(over_750) filter (where subject = '${EVERYBODY}'), 0)::float8 as "over750"
     from unnest($2::text[]) o (corridor) left join market.rollout_counts c
       on c.corridor = o.corridor and subject in ($1, '${EVERYBODY}')
      and minute >= greatest(date_trunc('minute', $3::timestamptz), now() - interval '${LOOKED_AT_HOURS} hours')
    group by o.corridor order by o.corridor`,
);
