/** Entries of lists as memory reads them: versions, open values in bounded pages, and an exact look. */
import { unsized } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import type { Effect } from '../list.ts';
import { inForceNow, SOURCES, sourceOf } from '../store.ts';
import type { Kind } from '../value.ts';

/** Longer: a page stops the thread for longer than 10 ms. Shorter: a million take more round trips. */
export const PAGE_ROWS = 10_000;

export type ListVersion = {
  readonly name: string;
  readonly effect: Effect;
  readonly kind: Kind;
  readonly version: number;
  /** A reader that knows an older version reads the list anew. */
  readonly bulkVersion: number;
};

const VERSIONS =
  'select name, effect, kind, version::float8 as version, bulk_version::float8 as "bulkVersion" from';
export const readVersions = rowsOf<ListVersion>(
  'read-list-versions',
  `${VERSIONS} market.lists union all ${VERSIONS} shared.reference_lists order by name`,
);

type Page = { readonly values: string[] };
const pageOf = (list: string, kind: Kind, isFirst: boolean) => {
  const { table } = sourceOf(list);
  const by = kind === 'address' ? 'addresses' : 'value';
  const after = kind === 'address' ? '$2::inet' : '$2';
  return {
    name: `read-list-page-${kind === 'address'}-${isFirst}-${table}`,
    text: `select coalesce(json_agg(value), '[]') as values
             from (select value from ${table}
                    where list = $1 and valid_to is null and (expires_at is null or expires_at > clock_timestamp())
                      ${kind === 'address' ? 'and addresses is not null' : ''} ${isFirst ? '' : `and ${by} > ${after}`}
                    order by ${by} limit ${PAGE_ROWS}) page`,
  };
};

/** Pages of the values that are open, proposed ones included, in the order of the index. */
export async function* readOpen(
  query: Query,
  { name, kind }: ListVersion,
): AsyncGenerator<readonly string[]> {
  let last: string | undefined;
  for (;;) {
    const after = last === undefined ? [] : [last];
    const [page] = await query<Page>(pageOf(name, kind, last === undefined), [name, ...after]);
    const { values } = page ?? { values: [] };
    yield values;
    last = values.at(-1);
    if (values.length < PAGE_ROWS) return;
  }
}

/** An expression: all that `readVersions` reads. */
export const LISTS_MARK = `(select md5(string_agg(concat_ws(' ', name, effect, kind, version, bulk_version), ',' order by name))
  from (select name, effect, kind, version, bulk_version from market.lists
        union all select name, effect, kind, version, bulk_version from shared.reference_lists) lists)`;

/** At most a page, and one row more where there are more. */
export const readAdded = rowsOf<{ value: string }, [list: string, sinceVersion: number]>(
  'read-added-list-entries',
  `select value from market.list_entries where list = $1 and version > $2 and valid_to is null limit ${PAGE_ROWS + 1}`,
);

const asked = `asked as materialized (
    select list, value, nth::int4 as nth
      from unnest(${unsized('$1::text[]')}, ${unsized('$2::text[]')}) with ordinality as asked (list, value, nth))`;
const looked = (match: string) =>
  `with ${asked} ${SOURCES.map(
    (source) =>
      `select nth from ${source.from} join asked a on e.list = a.list and ${match} where ${inForceNow(source)}`,
  ).join(' union ')}`;
type Look = [lists: readonly string[], values: readonly string[]];
const lookValues = rowsOf<{ nth: number }, Look>(
  'look-at-list-values',
  looked('e.value = a.value'),
);
const lookAddresses = rowsOf<{ nth: number }, Look>(
  'look-at-list-addresses',
  looked('e.addresses >>= a.value::inet'),
);

export type Question = { readonly list: string; readonly kind: Kind; readonly value: string };

/** The questions that are entries in force, by the clock of Postgres. */
export async function lookExactly<Asked extends Question>(
  query: Query,
  questions: readonly Asked[],
): Promise<Set<Asked>> {
  const found = new Set<Asked>();
  for (const isAddress of [false, true]) {
    const some = questions.filter(({ kind }) => (kind === 'address') === isAddress);
    if (some.length === 0) continue;
    const look = isAddress ? lookAddresses : lookValues;
    const [lists, values] = [some.map(({ list }) => list), some.map(({ value }) => value)];
    for (const { nth } of await look(query, lists, values)) {
      const question = some[nth - 1];
      if (question !== undefined) found.add(question);
    }
  }
  return found;
}
