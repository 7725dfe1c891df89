/**
 * Lists and entries in Postgres. A change of a list locks the list's row until its commit, so versions have the order of
 * commits. An entry is in force by Postgres' clock.
 */
import type { Execute } from '../../kit/approvals/approvals.ts';
import type { Query } from '../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { ENGINE, type Officer } from '../../kit/words/principal.ts';
import {
  type EntryJson,
  type EntryParameters,
  isShared,
  type ListJson,
  type NewEntry,
} from './list.ts';
import type { Kind } from './value.ts';

const NOW = 'clock_timestamp()';

/** Rows of entries `e` of one schema, and where each fact of a row stands. */
type EntrySource = {
  readonly table: string;
  readonly from: string;
  readonly validFrom: string;
  readonly facts: string;
};

const MARKET: EntrySource = {
  table: 'market.list_entries',
  from: 'market.list_entries e left join market.list_imports i on i.import_id = e.import_id',
  validFrom: 'coalesce(e.valid_from, i.valid_from)',
  facts: `coalesce(e.reason, i.reason) as reason, coalesce(e.added_by, i.added_by) as added_by,
          ${timeText('coalesce(e.added_at, i.added_at)')} as added_at, e.import_id::text as import_id,
          (select confirmed_by from market.approvals a where a.approval_id = coalesce(e.approval_id, i.approval_id)) as confirmed_by`,
};
const SHARED: EntrySource = {
  table: 'shared.reference_entries',
  from: 'shared.reference_entries e',
  validFrom: 'e.valid_from',
  facts: `e.reason, e.added_by, ${timeText('e.valid_from')} as added_at, null::text as import_id, null::text as confirmed_by`,
};
export const SOURCES: readonly EntrySource[] = [MARKET, SHARED];
export const sourceOf = (list: string): EntrySource => (isShared(list) ? SHARED : MARKET);

/** @param at an expression of a time */
const inForce = ({ validFrom }: EntrySource, at: string) =>
  `${validFrom} <= ${at} and (e.valid_to is null or e.valid_to > ${at}) and (e.expires_at is null or e.expires_at > ${at})`;
/** Only an open entry is in force now, and the index of open entries has it. */
export const inForceNow = (source: EntrySource): string =>
  `e.valid_to is null and ${inForce(source, NOW)}`;

const columnsOf = ({
  facts,
  validFrom,
}: EntrySource) => `e.entry_id::text as entry_id, e.list, e.value,
  case when e.expires_at <= ${NOW} and (e.valid_to is null or e.valid_to >= e.expires_at) then 'expired'
       when e.valid_to is not null then 'ended'
       when ${validFrom} is null then 'proposed' else 'in_force' end as state,
  ${timeText('e.expires_at')} as expires_at, ${facts}, ${timeText(validFrom)} as valid_from,
  ${timeText('e.valid_to')} as valid_to, e.ended_by`;

const LIST_COLUMNS = `name, effect, kind, version::float8 as version, open_entries, created_by,
  ${timeText('created_at')} as created_at`;
const LISTS = `select ${LIST_COLUMNS}, description, null::text as source, null::text as source_date from market.lists
  union all select ${LIST_COLUMNS}, name, source, source_date::text from shared.reference_lists`;

export const readLists = rowsOf<ListJson>('read-lists', `${LISTS} order by name`);
export const findList = firstOf<ListJson, [name: string]>(
  'find-list',
  `select * from (${LISTS}) lists where name = $1`,
);

export const addList = rowsOf<
  object,
  [name: string, effect: string, kind: string, description: string, by: string]
>(
  'insert-list',
  'insert into market.lists (name, effect, kind, description, created_by) values ($1, $2, $3, $4, $5)',
);
export const countLists = onlyOf<{ lists: number }>(
  'count-lists',
  'select count(*)::int4 as lists from market.lists',
);
/** Keeps others from making a list until the end of the database transaction. */
export const holdLists = rowsOf(
  'hold-lists',
  'lock table market.lists in share row exclusive mode',
);

export type LockedList = Pick<ListJson, 'name' | 'effect' | 'kind' | 'open_entries'>;
export const lockList = firstOf<LockedList, [name: string]>(
  'lock-list',
  'select name, effect, kind, open_entries from market.lists where name = $1 for no key update',
);
/** Gives a list a new version. @param open entries that were added, less the entries that were ended */
export const bumpList = onlyOf<{ version: string }, [name: string, open: number]>(
  'bump-list',
  `update market.lists set version = version + 1, open_entries = open_entries + $2 where name = $1
   returning version::text as version`,
);
export const bumpBulk = rowsOf<object, [name: string, open: number]>(
  'bump-list-by-import',
  `update market.lists set version = version + 1, bulk_version = version + 1, open_entries = open_entries + $2
    where name = $1`,
);

const FOUND = columnsOf(MARKET);

export const findEntry = firstOf<EntryJson, [list: string, id: string]>(
  'find-list-entry',
  `select ${FOUND} from ${MARKET.from} where e.list = $1 and e.entry_id = $2`,
);
export const findOpen = firstOf<EntryJson, [list: string, value: string]>(
  'find-open-list-entry',
  `select ${FOUND} from ${MARKET.from} where e.list = $1 and e.value = $2 and e.valid_to is null`,
);
const insertEntry = onlyOf<
  { entry_id: string },
  [
    list: string,
    value: string,
    addresses: string | null,
    reason: string,
    expiresAt: string | null,
    by: string,
    key: string,
    approvalId: string | null,
    version: string,
  ]
>(
  'insert-list-entry',
  `insert into market.list_entries (list, value, addresses, reason, expires_at, added_by, added_by_key, added_at, approval_id, valid_from, version)
   values ($1, $2, $3::inet, $4, $5, $6, $7, ${NOW}, $8, ${NOW}, $9)
   returning entry_id::text`,
);

/** The approval of an entry that two people want. */
export type Approved = Pick<
  Parameters<Execute<unknown>>[1],
  'approval_id' | 'proposed_by' | 'proposed_by_key'
>;

export async function addEntry(
  query: Query,
  { name, kind }: Pick<LockedList, 'name' | 'kind'>,
  { value, reason, expires_at }: NewEntry,
  by: Officer,
  approval?: Approved,
): Promise<string> {
  const author = [approval?.proposed_by ?? by.name, approval?.proposed_by_key ?? by.keyId] as const;
  const { version } = await bumpList(query, name, 1);
  const added = await insertEntry(
    query,
    ...([name, value, kind === 'address' ? value : null, reason] as const),
    ...([expires_at ?? null, ...author, approval?.approval_id ?? null, version] as const),
  );
  return added.entry_id;
}

const endStatement = rowsOf<object, [id: string, by: string]>(
  'end-list-entry',
  `update market.list_entries
      set valid_to = case when $2 = '${ENGINE}' then expires_at else ${NOW} end, ended_by = $2
    where entry_id = $1`,
);
/** @param by `engine` ends an expired entry as of its expiry */
export async function endEntry(query: Query, { list, entry_id: id }: EntryJson, by: string) {
  await endStatement(query, id, by);
  await bumpList(query, list, -1);
}

/** Newest first. */
export async function listEntries(
  query: Query,
  name: string,
  { state, as_of: asOf, value, limit, cursor }: EntryParameters,
): Promise<EntryJson[]> {
  const source = sourceOf(name);
  const values: unknown[] = [name];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const states = {
    in_force: () =>
      asOf === undefined
        ? inForceNow(source)
        : inForce(source, `${parameter(new Date(asOf).toISOString())}::timestamptz`),
    proposed: () =>
      `e.valid_to is null and ${source.validFrom} is null and (e.expires_at is null or e.expires_at > ${NOW})`,
    all: () => 'true',
  };
  const conditions = [
    states[state](),
    ...(value === undefined ? [] : [`e.value = ${parameter(value)}`]),
    ...(cursor === undefined ? [] : [`e.entry_id < ${parameter(cursor)}`]),
  ];
  const text = `select ${columnsOf(source)} from ${source.from} where e.list = $1 and ${conditions.join(' and ')}
                 order by e.entry_id desc limit ${parameter(limit)}`;
  return await query<EntryJson>({ text }, values);
}

const containing = (source: EntrySource, match: string) =>
  `select ${columnsOf(source)} from ${source.from} where e.list = any ($1::text[]) and ${match} and ${inForceNow(source)}`;
const bothOf = (match: string) =>
  SOURCES.map((value) => containing(value, match)).join(' union all ');
type Listed = [lists: readonly string[], value: string];
const findValue = rowsOf<EntryJson, Listed>('find-listed-value', bothOf('e.value = $2'));
const findNetworks = rowsOf<EntryJson, Listed>(
  'find-listed-networks',
  bothOf('e.addresses >>= $2::inet'),
);

/** Entries in force of these lists that have the value; networks that contain the value if it is an address. */
export const findListed = (query: Query, kind: Kind, ...asked: Listed): Promise<EntryJson[]> =>
  (kind === 'address' ? findNetworks : findValue)(query, ...asked);
