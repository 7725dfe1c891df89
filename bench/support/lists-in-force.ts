/** Two lists of a million accounts, and a rule set in force that asks both, before any worker runs. */
import { Readable } from 'node:stream';
import { default3 } from '../../src/core/score/rules/default-3.ts';
import { type Database, openPool } from '../../src/kit/database/pool.ts';
import { importEntries } from '../../src/rooms/lists/import.ts';
import { readImport } from '../../src/rooms/lists/import-rows.ts';
import type { Kind } from '../../src/rooms/lists/value.ts';
import { makeApproved, makeOfficer, putInForce } from '../../test/support/rooms/rules/officers.ts';
import { MARKET } from './market.ts';
import { sqlOf } from './person.ts';
import type { Services } from './services.ts';

const LISTED_VALUES = 1_000_000;
/** Simulated accounts for one on the first list, each hit of which is looked up in Postgres; none is on the second. */
const LISTED_EACH = 100;
const TIMEOUT_MS = 60_000;
const BY = { name: 'bench', keyId: 'bench', request: 'bench lists' };
const RULE_SET = 'listed@1';

/** The person of the imports needs a key that exists. */
async function fillList(
  database: Database,
  name: string,
  kind: Kind,
  values: Iterable<string>,
): Promise<void> {
  await database.query({
    text: `insert into market.api_keys (key_id, key_hash, roles, owner) values ('bench', sha256('bench'), '{analyst}', 'bench')
           on conflict do nothing`,
  });
  await database.query(
    {
      text: `insert into market.lists (name, effect, kind, description, created_by) values ($1, 'block', $2, 'bench', 'bench')`,
    },
    [name, kind],
  );
  function* lines() {
    for (const value of values) yield `{"value":"${value}"}\n`;
  }
  const pause = async () => undefined;
  const reading = { isJson: true, kind, nowMs: Date.now(), pause };
  const read = await readImport(Readable.from(lines(), { objectMode: false }), reading);
  await importEntries(database, { name, kind, reason: 'bench', ...read }, BY);
}

/** `prefix_0`, `prefix_STEP`, … */
function* accountIds(prefix: string, count: number, step = 1): Generator<string> {
  for (let nth = 0; nth < count; nth++) yield `${prefix}_${nth * step}`;
}

/** The default rule set with a rule for each list, whose small weight leaves the share of flagged transactions as it is. */
export async function putListsInForce(services: Services): Promise<void> {
  await using database = openPool({
    ...{
      url: services.databaseUrl,
      market: MARKET,
      role: 'bench',
      connectionsMax: 1,
      namedStatements: false,
    },
    ...{ connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS },
  });
  await fillList(database, 'one', 'account', accountIds('account', LISTED_VALUES, LISTED_EACH));
  await fillList(database, 'two', 'account', accountIds('other', LISTED_VALUES));
  const rules = ['one', 'two'].map((list) => ({
    id: `listed-${list}`,
    code: `LISTED_${list.toUpperCase()}`,
    sentence: `The account is on the list ${list}.`,
    when: `in_list("${list}")`,
    weight: 0.05,
  }));
  const sql = sqlOf(services);
  const people = [await makeOfficer({ sql }, 'Ann'), await makeOfficer({ sql }, 'Bob')] as const;
  const listed = { ...default3, id: RULE_SET, rules: [...default3.rules, ...rules] };
  await makeApproved(database, people, listed);
  for (const percent of [5, null]) await putInForce(database, people, RULE_SET, percent, 'all');
}
