/** Stores imports, each in one commit: a list has all rows of an import or none. */
import { z } from 'zod';
import { type Execute, propose, withdrawWaiting } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { commit } from '../../kit/database/pg-failure.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { ENGINE, type Officer } from '../../kit/words/principal.ts';
import { lockList, requireRoom } from './change.ts';
import type { ImportRows } from './import-rows.ts';
import type { ImportJson, ListJson } from './list.ts';
import { bumpBulk, bumpList } from './store.ts';

/** Rows that a statement ends. */
const STEP_ROWS = 5000;

const COLUMNS = `import_id::text as import_id, list, reason, rows, added, added_by, ${timeText('added_at')} as added_at,
  (select confirmed_by from market.approvals a where a.approval_id = i.approval_id) as confirmed_by, ${timeText('valid_from')} as valid_from, ${timeText('ended_at')} as ended_at, ended_by,
  case when ended_at is not null then 'ended' when valid_from is null then 'proposed' else 'in_force' end as state, approval_id::text as approval_id`;

const find = firstOf<ImportJson, [list: string, id: string]>(
  'find-list-import',
  `select ${COLUMNS} from market.list_imports i where list = $1 and import_id = $2`,
);
export const listImports = rowsOf<ImportJson, [list: string]>(
  'list-list-imports',
  `select ${COLUMNS} from market.list_imports i where list = $1 order by import_id desc limit 200`,
);
const holdImports = onlyOf<{ isFree: boolean }, [list: string]>(
  'hold-list-imports',
  `select pg_try_advisory_xact_lock(hashtextextended('market.lists ' || $1, 0)) as "isFree"`,
);
/** Entries that have expired make room for their values. */
const endExpired = onlyOf<{ ended: number }, [list: string]>(
  'end-expired-list-entries',
  `with gone as (
     update market.list_entries set valid_to = expires_at, ended_by = '${ENGINE}'
      where list = $1 and valid_to is null and expires_at <= clock_timestamp() returning 1)
   select count(*)::int4 as ended from gone`,
);
const begin = onlyOf<
  { import_id: string },
  [list: string, reason: string, by: string, key: string, rows: number]
>(
  'begin-list-import',
  `insert into market.list_imports (list, reason, added_by, added_by_key, rows) values ($1, $2, $3, $4, $5)
   returning import_id::text`,
);
const store = onlyOf<
  { added: number },
  [list: string, importId: string, rows: Buffer, isAddress: boolean]
>(
  'store-imported-list-entries',
  `with added as (
     insert into market.list_entries (list, import_id, value, addresses, reason, expires_at)
     select $1, $2, v, case when $4 then v::inet end, r, to_timestamp(e)
       from json_to_recordset(convert_from($3::bytea, 'UTF8')::json) as row (v text, r text, e float8)
     on conflict (list, value) where valid_to is null do nothing returning 1)
   select count(*)::int4 as added from added`,
);
const finish = rowsOf<object, [id: string, added: number, approvalId: string | null]>(
  'finish-list-import',
  `update market.list_imports set added = $2, approval_id = $3, valid_from = case when $3::bigint is null then clock_timestamp() end
    where import_id = $1`,
);
const putInForce = rowsOf<object, [id: string]>(
  'put-list-import-in-force',
  'update market.list_imports set valid_from = clock_timestamp() where import_id = $1',
);
const endStep = onlyOf<{ ended: number }, [id: string, by: string]>(
  'end-imported-list-entries',
  `with gone as (
     update market.list_entries set valid_to = clock_timestamp(), ended_by = $2
      where entry_id in (select entry_id from market.list_entries
                          where import_id = $1 and valid_to is null limit ${STEP_ROWS}) returning 1)
   select count(*)::int4 as ended from gone`,
);
const end = rowsOf<object, [id: string, by: string]>(
  'end-list-import',
  'update market.list_imports set ended_at = clock_timestamp(), ended_by = $2 where import_id = $1',
);

type Wanted = ImportRows & Pick<ListJson, 'name' | 'kind'> & { readonly reason: string };

export async function importEntries(
  database: Pick<Database, 'session'>,
  { name, kind, reason, rows, batches }: Wanted,
  by: Officer,
): Promise<ImportJson> {
  return await inSession(database, async (query) => {
    if (!(await holdImports(query, name)).isFree) {
      const why = `another import of ${name} is under way: send this one afterwards`;
      throw new Failure('conflict', 'IMPORT_UNDER_WAY', why);
    }
    const { ended } = await endExpired(query, name);
    const { import_id: id } = await begin(query, name, reason, by.name, by.keyId, rows);
    let added = 0;
    for (const batch of batches) {
      added += (await store(query, name, id, batch, kind === 'address')).added;
    }
    // The lock comes last: meanwhile people change the list.
    const list = await lockList(query, name);
    requireRoom(list, added);
    const asked = {
      subject: `${name} import ${id}`,
      detail: { list: name, import_id: id, rows, added },
    };
    const approval =
      list.effect === 'allow'
        ? await propose(query, { kind: 'list-import', ...asked, reason }, by)
        : undefined;
    await finish(query, id, added, approval?.approval_id ?? null);
    await bumpBulk(query, name, added - ended);
    const after = await requireImport(query, name, id);
    await recordChange(query, by, { action: 'list.import', subject: name, before: null, after });
    return after;
  });
}

async function requireImport(query: Query, name: string, id: string): Promise<ImportJson> {
  const found = await find(query, name, id);
  if (found !== undefined) return found;
  throw new Failure('not-found', 'IMPORT_UNKNOWN', `${name} has no import ${given(id)}`);
}

const askedSchema = z.object({ list: z.string(), import_id: z.string() });

/** Puts all entries of an import into an allow list in force. */
export const executeImport: Execute<unknown> = async (query, { detail }) => {
  const { list: name, import_id: id } = askedSchema.parse(detail);
  await lockList(query, name);
  const { state } = await requireImport(query, name, id);
  if (state === 'ended') {
    throw new Failure('conflict', 'IMPORT_ENDED', `the import ${id} is ended: send it again`);
  }
  await putInForce(query, id);
  await bumpBulk(query, name, 0);
  return await requireImport(query, name, id);
};

/** Ends all entries of an import that are left, and withdraws a proposed one. */
export async function endImport(
  database: Pick<Database, 'session'>,
  name: string,
  id: string,
  by: Officer,
): Promise<ImportJson> {
  return await inSession(database, async (query) => {
    await lockList(query, name);
    const before = await requireImport(query, name, id);
    if (before.state === 'ended') return before;
    let ended = 0;
    for (;;) {
      const step = await endStep(query, id, by.name);
      ended += step.ended;
      if (step.ended < STEP_ROWS) break;
    }
    await end(query, id, by.name);
    await bumpList(query, name, -ended);
    await withdrawWaiting(query, 'list-import', `${name} import ${id}`, by);
    const after = await requireImport(query, name, id);
    await recordChange(query, by, { action: 'list.end', subject: name, before, after });
    return after;
  });
}

/** A database transaction of many statements, whose time a breaker does not take for a stall. */
export async function inSession<T>(
  database: Pick<Database, 'session'>,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  return await database.session(async (client, begin, query) => {
    await begin();
    try {
      const value = await work(query);
      await commit(client);
      return value;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  });
}
