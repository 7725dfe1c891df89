/** Writes a reference list of `shared` from a whole file: what the file lacks is ended, what it has besides is added. */
import type { Readable } from 'node:stream';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { byCommand } from '../../kit/command/stores.ts';
import type { Database } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import { readImport } from './import-rows.ts';
import { inSession } from './in-session.ts';
import type { Effect } from './list.ts';
import type { Kind } from './value.ts';

type Reference = {
  readonly name: string;
  readonly effect: Effect;
  readonly kind: Kind;
  readonly source: string;
  readonly sourceDate: string;
  readonly reason: string;
};

const hold = firstOf<
  { effect: string; kind: string },
  [name: string, effect: string, kind: string, source: string, sourceDate: string]
>(
  'hold-reference-list',
  `insert into shared.reference_lists as l (name, effect, kind, source, source_date, created_by)
   values ($1, $2, $3, $4, $5, current_user)
   on conflict (name) do update set source = excluded.source, source_date = excluded.source_date
   returning l.effect, l.kind`,
);
const makeRoom = rowsOf(
  'make-room-for-reference-rows',
  'create temporary table imported_rows (v text, r text, e timestamptz(3)) on commit drop',
);
const take = rowsOf<object, [rows: Buffer, reason: string]>(
  'take-reference-rows',
  `insert into imported_rows select v, coalesce(r, $2), to_timestamp(e)
     from json_to_recordset(convert_from($1::bytea, 'UTF8')::json) as row (v text, r text, e float8)`,
);
const endGone = onlyOf<{ ended: number }, [list: string]>(
  'end-gone-reference-entries',
  `with gone as (
     update shared.reference_entries e
        set valid_to = least(clock_timestamp(), coalesce(expires_at, 'infinity')), ended_by = current_user
      where list = $1 and valid_to is null
        and (expires_at <= clock_timestamp()
             or not exists (select from imported_rows i where i.v = e.value and i.r = e.reason
                               and i.e is not distinct from e.expires_at)) returning 1)
   select count(*)::int4 as ended from gone`,
);
const addNew = onlyOf<{ added: number }, [list: string, isAddress: boolean]>(
  'add-new-reference-entries',
  `with added as (
     insert into shared.reference_entries (list, value, addresses, reason, expires_at, added_by, valid_from)
     select distinct on (v) $1, v, case when $2 then v::inet end, r, e, current_user, clock_timestamp()
       from imported_rows
     on conflict (list, value) where valid_to is null do nothing returning 1)
   select count(*)::int4 as added from added`,
);
const bump = rowsOf<object, [list: string, open: number]>(
  'bump-reference-list',
  `update shared.reference_lists set version = version + 1, bulk_version = version + 1, open_entries = open_entries + $2
    where name = $1`,
);

export type ReferenceImport = {
  readonly rows: number;
  readonly added: number;
  readonly ended: number;
};

/** @param database of the owner role; the row of the audit log is in its market */
export async function importReference(
  database: Pick<Database, 'session'>,
  text: Readable,
  isJson: boolean,
  { name, effect, kind, source, sourceDate, reason }: Reference,
): Promise<ReferenceImport> {
  const pause = async () => undefined;
  const { rows, batches } = await readImport(text, { isJson, kind, nowMs: Date.now(), pause });
  return await inSession(database, async (query) => {
    const known = await hold(query, name, effect, kind, source, sourceDate);
    if (known?.effect !== effect || known.kind !== kind) {
      const why = `${name} is a list to ${known?.effect} by ${known?.kind}: choose another name`;
      throw new Failure('conflict', 'LIST_KNOWN', why);
    }
    await makeRoom(query);
    for (const batch of batches) await take(query, batch, reason);
    const { ended } = await endGone(query, name);
    const { added } = await addNew(query, name, kind === 'address');
    await bump(query, name, added - ended);
    const after = { effect, kind, source, sourceDate, reason, rows, added, ended };
    const by = byCommand('lists import --shared');
    await recordChange(query, by, { action: 'list.import', subject: name, before: null, after });
    return { rows, added, ended };
  });
}
