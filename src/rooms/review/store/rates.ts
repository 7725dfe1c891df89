/** Exchange rates by day, as people import them. A new rate changes no case that is open. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { textArray } from '../../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import type { ExchangeRate } from '../exchange-rate.ts';

const upsertStatement: Statement = {
  name: 'import-exchange-rates',
  text: `insert into market.exchange_rates as r (currency, day, usd)
         select currency, day::date, usd::numeric from unnest($1::text[], $2::text[], $3::text[]) as u (currency, day, usd)
          order by 1, 2
         on conflict (currency, day) do update set usd = excluded.usd, imported_at = now() where r.usd <> excluded.usd
         returning xmax = 0 as "isNew"`,
};

/** Rows of one statement, which takes far less than its timeout. */
const STATEMENT_ROWS = 10_000;

type Imported = {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
};

/** @param rates at most one a currency and day; all of them are stored, or none */
export async function importRates(
  database: Pick<Database, 'transaction'>,
  rates: readonly ExchangeRate[],
  by: Actor,
): Promise<Imported> {
  return await database.transaction(async (query) => {
    let [added, changed] = [0, 0];
    for (let at = 0; at < rates.length; at += STATEMENT_ROWS) {
      const part = rates.slice(at, at + STATEMENT_ROWS);
      const rows = await query<{ isNew: boolean }>(upsertStatement, [
        textArray(part.map(({ currency }) => currency)),
        textArray(part.map(({ day }) => day)),
        textArray(part.map(({ usd }) => usd)),
      ]);
      const fresh = rows.filter(({ isNew }) => isNew).length;
      added += fresh;
      changed += rows.length - fresh;
    }
    const unchanged = rates.length - added - changed;
    if (added + changed === 0) return { added, changed, unchanged };
    const currencies = [...new Set(rates.map(({ currency }) => currency))].sort();
    await recordChange(query, by, {
      action: 'rates.import',
      subject: currencies.slice(0, 20).join(' '),
      before: null,
      after: { added, changed, currencies },
    });
    return { added, changed, unchanged };
  });
}
