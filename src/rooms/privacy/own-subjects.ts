/**
 * Devices, addresses and members of metadata that one account alone has used. Rows of months in files are not read: a subject that
 * may be in one of these months is left, and counted.
 */
import { isPersonalId, pathIn } from '../../core/domain/personal.ts';
import { isCold, isDetached, listMonthTables } from '../../core/store/partitions/partitions.ts';
import type { Query, Statement } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { Erasure } from './store.ts';

/** Newest transactions of the account that are looked at. Larger: a longer erasure; smaller: older devices of busy accounts are left. */
const ACCOUNT_ROWS_MAX = 50_000;
/** Subjects of one field. Larger: a longer erasure; smaller: more are left. */
const SUBJECTS_MAX = 1000;
/** No index finds members of metadata, so a larger market is not searched for them: 500,000 rows take some seconds. */
const SEARCHED_ROWS_MAX = 500_000;

type State = 'own' | 'shared' | 'unjudged';
type Found = { readonly token: string; readonly state: State };

const rowsOfAccount = (columns: string) =>
  `select ${columns} from market.transactions where account_id = $1 order by created_at desc limit ${ACCOUNT_ROWS_MAX}`;
const known = (tokens: string) => `
  with used as (select distinct token from (${tokens}) u where token is not null limit ${SUBJECTS_MAX}),
       mine as materialized (select s.token, s.made_at from used join market.subjects s on s.token = used.token)`;
/** $2: when the last month became files; a subject made later is in none of these months. */
const stateOf = (isShared: string, isJudged = 'true') =>
  `case when ${isShared} then 'shared' when not ${isJudged} or made_at <= $2::timestamptz then 'unjudged' else 'own' end as state`;

function statementOf(field: string): Statement {
  const name = `find-own-${field}`;
  if (isPersonalId(field)) {
    const tokens = `select ${field} as token from (${rowsOfAccount(field)}) t`;
    const isShared = `exists (select from market.transactions t where t.${field} = mine.token and t.account_id <> $1)`;
    const text = `${known(tokens)} select token, ${stateOf(isShared)} from mine where $3::boolean is not null`;
    return { name, text };
  }
  // Names of a path are letters, digits and underscores. A path of jsonb walks lists by itself.
  const path = `'$${pathIn(field)
    .map((member) => `."${member}"`)
    .join('')}'`;
  const tokens = `select v #>> '{}' as token from (${rowsOfAccount('metadata')}) t, jsonb_path_query(t.metadata, ${path}) v`;
  const text = `${known(tokens)},
    others as materialized (
      select distinct v #>> '{}' as token from market.transactions t, jsonb_path_query(t.metadata, ${path}) v
       where $3 and exists (select from mine) and t.account_id <> $1 and v #>> '{}' in (select token from mine))
    select token, ${stateOf('token in (select token from others)', '$3')} from mine`;
  return { name, text };
}

const readLastFiled = onlyOf<{ at: string | null; isSmall: boolean }>(
  'read-last-filed-month',
  `select (select max(begun_at)::text from market.archived_months where step = 'cold') as at,
          (select count(*) from (select from market.transactions limit ${SEARCHED_ROWS_MAX + 1}) t) <= ${SEARCHED_ROWS_MAX} as "isSmall"`,
);

export async function findOwn(
  query: Query,
  account: string,
  fields: readonly string[],
): Promise<{ readonly tokens: readonly string[]; readonly fields: Erasure['also'] }> {
  const others = fields.filter((field) => field !== 'account_id');
  if (others.length === 0) return { tokens: [], fields: [] };
  const { at, isSmall } = await readLastFiled(query);
  // Nobody knows when a month that is detached, and whose rows are not in files, last took rows.
  const months = [...(await listMonthTables(query)).values()];
  const isUnknown = months.some((tables) => isDetached(tables) && !isCold(tables));
  const filedAt = isUnknown ? 'infinity' : (at ?? '-infinity');
  const tokens: string[] = [];
  const counted: Erasure['also'] = [];
  for (const field of others) {
    const found = await query<Found>(statementOf(field), [account, filedAt, isSmall]);
    const of = (state: State) => found.filter((subject) => subject.state === state);
    tokens.push(...of('own').map(({ token }) => token));
    counted.push({
      field,
      erased: of('own').length,
      shared: of('shared').length,
      unjudged: of('unjudged').length,
    });
  }
  return { tokens, fields: counted };
}

/** Cases named in an answer; a person reads these, and asks for others by the account's token. */
const CASES_MAX = 100;
/** Cases of an account with notes, in which people may have written a name. */
export const findNoted = rowsOf<{ id: string }, [account: string]>(
  'find-noted-cases',
  `select c.transaction_id as id from market.review_cases c
    where c.account_id = $1 and exists (select from market.review_notes n where n.transaction_id = c.transaction_id)
    order by c.transaction_id limit ${CASES_MAX}`,
);
