/** How far a role reaches: where markets are separated, into its own market and no further. */
import { onlyOf } from './statement.ts';

/** Schemas that are markets, as `market`. */
export const MARKETS = `
  select n.oid, n.nspname as market, n.nspowner
    from pg_namespace n join pg_class o on o.relnamespace = n.oid and o.relname = 'open_rows'
    join pg_class s on s.relnamespace = n.oid and s.relname = 'switches'`;

type Reach = {
  readonly role: string;
  /** Other markets that the role may look into. */
  readonly markets: readonly string[];
  readonly writesShared: boolean;
  /** Tables of the market that its owner does not own, as after a migration by another role. */
  readonly strays: readonly string[];
};

export const readReach = onlyOf<Reach, [market: string]>(
  'read-market-reach',
  `with markets as (${MARKETS})
   select current_user::text as role,
          array(select market::text from markets where market <> $1 and has_schema_privilege(oid, 'usage') order by 1) as markets,
          has_table_privilege('shared.corridors', 'insert') as "writesShared",
          array(select relname::text from markets join pg_class on relnamespace = markets.oid
                 where market = $1 and relkind in ('r', 'p') and relowner <> nspowner order by 1) as strays`,
);
