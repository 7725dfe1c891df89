/** Settings of corridors in Postgres: a row each, which processes read with the controls. */
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import type { CorridorLog, CorridorSettings } from '../../domain/corridor.ts';

/** An expression: the settings of each corridor of the market, null where nothing was set. */
export const SETTINGS = `(select coalesce(jsonb_object_agg(corridor,
      case when version is not null then jsonb_build_object('version', version, 'weight', weight, 'residency', residency, 'region', region, 'shards', shards,
        'log', log, 'logChangedAtMs', extract(epoch from log_changed_at) * 1000,
        'compared', case when compared_from is not null then
          jsonb_build_object('fromMs', extract(epoch from compared_from) * 1000, 'toMs', extract(epoch from compared_to) * 1000) end) end), '{}')
    from market.corridors left join market.corridor_settings using (corridor))`;

/** An expression: the market of each corridor that another market has. */
export const ELSEWHERE = `(select coalesce(jsonb_object_agg(corridor, market), '{}') from shared.corridors
    where market is not null and corridor not in (select corridor from market.corridors))`;

const lock = rowsOf(
  'lock-corridor-settings',
  'lock table market.corridor_settings in share row exclusive mode',
);
const ownCorridor = firstOf<{ corridor: string }, [corridor: string]>(
  'find-corridor',
  'select corridor from market.corridors where corridor = $1',
);
const add = rowsOf<object, [corridor: string, by: string, shards: number]>(
  'add-corridor',
  'insert into market.corridor_settings (corridor, changed_by, shards) values ($1, $2, $3)',
);
const claimCorridor = onlyOf<{ market: string }, [corridor: string, market: string]>(
  'claim-corridor',
  'select shared.claim_corridor($1, $2) as market',
);
/** Every process has read a change after half a second; one that is overloaded takes longer. */
const READ_BY_ALL = `interval '2 seconds'`;
export const readByAll = onlyOf<{ isRead: boolean }, [at: string]>(
  'read-by-all',
  `select clock_timestamp() > $1::timestamptz + ${READ_BY_ALL} as "isRead"`,
);

const write = rowsOf<
  object,
  [
    corridor: string,
    weight: number,
    residency: string | null,
    region: string | null,
    by: string,
    shards: number,
    log: CorridorLog,
  ]
>(
  'set-corridor',
  `insert into market.corridor_settings as old
     (corridor, weight, residency, region, changed_by, shards, log, log_changed_at, compared_from)
   values ($1, $2, $3, $4, $5, $6, $7, case when $7 <> 'streams' then clock_timestamp() end, case when $7 = 'both' then clock_timestamp() + ${READ_BY_ALL} end)
   on conflict (corridor) do update
      set weight = excluded.weight, residency = excluded.residency, region = excluded.region, version = old.version + 1,
          changed_by = excluded.changed_by, changed_at = now(), shards = excluded.shards,
          log = excluded.log,
          log_changed_at = case when old.log <> excluded.log then clock_timestamp() else old.log_changed_at end,
          compared_from = case when old.log <> 'both' and excluded.log = 'both' then clock_timestamp() + ${READ_BY_ALL} else old.compared_from end,
          compared_to = case when old.log <> 'both' and excluded.log = 'both' then null
                             when old.log = 'both' and excluded.log <> 'both' then clock_timestamp() - ${READ_BY_ALL}
                             else old.compared_to end`,
);

/** A corridor, within a database transaction in which nobody else changes a corridor. */
type CorridorChange = {
  readonly isOurs: boolean;
  /** @returns the market that has the corridor now */
  readonly claim: (market: string, shards: number, by: string) => Promise<string>;
  readonly set: (
    settings: Pick<CorridorSettings, 'weight' | 'residency' | 'region' | 'shards' | 'log'>,
    by: string,
  ) => Promise<unknown>;
};

export async function changeCorridor<T>(
  query: Query,
  corridor: string,
  work: (change: CorridorChange) => Promise<T>,
): Promise<T> {
  await lock(query);
  return await work({
    isOurs: (await ownCorridor(query, corridor)) !== undefined,
    async claim(market, shards, by) {
      const { market: owner } = await claimCorridor(query, corridor, market);
      if (owner === market) await add(query, corridor, by, shards);
      return owner;
    },
    set: ({ weight, residency, region, shards, log }, by) =>
      write(query, corridor, weight, residency, region, by, shards, log),
  });
}
