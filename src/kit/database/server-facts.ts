/** Facts of a Postgres for `risk doctor`; the command judges them. */
import { onlyOf } from './statement.ts';

type PostgresFacts = {
  readonly version: string;
  readonly major: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly inRecovery: boolean;
  readonly connectionsMax: number;
  readonly connectionsOpen: number;
  /** Server's clock, epoch milliseconds. */
  readonly nowMs: number;
};

/** Says why the engine cannot work in a database: texts are Unicode, and another encoding refuses names of people or cuts them. */
export function encodingFault(encoding: string): string | null {
  if (encoding === 'UTF8') return null;
  const make = `create database NAME template template0 encoding 'UTF8' locale 'C'`;
  return `the database has the encoding ${encoding}, and the engine needs UTF8: ${make}`;
}

export const readPostgresFacts = onlyOf<PostgresFacts>(
  'select-server-facts',
  `select split_part(current_setting('server_version'), ' ', 1) as version,
          current_setting('server_version_num')::int / 10000 as major,
          current_setting('fsync') as fsync,
          current_setting('synchronous_commit') as "synchronousCommit",
          current_setting('server_encoding') as encoding,
          pg_is_in_recovery() as "inRecovery",
          current_setting('max_connections')::int as "connectionsMax",
          (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as "connectionsOpen",
          (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs"`,
);
