/** `risk sample remove` removes what `risk start` has added to the transactions of its sample. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { listIdentities, revokeIdentity } from '../../../kit/access/identities.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { type Command, EXIT, parseArguments, UsageError } from '../../../kit/command/command.ts';
import { byCommand, openCommandDatabase } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { RATED_CURRENCIES } from '../../simulate/geography.ts';
import { MODEL } from './model.ts';
import { keyFileOf, PEOPLE } from './people.ts';
import { readKeys, usdOf } from './transactions.ts';

const BY = byCommand('sample remove');
const KEPT = `What stays: transactions, scores and labels of the sample, because profiles and sums count them; final decisions; ${MODEL},
which decides nothing, and its proposal, which nobody may approve any more; the audit log. No command deletes these.`;

const USAGE = `risk sample remove

Removes what \`npm start\` has added to the transactions of its sample: the people ${PEOPLE.join(' and ')} with their keys, exchange
rates that nobody has corrected, and review cases. Later starts do not add them again. The command works on DATABASE_URL, or
on the running engine of the data folder.
${KEPT}
`;

/** Corridors in which a model decides now. */
const listDeciding = rowsOf<{ corridor: string }, [model: string]>(
  'list-corridors-decided',
  `select corridor from (
     select distinct on (r.corridor) r.* from market.rollouts r join market.models m using (model_id)
      where m.model = $1 order by r.corridor, r.rollout_id desc) newest
    where state in ('canary', 'active') and coalesce(ends_at > now(), true)`,
);

/** Deletes the cases of the transactions with these keys, together with notes. */
const deleteCases = rowsOf<object, [keys: readonly string[]]>(
  'delete-sample-cases',
  `delete from market.review_cases c
    using unnest($1::text[]) key
     join market.idempotency_keys k on k.digest = market.idempotency_digest('default', key)
    where c.transaction_id = k.transaction_id returning 1`,
);

/** The first import of a market with the sample is the sample's. Rates that somebody corrected have a later time and stay. */
const deleteRates = rowsOf<object, [currencies: readonly string[], usd: readonly string[]]>(
  'delete-sample-rates',
  `delete from market.exchange_rates r using unnest($1::text[], $2::numeric[]) s (currency, usd)
    where r.currency = s.currency and r.usd = s.usd
      and r.imported_at = (select min(imported_at) from market.exchange_rates) returning 1`,
);

/** @throws Failure while the model of the sample decides, because nobody could roll it back without these people */
async function removeSample(database: Database, dataDir: string) {
  const corridors = (await listDeciding(database.query, MODEL)).map(({ corridor }) => corridor);
  if (corridors.length > 0) {
    const rollback = `RISK_API_KEY=$(cat ${keyFileOf(dataDir, PEOPLE[0])}) bin/risk models rollback --corridor ${corridors[0]}`;
    const why = `${MODEL} decides in ${corridors.join(', ')}: roll it back first (${rollback})`;
    throw new Failure('conflict', 'SAMPLE_DECIDES', why);
  }
  const names: readonly string[] = PEOPLE;
  const found = await listIdentities(database.query, 'Sample', names.length);
  const people = found.filter((one) => names.includes(one.identity) && one.revoked_at === null);
  for (const { identity } of people) await revokeIdentity(database, identity, BY);
  let cases = 0;
  const files = existsSync(dataDir) ? readdirSync(dataDir) : [];
  for (const file of files.filter((name) => /^sample-\d+\.csv\.gz$/.test(name))) {
    for await (const keys of readKeys(join(dataDir, file))) {
      cases += (await deleteCases(database.query, keys)).length;
    }
  }
  const removed = await database.transaction(async (query) => {
    const rates = await deleteRates(query, RATED_CURRENCIES, RATED_CURRENCIES.map(usdOf));
    const after = { people: people.map(({ identity }) => identity), cases, rates: rates.length };
    await recordChange(query, BY, {
      action: 'sample.remove',
      subject: 'sample',
      before: null,
      after,
    });
    return after;
  });
  for (const person of PEOPLE) rmSync(keyFileOf(dataDir, person), { force: true });
  return removed;
}

export const command: Command = {
  name: 'sample',
  summary: 'Removes what npm start has added to its sample.',
  usage: USAGE,
  needs: ['DATABASE_URL'],
  async run([action, ...args], context) {
    if (action !== 'remove') throw new UsageError('say remove');
    parseArguments(args, {});
    await using database = openCommandDatabase(context, 'sample');
    const removed = await removeSample(database, context.config.RISK_DATA_DIR);
    const { people, cases, rates } = removed;
    context.output.value(removed, [
      `Removed: ${people.join(', ') || 'nobody'} with all keys; ${cases} review cases; ${rates} exchange rates.`,
      KEPT,
    ]);
    return EXIT.fine;
  },
};
