/** How far a role reaches: where markets are separated, into its own market and no further. */
import { onlyOf } from './statement.ts';

/** Schemas that are markets, as `market`. */
export const MARKETS = `
  select n.oid, n.nspname as market, n.nspowner
    from pg_namespace n join pg_class o on o.relnamespace = n.oid and o.relname = 'open_rows'
    join pg_class s on s.relnamespace = n.oid and s.relname = 'controls'`;

type Reach = {
  readonly role: string;
  /** Other markets that the role may look into. */
  readonly markets: readonly string[];
  readonly writesShared: boolean;
  /** Tables of the market that its owner does not own, as after a migration by another role. */
  readonly strays: readonly string[];
  /** The first of the rights that the role lacks, as `INSERT on market_0.scores`. */
  readonly refused: readonly string[];
};

export const readReach = onlyOf<Reach, [market: string]>(
  'read-market-reach',
  `with markets as (${MARKETS})
   select current_user::text as role,
          array(select market::text from markets where market <> $1 and has_schema_privilege(oid, 'usage') order by 1) as markets,
          (select has_table_privilege(oid, 'insert') from pg_class
            where relname = 'corridors' and relnamespace = to_regnamespace('shared')) as "writesShared",
          array(select relname::text from markets join pg_class on relnamespace = markets.oid
                 where market = $1 and relkind in ('r', 'p') and relowner <> nspowner order by 1) as strays,
          array(select needed || ' on ' || nspname || '.' || relname
                  from pg_class c join pg_namespace n on n.oid = relnamespace,
                       unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) needed
                 where relkind in ('r', 'p') and not relispartition
                   and (nspname = $1 or nspname = 'shared' and needed = 'SELECT')
                   and not (has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, needed))
                 order by 1 limit 10) as refused`,
);
