/**
 * Goal: a copy for tests has every row that belongs to it, fits together and can be verified, and nothing in it leads to a person.
 * Method: a market with a canary in each personal field, note, reason and name is copied; the copy is dumped and searched.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { RETENTIONS } from '../../../../src/main/rooms.ts';
import { COPIED, LEFT_OUT, VALUES } from '../../../../src/rooms/privacy/anonymise/copied-tables.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { recountDays } from '../../../support/recount-days.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { dumpTables, findIn } from '../../../support/rooms/privacy/canaries.ts';
import {
  ACCOUNTS,
  CANARIES,
  CONTROL,
  fillTables,
  payments,
  sendScored,
} from '../../../support/rooms/privacy/history.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { labelInput, postLabels, send } from '../../../support/submit.ts';

const PATIENT = { RISK_STATEMENT_TIMEOUT_MS: '20000' };
const PAYMENTS = 40;
const FIELDS = ['metadata.contacts.email', 'metadata.home'];
const PERSON = 'Zenobia Canary';
const WRITTEN = 'canary-that-somebody-wrote';
/** A token of another market, which somebody there can follow. */
const TOKEN = `tok_${'9a'.repeat(16)}`;
const HASH = createHash('sha256')
  .update(ACCOUNTS[0] ?? '')
  .digest('hex');
/** A network may be a household's. */
const NETWORK = '198.51.100.64/28';
const OVERRIDE = 'a test does not wait';
const NOBODYS = [...CANARIES, PERSON, WRITTEN, OVERRIDE, TOKEN, HASH, NETWORK];

const api = await openForFile(startRunningApi(PATIENT));
const rollOut = await openForFile(startRollOut(api.testDatabase));
await rollOut.put(await rollOut.register(1), 'active');
await openForFile(api.startWorker(PATIENT));
const copy = await openForFile(createTestDatabase({ migrated: false }));
const officer = await insertPersonKey(api.testDatabase, PERSON, ['risk_officer', 'admin']);
const sent = payments(0, PAYMENTS).map((one, nth) =>
  nth === PAYMENTS - 1 ? { ...one, account_id: TOKEN } : one,
);
const ids = await sendScored(api, sent);
await fillTables(api, officer, ids);
await postLabels(api, [labelInput({ transaction_id: ids[11], note: WRITTEN })]);
const { sql } = api.testDatabase;
await sql(
  `insert into review_notes (transaction_id, written_by, note) select transaction_id, $1, $2 from review_cases limit 1`,
  [PERSON, WRITTEN],
);
for (const [kind, value] of Object.entries({ hash: HASH, address: NETWORK })) {
  const post = async (path: string, body: object) =>
    expect((await send(api, 'POST', path, body, officer)).status, path).toBeLessThan(300);
  await post('/v1/lists', { name: `more-${kind}`, effect: 'watch', kind, description: WRITTEN });
  await post(`/v1/lists/more-${kind}/entries`, { value, reason: WRITTEN });
}

const anonymise = (url: string, ...fields: string[]) =>
  runRisk(['privacy', 'anonymise', '--to', url, ...fields, '--json'], {
    DATABASE_URL: api.testDatabase.url,
  });

test('somebody has decided of each table, and of each column of text in it', async () => {
  const decided = [...Object.keys(COPIED), ...LEFT_OUT.flatMap(({ tables }) => tables)].sort();
  expect(decided).toEqual(RETENTIONS.flatMap(({ tables }) => tables).sort());
  const columns = await api.testDatabase.sql<{ table: string; column: string }>(
    `select relname as table, attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
      where relnamespace = current_schema()::regnamespace and relname = any ($1) and attnum > 0 and not attisdropped
        and atttypid in ('text'::regtype, 'text[]'::regtype, 'json'::regtype, 'jsonb'::regtype, 'bytea'::regtype, 'inet'::regtype)
      order by 1, 2`,
    [Object.keys(COPIED)],
  );
  const treated = ({ table, column }: { table: string; column: string }) => {
    const { people = [], texts = [], set = {} } = COPIED[table] ?? {};
    return (
      [...people, ...texts, ...Object.keys(set)].includes(column) ||
      column === 'metadata' ||
      VALUES.some((kept) => kept.table === table && kept.column === column)
    );
  };
  const kept = columns.filter((one) => !treated(one));
  const byTable = Object.groupBy(kept, ({ table }) => table);
  const told = Object.entries(byTable).map(([table, of = []]) =>
    [`${table}:`, ...of.map(({ column }) => column)].join(' '),
  );
  expect(told).toMatchInlineSnapshot(`
    [
      "amount_counts: corridor currency",
      "amount_percentiles: corridor currency",
      "api_keys: client key_id roles",
      "approvals: confirmed_by_key kind proposed_by_key",
      "daily_increments: corridor currency model outcome rule_set",
      "daily_tallies: corridor currency model outcome rule_set",
      "dead_letters: corridor entry_id error_code stream",
      "exchange_rates: currency",
      "field_slots: field kind type",
      "final_decisions: corridor disposition label merchant_id source verdict",
      "labels: client label merchant_id source",
      "list_entries: added_by_key list",
      "list_imports: added_by_key list",
      "lists: effect kind name",
      "metadata_fields: name type",
      "models: artefact calibration card code_version feature_names format golden_source model model_id parent",
      "open_rows: corridor",
      "outbox_review: source",
      "review_cases: confirmed_by_key corridor currency decided_by_key disposition market_currency merchant_id reasons source state verdict",
      "review_policies: policy",
      "rollouts: cause corridor decided_by_key model_id rule_set state",
      "rule_set_flips: corridor rule_set",
      "rule_sets: author_key rule_set sha256 source state",
      "scores: corridor features model reasons rule_inputs rule_set verdict",
      "shadow_batches: model_id",
      "total_tallies: corridor outcome",
      "transactions: channel client corridor country currency merchant_id type",
    ]
  `);
});

test('no row of the copy has a value, a name or a text of anybody', async () => {
  expect(findIn(await dumpTables(api.testDatabase), NOBODYS)).toEqual(NOBODYS);
  const copied = await anonymise(copy.url, ...FIELDS);
  expect([copied.code, copied.stderr]).toEqual([0, expect.any(String)]);
  const report = JSON.parse(copied.stdout);
  expect(report.fields).toEqual(['account_id', 'device_id', 'ip', ...FIELDS]);
  expect(report.rows).toMatchObject({ transactions: PAYMENTS, scores: PAYMENTS, dead_letters: 1 });
  const dumped = await dumpTables(copy);
  expect(findIn(dumped, [CONTROL])).toEqual([CONTROL]);
  expect(findIn(dumped, NOBODYS)).toEqual([]);
  expect(await copy.sql('select from api_keys where revoked_at is null')).toEqual([]);
});

test('rows of the copy fit each other, and its scores and sums are verified', async () => {
  const shape = (column: string) =>
    `select count(*)::int as n, sum(amount)::text, count(distinct ip)::int as ips, min(created_at), max(s.score)
       from transactions t join scores s using (transaction_id, created_at) where s.account_id = t.account_id
      group by t.${column} order by 1, 2`;
  for (const column of ['account_id', 'device_id', 'ip', 'metadata']) {
    const [ours, theirs] = [
      await copy.sql(shape(column)),
      await api.testDatabase.sql(shape(column)),
    ];
    expect(ours.length).toBeGreaterThan(1);
    expect(ours).toEqual(theirs);
  }
  const joined = `select l.name, count(*)::int as n from lists l join list_entries e on e.list = l.name
                    join transactions t on e.value in (t.account_id, t.device_id)
                    or e.addresses = case when l.kind = 'address' then t.ip::inet end
                   where l.name like 'of-%' group by 1 order by 1`;
  expect(await copy.sql(joined)).toEqual(await api.testDatabase.sql(joined));
  expect(await copy.sql(joined)).toHaveLength(3);
  const environment = { DATABASE_URL: copy.url };
  const scores = await runRisk(['verify', 'scores'], environment);
  expect([scores.code, scores.stdout]).toEqual([
    0,
    expect.stringContaining(`verified=${PAYMENTS} different=0`),
  ]);
  await using database = copy.open();
  expect((await recountDays(database)).differing).toEqual([]);
  expect(await copy.sql('select distinct model from scores')).toEqual([{ model: 'm@1' }]);
  // New rows get ids behind the copied ones, and triggers guard the copied ones again.
  await copy.sql(
    `insert into review_policies (made_by, policy) select made_by, policy from review_policies limit 1`,
  );
  await expect(copy.sql(`update final_decisions set reason = 'x'`)).rejects.toThrow(
    /never changed/,
  );
});
