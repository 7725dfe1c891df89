/**
 * Goal: rules ask lists and rates, every worker follows a change of a list within 1.5 s, and each score is verified by what was stored
 * with it, whatever lists and rates have since. Method: workers on real stores, rule sets of two people, changes of lists by SQL.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import { NO_MODELS } from '../../../../src/core/score/judge.ts';
import { loadUnscored } from '../../../../src/core/store/transactions/read-transactions.ts';
import type { Officer } from '../../../../src/kit/words/principal.ts';
import { verifyScores } from '../../../../src/rooms/evidence/verify/scores.ts';
import { addEntry, endEntry, findOpen } from '../../../../src/rooms/lists/store.ts';
import { checkSource } from '../../../../src/rooms/rules/try-rule-set.ts';
import { insertApproval } from '../../../support/approvals.ts';
import { makeApproved, makeOfficer, putInForce } from '../../../support/rooms/rules/officers.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../../../support/worker-rig.ts';

/** The promised time until a change counts in every worker. */
const STALE_MS_MAX = 1500;

let rig: WorkerRig;
let ann: Officer;
let bob: Officer;
beforeEach(async () => {
  rig = await createWorkerRig();
  ann = await makeOfficer(rig.database, 'Ann');
  bob = await makeOfficer(rig.database, 'Bob');
  for (const [name, effect] of Object.entries({
    stopped: 'block',
    trusted: 'allow',
    watched: 'watch',
  })) {
    await rig.database.sql(
      `insert into lists (name, effect, kind, description, created_by) values ($1, $2, 'account', 'a list', 'Ann')`,
      [name, effect],
    );
  }
});
afterEach(() => rig[Symbol.asyncDispose]());

const rule = (id: string, more: object) => ({
  ...{ id, sentence: `Rule ${id}.`, code: id.toUpperCase().replaceAll('-', '_') },
  ...more,
});
const ruleSet = (id: string, ...rules: object[]) => ({
  ...{ version: 2 as const, id, feature_schema: 3, rules },
  verdicts: { all: { review: 500, decline: 800 } },
});
const ofLists = ruleSet(
  'listed@1',
  rule('any', { when: 'true', weight: 0.6 }),
  rule('trust', { when: 'in_list("trusted")', verdict: 'allow' }),
  rule('stop', { when: 'in_list("stopped")', verdict: 'block' }),
  rule('stop-currency', { when: 'currency == "EUR" && !in_list("watched")', verdict: 'decline' }),
);

async function decideBy(source: ReturnType<typeof ruleSet>): Promise<void> {
  expect(await checkSource(rig.pool.query, source)).toHaveProperty('ruleSet');
  const name = await makeApproved(rig.pool, [ann, bob], source);
  for (const percent of [5, null]) await putInForce(rig.pool, [ann, bob], name, percent);
}

const add = (list: string, value: string) =>
  rig.pool.transaction((query) =>
    addEntry(query, { name: list, kind: 'account' }, { value, reason: 'why' }, ann),
  );
async function trust(value: string): Promise<void> {
  await rig.database.sql(
    `with bump as (update lists set version = version + 1 where name = 'trusted' returning version)
     insert into list_entries (list, value, reason, added_by, added_by_key, added_at, approval_id, valid_from, version)
     select 'trusted', $1, 'why', 'Ann', $2, now(), $3, now(), version from bump`,
    [
      value,
      ann.keyId,
      await insertApproval(rig.database, 'list-entry', [ann, bob], { list: 'trusted', value }),
    ],
  );
}
const end = (list: string, value: string) =>
  rig.pool.transaction(async (query) => {
    const entry = await findOpen(query, list, value);
    if (entry !== undefined) await endEntry(query, entry, 'Ann');
  });

type Row = {
  readonly account_id: string;
  readonly verdict: string;
  readonly rule_inputs: Record<string, unknown> | null;
};
const readRows = () =>
  rig.database.sql<Row>('select account_id, verdict, rule_inputs from scores order by account_id');
const of = (accountId: string, count = 1, from = 0) =>
  seeds(count, Date.UTC(2026, 10, 1) + 1000 * from).map((seed) => ({ ...seed, accountId }));
async function verify() {
  const found = await verifyScores(rig.pool, NO_MODELS, 100_000, new AbortController().signal);
  return [found.verified, found.differing.flatMap(({ fields }) => fields).sort()] as const;
}

test('block goes before allow, answers are stored with the score, and later changes move none', async () => {
  await decideBy(ofLists);
  await add('stopped', 'acc_bad');
  await add('stopped', 'acc_both');
  await trust('acc_both');
  await trust('acc_good');
  rig.startWorker();
  const accounts = ['acc_bad', 'acc_both', 'acc_good', 'acc_other'];
  const transactions = await rig.send(accounts.flatMap((one) => of(one)));
  await rig.settled(4);
  const inputs = (stopped: boolean, trusted: boolean) => ({
    ...{ currency: 'USD', 'in_list.stopped': stopped, 'in_list.trusted': trusted },
    'in_list.watched': false,
  });
  const rows = await readRows();
  expect(rows).toEqual([
    { account_id: 'acc_bad', verdict: 'decline', rule_inputs: inputs(true, false) },
    { account_id: 'acc_both', verdict: 'decline', rule_inputs: inputs(true, true) },
    { account_id: 'acc_good', verdict: 'approve', rule_inputs: inputs(false, true) },
    { account_id: 'acc_other', verdict: 'review', rule_inputs: inputs(false, false) },
  ]);
  await end('stopped', 'acc_bad');
  await add('stopped', 'acc_other');
  // Entries that are appended again find the scores with their answers.
  await rig.append(transactions);
  await rig.settled(4);
  expect(await readRows()).toEqual(rows);
  expect(await verify()).toEqual([4, []]);
  // A changed answer is found by the checksum, where the decision does not depend on it, too.
  await rig.database.sql(
    `update scores set rule_inputs = replace(rule_inputs::text, '"in_list.watched":false', '"in_list.watched":true')::json
      where account_id = 'acc_bad'`,
  );
  expect(await verify()).toEqual([4, ['features']]);
  await rig.database.sql(`update scores set rule_inputs = null where account_id = 'acc_good'`);
  expect(await verify()).toEqual([4, ['features', 'features', 'reasons', 'verdict']]);
});

test('a rule reads declared metadata, and every score records it, also of an entry appended again', async () => {
  await rig.database.sql(
    `insert into metadata_fields (name, type, description, declared_by)
     values ('tier', 'text', 'a word', 'Ann'), ('points', 'number', 'a count', 'Ann')`,
  );
  const tiered = {
    ...ruleSet('tiered@1', rule('gold', { when: 'metadata.tier == "gold"', weight: 0.6 })),
    metadata: { tier: 'text' },
  };
  await decideBy(tiered);
  const first = await rig.store(of('acc_0'));
  await rig.append(first.map((one) => ({ ...one, declared: '{"tier":"basic","points":7}' })));
  const again = await rig.store(of('acc_1'));
  await rig.database.sql(
    `update transactions set metadata = '{"tier": "gold", "points": "7"}' where account_id = 'acc_1'`,
  );
  const ids = again.map(({ transactionId }) => transactionId);
  await rig.append(await loadUnscored(rig.pool, ids));
  rig.startWorker();
  await rig.settled(2);
  const basic = { 'metadata.tier': 'basic', 'metadata.points': 7 };
  const gold = { 'metadata.tier': 'gold' };
  expect(await readRows()).toEqual([
    { account_id: 'acc_0', verdict: 'approve', rule_inputs: basic },
    { account_id: 'acc_1', verdict: 'review', rule_inputs: gold },
  ]);
  // Vectors end with a slot of the text, and two of the number.
  const lengths = 'select distinct get_byte(features, 0) - $1::int as slots from scores';
  expect(await rig.database.sql(lengths, [FEATURE_COUNT])).toEqual([{ slots: 3 }]);
  await rig.database.sql('delete from metadata_fields');
  expect(await verify()).toEqual([2, []]);
  await rig.database.sql(
    `update scores set rule_inputs = replace(rule_inputs::text, '7', '8')::json where account_id = 'acc_0'`,
  );
  expect(await verify()).toEqual([2, ['features']]);
});

test('two workers follow a list within 1.5 s, and no transaction is decided by an older one', {
  retry: 2,
}, async () => {
  await decideBy(ofLists);
  rig.startWorker();
  rig.startWorker();
  let sent = 0;
  const flow = async (untilMs: number) => {
    const isLater = async () => {
      await rig.send(of('acc_late', 4, sent));
      sent += 4;
      await rig.settled(sent);
      return Date.now() > untilMs;
    };
    await waitUntil(isLater, 30_000, 'later scores');
  };
  // By then both workers have the lists in memory, so they have to follow each change.
  await flow(Date.now() + 2 * STALE_MS_MAX);
  for (const [change, wanted] of [
    [() => add('stopped', 'acc_late'), 'decline'],
    [() => end('stopped', 'acc_late'), 'review'],
  ] as const) {
    await change();
    const changedAtMs = Date.now();
    await flow(changedAtMs + 2 * STALE_MS_MAX);
    const others = await rig.database.sql<{ scored_at: Date }>(
      'select scored_at from scores where verdict <> $1 and scored_at > $2 order by scored_at',
      [wanted, new Date(changedAtMs)],
    );
    const latest = others.at(-1)?.scored_at.getTime() ?? changedAtMs;
    expect(latest - changedAtMs).toBeLessThan(STALE_MS_MAX);
  }
  expect(await verify()).toEqual([sent, []]);
});

test('a rule set names lists that exist, and approves by lists of two people alone', async () => {
  const problemsOf = async (...rules: object[]) => {
    const made = await checkSource(rig.pool.query, ruleSet('own@1', ...rules));
    return 'problems' in made ? made.problems.map(({ detail }) => detail) : [];
  };
  const listed = (list: string, more: object) =>
    rule('one', { when: `in_list("${list}")`, ...more });
  expect(await problemsOf(listed('watched', { weight: 0.5 }))).toEqual([]);
  expect(await problemsOf(listed('trusted', { verdict: 'allow' }))).toEqual([]);
  expect((await problemsOf(listed('trustd', { weight: 0.5 })))[0]).toContain('trusted');
  for (const verdict of ['allow', 'approve']) {
    expect(await problemsOf(listed('watched', { verdict }))).toEqual([
      `must ask lists that allow, and no others, where one forces ${verdict}, not watched`,
    ]);
  }
  const inEuros = rule('one', { when: 'amount > money(1, "EUR")', weight: 0.5 });
  expect(await problemsOf(inEuros)).toEqual([]);
});

test('a rule compares amounts by the rate of the day, which is stored with the score', async () => {
  const priced = ruleSet(
    'priced@1',
    rule('large', { when: 'amount >= money(40, "EUR")', weight: 0.6 }),
  );
  await decideBy(priced);
  await rig.database.sql(
    `insert into exchange_rates (currency, day, usd) values ('EUR', '2026-10-30', 1.25)`,
  );
  rig.startWorker();
  const amounts = ['49.99', '50.00'];
  await rig.send(
    amounts.flatMap((amount, at) => of(`acc_${at}`).map((one) => ({ ...one, amount }))),
  );
  await rig.settled(2);
  const ruleInputs = { 'rate.EUR': 1.25 };
  expect(await readRows()).toEqual([
    { account_id: 'acc_0', verdict: 'approve', rule_inputs: ruleInputs },
    { account_id: 'acc_1', verdict: 'review', rule_inputs: ruleInputs },
  ]);
  await rig.database.sql(`update exchange_rates set usd = 2`);
  expect(await verify()).toEqual([2, []]);
});
