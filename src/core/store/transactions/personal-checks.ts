/** Checks by which Postgres refuses clear values of personal fields. */
import { isPersonalId, pathIn, TOKEN_LIKE } from '../../domain/personal.ts';
import { PERSONAL } from './transactions.ts';

/**
 * Makes a constraint by which Postgres refuses clear values, even from a process that has not read the declaration; values within a
 * list in metadata are not checked. The table is empty, and new months inherit its constraints.
 */
export function tokensAlone(field: string, nth: number): string {
  const isId = isPersonalId(field);
  const value = isId ? field : `metadata #>> '{${pathIn(field).join(',')}}'`;
  const name = isId ? field : `metadata_${nth}`;
  return `alter table market.transactions add constraint ${PERSONAL}${name}
            check (${value} is null or ${value} like '${isId ? TOKEN_LIKE[field] : TOKEN_LIKE.account_id}')`;
}
