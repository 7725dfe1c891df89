/** Imports exchange rates, bound to the database for the API. */
import type { Database } from '../../../kit/database/pool.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import type { ExchangeRate } from '../exchange-rate.ts';
import { importRates } from '../store/exchange-rates.ts';

export type ImportRates = ReturnType<typeof createImportRates>;

export function createImportRates(database: Pick<Database, 'transaction'>) {
  return async (rates: readonly ExchangeRate[], by: Actor) => {
    refuseTwice(rates);
    const { added, changed } = await importRates(database, rates, by);
    return { added, changed, unchanged: rates.length - added - changed };
  };
}

/** Which of two rates counts would be a guess. */
function refuseTwice(rates: readonly ExchangeRate[]): void {
  const seen = new Map<string, number>();
  for (const [index, { currency, day }] of rates.entries()) {
    const first = seen.get(`${currency} ${day}`);
    if (first !== undefined) {
      const detail = `must not have ${currency} on ${day} again, after /rates/${first}`;
      throw new InvalidFields([{ pointer: `/rates/${index}`, detail }]);
    }
    seen.set(`${currency} ${day}`, index);
  }
}
