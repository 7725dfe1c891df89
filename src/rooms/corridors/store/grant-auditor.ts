/**
 * A role that reads one market without columns of secrets, and writes nothing. A policy for the role on each table lets it read
 * rows, so a later table shows no rows until the command runs again.
 */
import type pg from 'pg';
import { alone, connected } from '../../../kit/database/migrations/migration-session.ts';
import { isPooled } from '../../../kit/database/open-database.ts';
import { type Granting, ownerOfMarket, recordIn } from './grant-market.ts';
import { letReaderIn, makeRole } from './roles.ts';

/** Names of columns with keys, or with hashes by which callers are recognised. */
const SECRET = '(secret|salt|wrapped|private|(key|token)_hash|(market|subject)_key)';
const TABLES = `
  select c.oid::regclass::text as name, relkind <> 'v' and not exists (select from pg_policy where polrelid = c.oid and polname = $3) as "needsPolicy",
         string_agg(quote_ident(attname), ', ' order by attnum) as columns
    from pg_class c join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped
   where relnamespace = $1::regnamespace and relkind in ('r', 'p', 'v') and not relispartition and attname !~ $2
   group by c.oid order by 1`;

type Table = { readonly name: string; readonly needsPolicy: boolean; readonly columns: string };

/** Makes the role, or grants an existing role the tables that are new. */
export async function makeAuditor(auditor: Granting) {
  const { config, url, market, role, by } = auditor;
  const session = { ...auditor, isPooled: isPooled(config) };
  const made = await connected(session, (client) => makeAll(client, session));
  const change = { action: 'market.auditor', subject: role, before: null } as const;
  await recordIn(market, { config, url, by }, { ...change, after: { market } });
  return made;
}

async function makeAll(client: pg.Client, auditor: Granting) {
  const { market, role } = auditor;
  await ownerOfMarket(client, market);
  await makeRole(client, role);
  await client.query(`grant usage on schema ${market} to "${role}"`);
  const { rows } = await client.query<Table>(TABLES, [market, SECRET, role]);
  for (const table of rows) await letRead(client, auditor, table);
  return await letReaderIn(client, auditor, market);
}

/** Grants each table in a commit of its own, so that each lock lasts a moment. */
async function letRead(client: pg.Client, auditor: Granting, table: Table): Promise<void> {
  const { name, needsPolicy, columns } = table;
  const { role } = auditor;
  await alone(client, auditor, name, async () => {
    await client.query(`grant select (${columns}) on ${name} to "${role}"`);
    if (!needsPolicy) return;
    await client.query(`create policy "${role}" on ${name} for select to "${role}" using (true)`);
  });
}
