/** Figures of the sample of `risk start` that a database has. */
import { readConfig } from '../../src/kit/config/config.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';

const FOUND = `select (select count(*)::int from market.labels where source = 'simulation') as labels,
    (select count(*)::int from market.exchange_rates) as rates,
    (select max(usd)::float8 from market.exchange_rates where currency = 'EUR') as euro,
    (select count(*)::int from market.approvals) as proposals,
    (select count(*)::int from market.identities where revoked_at is null) as people,
    (select count(*)::int from market.audit_log where action = 'case.decide') as decided,
    (select count(*)::int from market.review_cases where state = 'open' and market_amount is not null) as open,
    (select count(*)::int from market.review_cases) as cases,
    (select count(*)::int from market.scorecards) as tables,
    (select count(*)::int from market.transactions) as transactions`;

export async function findSample(databaseUrl: string): Promise<Record<string, number>> {
  const settings = readConfig({});
  if (!('config' in settings)) throw new Error('the defaults are a configuration');
  await using database = openDatabase(settings.config, databaseUrl, 'test');
  const [found] = await database.query<Record<string, number>>({ text: FOUND }, []);
  return found ?? {};
}
