/** Variables that stop nothing, as the database has no such market or corridor. */
import type { Config } from '../config/config.ts';
import { MARKETS } from './market-reach.ts';
import type { Database } from './pool.ts';
import { rowsOf } from './statement.ts';

const MARKET = 'market';
const listScopes = rowsOf<{ scope: string }>(
  'list-scopes-of-markets',
  `select market || ' ${MARKET}' as scope from (${MARKETS}) as markets
   union all select market || ' corridor:' || corridor from shared.corridors`,
);

/** @returns a sentence for each variable */
export async function describeUnknownStops(
  { query }: Pick<Database, 'query'>,
  { stopped }: Pick<Config, 'stopped'>,
): Promise<string[]> {
  if (stopped.length === 0) return [];
  const known = new Set((await listScopes(query)).map(({ scope }) => scope));
  return stopped
    .filter(({ market, scope }) => !known.has(`${market} ${scope}`))
    .map(({ name, market, scope }) => {
      const missing = scope === MARKET ? market : `${scope.replace(':', ' ')} in ${market}`;
      return `${name}=false stops nothing: this database has no ${missing}`;
    });
}
