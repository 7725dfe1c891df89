/**
 * Builds an index while rows are written: `create index concurrently` waits for open transactions and blocks
 * none. A build that was killed leaves an invalid index behind, which is dropped first. Postgres cannot build
 * concurrently over a partitioned table, so it is built on one partition after the other.
 */
import type pg from 'pg';
import { LOCK_TIMEOUT_MS } from './migration-session.ts';

const CREATE = /^\s*create (unique )?index concurrently (\w+) on (\w+)\b([^;]*);?\s*$/i;

type Wanted = {
  readonly unique: string;
  readonly index: string;
  readonly table: string;
  /** The statement's text from the columns on. */
  readonly rest: string;
};

/**
 * @param text one statement without a schema, and comments
 */
export async function buildIndex(client: pg.Client, market: string, text: string): Promise<void> {
  const [statement, unique = '', index, table, rest = ''] =
    CREATE.exec(text.replaceAll(/^--.*$/gm, '')) ?? [];
  if (statement === undefined || index === undefined || table === undefined) {
    throw new Error(
      'a concurrent step is one statement: create [unique] index concurrently NAME on TABLE …',
    );
  }
  const wanted = { unique, index, table, rest };
  if (!(await isPartitioned(client, market, table))) {
    await buildValid(client, market, wanted);
    return;
  }
  const short = async (ddl: string) => {
    await client.query(`begin; set local lock_timeout = ${LOCK_TIMEOUT_MS}; ${ddl}; commit`);
  };
  const parent = `${market}.${index}`;
  await short(`create ${unique}index if not exists ${index} on only ${market}.${table}${rest}`);
  for (const partition of await partitionsWithout(client, `${market}.${table}`, parent)) {
    const child = `${partition}_${index.startsWith(`${table}_`) ? index.slice(table.length + 1) : index}`;
    await buildValid(client, market, { ...wanted, index: child, table: partition });
    await short(`alter index ${parent} attach partition ${market}.${child}`);
  }
}

async function buildValid(
  client: pg.Client,
  market: string,
  { unique, index, table, rest }: Wanted,
): Promise<void> {
  const { rows } = await client.query<{ valid: boolean }>(
    'select indisvalid as valid from pg_index where indexrelid = to_regclass($1)',
    [`${market}.${index}`],
  );
  if (rows[0]?.valid === true) return;
  if (rows[0] !== undefined) await client.query(`drop index concurrently ${market}.${index}`);
  await client.query(`create ${unique}index concurrently ${index} on ${market}.${table}${rest}`);
}

async function isPartitioned(client: pg.Client, market: string, table: string): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_class where oid = to_regclass($1) and relkind = 'p'`,
    [`${market}.${table}`],
  );
  return rows.length > 0;
}

/** A partition that was made since has its own index already, under a name chosen by the server. */
async function partitionsWithout(client: pg.Client, table: string, parent: string) {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name
       from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = $1::regclass
        and not exists (select from pg_index x join pg_inherits xi on xi.inhrelid = x.indexrelid
                         where x.indrelid = c.oid and xi.inhparent = $2::regclass)
      order by 1 desc`,
    [table, parent],
  );
  return rows.map(({ name }) => name);
}
