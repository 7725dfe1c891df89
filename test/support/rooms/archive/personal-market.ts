/** A market with personal fields that an API serves, two people roll back, and a restore brings back. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { unsealed } from '../../../../bench/support/unsealed.ts';
import { migrate } from '../../../../src/kit/database/migrations/migrate.ts';
import { listTables } from '../../../../src/rooms/archive/export-table.ts';
import { runApiHere } from '../../api-here.ts';
import { openForFile } from '../../open-for-file.ts';
import { insertPersonKey } from '../../people.ts';
import { runRisk } from '../../run-risk.ts';
import { RUNNING_API_KEY } from '../../running-api.ts';
import { answerOf, input, labelInput } from '../../submit.ts';
import { folderOfFile } from '../../temporary-folder.ts';
import { waitUntil } from '../../wait-until.ts';
import { createWorkerRig, startWorkerHere } from '../../worker-rig.ts';
import { makePrivacyFolder } from '../privacy/settings.ts';

const MARKET = 'market_1';
export const ACCOUNTS = ['account-of-ann', 'account-of-bob', 'account-of-cleo'];
const DAY_MS = 86_400_000;
const SCORED_MS_MAX = 15_000;

type Ask = (
  operation: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
) => ReturnType<typeof answerOf>;

export async function openPersonalMarket() {
  const folder = folderOfFile();
  const keyFile = join(folder, 'key');
  const key = randomBytes(32);
  writeFileSync(keyFile, key.toString('base64'));
  const privacy = await openForFile(makePrivacyFolder());
  const rig = await openForFile(createWorkerRig());
  const { sql } = rig.database;
  const stores = { DATABASE_URL: rig.database.url, REDIS_URL: rig.redis.url, ...privacy.settings };
  const market = await openForFile(rig.database.open({ market: MARKET }));
  await openForFile(unsealed(folder));

  /** Serves the market while `work` asks. */
  async function served<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    const ofMarket = { RISK_MARKET: MARKET, PORT: '0', RISK_BOOTSTRAP_KEY: RUNNING_API_KEY };
    const api = await runApiHere({ ...stores, ...ofMarket });
    try {
      return await work(async (operation, body, headers = {}) => {
        const [method = '', path] = operation.split(' ');
        const sent = {
          Authorization: `Bearer ${RUNNING_API_KEY}`,
          'Content-Type': 'application/json',
        };
        const given = body === undefined ? {} : { body: JSON.stringify(body) };
        return await answerOf(
          await fetch(`${api.url}${path}`, { method, ...given, headers: { ...sent, ...headers } }),
        );
      });
    } finally {
      await api.stop();
    }
  }
  /** The rows of all tables that a restore brings back, as hashes. */
  async function contents(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const { name } of await listTables(market.query, MARKET)) {
      if (/^(tall|merchant_hour|schema_|idempotency_|late_|profile_|snapshot_)/.test(name))
        continue;
      const row = name.startsWith('transactions_')
        ? `to_jsonb(t) - 'inserted_xid'`
        : `to_jsonb(t) - 'set_at'`;
      const where =
        name === 'audit_log' ? `where action not in ('market.restore', 'month.create')` : '';
      const [{ hash } = { hash: null }] = await sql<{ hash: string | null }>(
        `select md5(string_agg(row::text, ',' order by row::text)) as hash from (select ${row} as row from ${MARKET}.${name} t ${where}) t`,
      );
      // Months that are made ahead, and empty tables.
      if (hash !== null) found.set(name, hash);
    }
    const [{ hash } = { hash: '' }] = await sql<{ hash: string }>(
      `select md5(string_agg(digest::text || transaction_id || fingerprint, ',' order by digest)) as hash from ${MARKET}.idempotency_keys`,
    );
    return found.set('idempotency_keys', hash);
  }

  await migrate({ url: rig.database.url, market: MARKET, corridors: ['JP-KR'] });
  const tokens: string[] = [];
  const ids: string[] = [];
  const bodies: object[] = [];
  await served(async (ask) => {
    for (const field of ['account_id', 'metadata.email'])
      expect((await ask(`PUT /v1/personal-fields/${field}`)).status).toBe(200);
    const worker = startWorkerHere({ ...stores, RISK_MARKET: MARKET });
    for (const [nth, account] of ACCOUNTS.entries()) {
      const at = new Date(Date.now() - 20 * nth * DAY_MS).toISOString();
      const metadata = { email: `${account}@mail.example` };
      const body = input({ account_id: account, corridor: 'JP-KR', created_at: at, metadata });
      bodies.push(body);
      const { body: sent } = await ask('POST /v1/transactions', body);
      ids.push(sent.transaction_id);
      await waitUntil(
        async () =>
          (await ask(`GET /v1/transactions/${sent.transaction_id}`)).body.status === 'scored',
        SCORED_MS_MAX,
        'a score',
      );
      tokens.push((await ask(`GET /v1/transactions/${sent.transaction_id}`)).body.account_id);
    }
    const labels = [labelInput({ transaction_id: ids[1] })];
    expect((await ask('POST /v1/labels', { labels })).status).toBe(200);
    await worker.stop();
  });
  const inMarket = (text: string, values?: readonly unknown[]) =>
    sql<never>(text.replace(/into (identities|api_keys)/, `into ${MARKET}.$1`), values);
  const reader = await insertPersonKey({ sql: inMarket }, 'Rhea', ['personal_data']);
  /** Reads what the tokens of the accounts stand for. */
  const clearValues = () =>
    served(async (ask) =>
      Promise.all(
        tokens.map(async (token) => {
          const header = { Authorization: `Bearer ${reader}`, 'Risk-Reason': 'a test' };
          return (await ask(`GET /v1/subjects/${token}`, undefined, header)).body.value ?? null;
        }),
      ),
    );
  return {
    ...{ folder, keyFile, key, sql, stores, market, ledger: privacy.ledger, tokens, ids, bodies },
    ...{ served, contents, clearValues, open: rig.database.open },
    risk: (...args: readonly string[]) => runRisk(['archive', ...args], stores),
  };
}
