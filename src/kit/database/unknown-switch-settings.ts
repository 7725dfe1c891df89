/** Variables that stop a market or a corridor which this database does not have: nothing is stopped by them. */
import type { SwitchSetting } from '../config/switch-settings.ts';
import type { Database } from './pool.ts';

const knownStatement = {
  name: 'known-switch-settings',
  text: `select name from unnest($1::text[], $2::text[], $3::text[]) as asked (name, market, corridor)
          where case when corridor is null
                     then exists (select from pg_namespace n join pg_class c on c.relnamespace = n.oid
                                   where n.nspname = market and c.relname = 'open_rows')
                     else exists (select from shared.corridors s
                                   where s.market = asked.market and s.corridor = asked.corridor) end`,
};

const CORRIDOR = 'corridor:';

/** @returns a sentence for each such variable */
export async function describeUnknownSettings(
  { query }: Pick<Database, 'query'>,
  stopped: readonly SwitchSetting[],
): Promise<string[]> {
  if (stopped.length === 0) return [];
  const corridorOf = ({ scope }: SwitchSetting) =>
    scope.startsWith(CORRIDOR) ? scope.slice(CORRIDOR.length) : null;
  const known = await query<{ name: string }>(knownStatement, [
    stopped.map(({ name }) => name),
    stopped.map(({ market }) => market),
    stopped.map(corridorOf),
  ]);
  const names = new Set(known.map(({ name }) => name));
  return stopped
    .filter(({ name }) => !names.has(name))
    .map((setting) => {
      const corridor = corridorOf(setting);
      const missing =
        corridor === null ? setting.market : `corridor ${corridor} in ${setting.market}`;
      return `${setting.name}=false stops nothing: this database has no ${missing}`;
    });
}
