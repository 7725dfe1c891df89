/** A market goes to an object store, where its files are locked for years, and comes back. */
import { openPool } from '../../src/kit/database/pool.ts';
import { agreeOnRollback } from '../support/rooms/archive/agree.ts';
import { freezeMarket } from '../support/rooms/corridors/freeze-market.ts';
import { runRisk } from '../support/run-risk.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { BUCKET, check, type Store, tryDelete } from './store.ts';

const NAME = 'market_1';
const ROWS = 2000;

export async function tryMarket(
  environment: Readonly<Record<string, string>> & { readonly DATABASE_URL: string },
  store: Store,
) {
  const risk = async (what: string, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await runRisk(args, environment);
    check(what, code === 0, stdout + stderr);
    return stdout;
  };
  await risk('a market is made', 'markets', 'create', NAME, '--corridors', 'JP-KR');
  const open = () =>
    openPool({
      ...{ url: environment.DATABASE_URL, market: NAME, role: 'test', connectionsMax: 1 },
      ...{ namedStatements: true, connectTimeoutMs: 5000, statementTimeoutMs: 60_000 },
    });
  const count = async () => {
    await using pool = open();
    const text = `select count(*)::int4 as rows, md5(string_agg(s::text, ',' order by transaction_id)) as hash from market.scores s`;
    return JSON.stringify(await pool.query({ text }));
  };
  {
    await using pool = open();
    const createdAtMs = Date.UTC(2026, 4, 9);
    const seeds = Array.from({ length: ROWS }, (_, nth) => ({
      ...{ createdAtMs: createdAtMs + nth, score: nth % 1000, corridor: 'JP-KR' },
    }));
    await storeTransactions(pool, seeds);
    await freezeMarket(pool);
    await agreeOnRollback(pool, NAME);
  }
  const before = await count();
  const archive = `closed/${NAME}`;
  const to = `s3://${BUCKET}/${archive}`;
  const rollback = ['archive', 'rollback', NAME, '--to', to, '--unencrypted'];
  await risk('the market is archived and dropped', ...rollback);
  await risk('its archive is read back', 'archive', 'verify', to);
  const listed = await risk('archives are listed', 'archive', 'markets');
  check('the list has the bucket', listed.includes(to), listed);

  const path = `${archive}/archive.json`;
  const lock = await (await store.ask(`/${path}?retention`)).text();
  const year = String(new Date().getUTCFullYear() + 7);
  check('archive.json is locked for seven years', lock.includes(`<RetainUntilDate>${year}`), lock);
  await tryDelete(store, path);

  await risk('the market is restored', 'archive', 'restore-market', to);
  check('its rows are those of before', (await count()) === before, before);
}
