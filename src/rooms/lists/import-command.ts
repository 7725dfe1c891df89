/** `risk lists import`: sends a file to a running API, or with `--shared` writes a reference list. */
import { Readable } from 'node:stream';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { fetchApi, notTheContract, readAnswer, refusal } from '../../kit/client/api-client.ts';
import { openText, type TextFile } from '../../kit/client/rows.ts';
import { apiOf } from '../../kit/command/api.ts';
import {
  type CommandContext,
  EXIT,
  UsageError,
  unlessStopped,
  wordOption,
} from '../../kit/command/command.ts';
import { IDS_OPTION } from '../../kit/command/file-options.ts';
import { dateOption, needed, URL_OPTION, type ValuesOf } from '../../kit/command/options.ts';
import { written } from '../../kit/command/rows.ts';
import { sayWaiting } from '../../kit/command/run-row.ts';
import { byCommand, ownerUrl } from '../../kit/command/stores.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { firstOf, onlyOf, rowsOf } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type FieldError, InvalidFields } from '../../kit/words/field-errors.ts';
import { inSession } from './import.ts';
import { readImport } from './import-rows.ts';
import { EFFECTS, type ImportJson, isShared, listName } from './list.ts';
import { KINDS } from './value.ts';

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

/** A statement about a million rows takes longer than those of an API. */
const SHARED_STATEMENT_MS = 600_000;
const LINES = 'application/x-ndjson';

const OPTIONS = {
  '--reason TEXT': needed('For colleagues and the audit log'),
  '--shared': 'Write a reference list, with the options below; without it they are not taken',
  '--effect TEXT': `One of ${EFFECTS.join(', ')}`,
  '--kind TEXT': `One of ${KINDS.join(', ')}`,
  '--source TEXT': 'Who publishes the list',
  '--date DAY': 'As of when the source says so',
  ...IDS_OPTION,
  ...URL_OPTION,
} as const;
type Values = ValuesOf<typeof OPTIONS>;

const ADDS = 'Add the values of a file, all or nothing';
export const importAction = written('NAME FILE', ADDS, OPTIONS, async (given, context) => {
  const { values, words } = given;
  const [name = '', path = ''] = words;
  const { output } = context;
  const file = await openText(path);
  try {
    if (values.shared) return await writeShared(name, file, values, context);
    const sending = send(name, file, values, context);
    return await unlessStopped(context, 'nothing was imported', sending);
  } catch (error) {
    if (!(error instanceof InvalidFields)) throw error;
    for (const { pointer, detail } of error.errors) output.error(`${lineOf(pointer)} ${detail}`);
    output.error(error.message);
    return EXIT.failed;
  }
});

function given(values: Values, name: 'effect' | 'kind' | 'source' | 'date'): string {
  const value = values[name];
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/** `/lines/17/value` as people read it. */
const lineOf = (pointer: string) => {
  const [, line = pointer, field = ''] = /^\/lines\/(\d+)(?:\/(.*))?$/.exec(pointer) ?? [];
  return `line ${line}: ${field}`.trim();
};

async function send(
  name: string,
  { text, isJson }: TextFile,
  values: Values,
  { config, signal, output }: CommandContext,
): Promise<number> {
  const api = { ...apiOf(values.url, { config, output }), signal };
  const ids_as_they_are = String(values['ids-as-they-are']);
  const query = new URLSearchParams({ reason: values.reason, ids_as_they_are });
  const response = await fetchApi(api, `/v1/lists/${encodeURIComponent(name)}/imports?${query}`, {
    method: 'POST',
    headers: { 'content-type': isJson ? LINES : 'text/csv' },
    body: Readable.toWeb(text) as ReadableStream,
    // A streamed body needs `duplex`, which the types of fetch lack.
    ...{ duplex: 'half' },
  });
  const answer = await readAnswer(api, response);
  const { errors = [], detail = '' } = (answer.body ?? {}) as {
    errors?: readonly FieldError[];
    detail?: string;
  };
  if (errors.some(({ pointer }) => pointer.startsWith('/lines/')))
    throw new InvalidFields(errors, detail);
  if (!response.ok) throw refusal(answer);
  const done = answer.body as Partial<ImportJson>;
  const { import_id: id, rows, added, state } = done;
  if (id === undefined) throw notTheContract();
  output.value(done, [`imported import_id=${id} rows=${rows} added=${added} state=${state}`]);
  if (state === 'proposed') output.note(sayWaiting(done.approval_id));
  return EXIT.fine;
}

/**
 * Writes a reference list of `shared` from a whole file: what the file lacks is ended, what it has besides is added. The row of the
 * audit log is in the market of the owner role.
 */
async function writeShared(
  name: string,
  { text, isJson }: TextFile,
  values: Values,
  { config, output }: CommandContext,
): Promise<number> {
  if (!isShared(name) || !listName.safeParse(name).success) {
    throw new UsageError(`NAME must begin with shared-, not '${name}'`);
  }
  const [source, sourceDate] = [given(values, 'source'), given(values, 'date')];
  dateOption('--date', sourceDate);
  const effect = wordOption('--effect', given(values, 'effect'), EFFECTS);
  const kind = wordOption('--kind', given(values, 'kind'), KINDS);
  await using database = openDatabase(config, ownerUrl(config), 'lists', {
    connectionsMax: 1,
    statementTimeoutMs: SHARED_STATEMENT_MS,
  });
  const pause = async () => undefined;
  const idsAsTheyAre = values['ids-as-they-are'];
  const reading = { isJson, kind, idsAsTheyAre, nowMs: Date.now(), pause };
  const { rows, batches } = await readImport(text, reading);
  const { added, ended } = await inSession(database, async (query) => {
    const known = await hold(query, name, effect, kind, source, sourceDate);
    if (known?.effect !== effect || known.kind !== kind) {
      const why = `${name} is a list to ${known?.effect} by ${known?.kind}: choose another name`;
      throw new Failure('conflict', 'LIST_KNOWN', why);
    }
    await makeRoom(query);
    for (const batch of batches) await take(query, batch, values.reason);
    const done = {
      ...(await endGone(query, name)),
      ...(await addNew(query, name, kind === 'address')),
    };
    await bump(query, name, done.added - done.ended);
    const after = { effect, kind, source, sourceDate, reason: values.reason, rows, ...done };
    const by = byCommand('lists import --shared');
    await recordChange(query, by, { action: 'list.import', subject: name, before: null, after });
    return done;
  });
  output.value({ list: name, rows, added, ended }, [
    `imported rows=${rows} added=${added} ended=${ended}`,
  ]);
  return EXIT.fine;
}
