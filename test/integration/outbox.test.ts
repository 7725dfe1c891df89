/**
 * Goal: each row of each outbox has its effect once, wherever the process that takes it is killed, and rows are taken in order by one
 * process at a time, a bounded number a step. Method: workers that are killed by failpoints; then two leaderships over a topic of the test.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { addEvents } from '../../src/core/events.ts';
import { insertLabels } from '../../src/core/store/labels/insert-labels.ts';
import { addUntold } from '../../src/core/store/labels/untold-labels.ts';
import type { ScoredStatement } from '../../src/core/store/scores/score-values.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { IDS, type Ids, openOutbox, outboxDuty } from '../../src/kit/outbox/outbox.ts';
import { originOf } from '../../src/rooms/evidence/settings.ts';
import { lockLog } from '../../src/rooms/evidence/store/evidence-log.ts';
import { addUnsealed } from '../../src/rooms/evidence/store/unsealed.ts';
import { addReviewed } from '../../src/rooms/review/store/reviewed.ts';
import { addDecided } from '../../src/rooms/webhooks/duty.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { insertVerdicts } from '../support/delivered.ts';
import { openForFile } from '../support/open-for-file.ts';
import { openWebhooks } from '../support/rooms/webhooks/rig.ts';
import { runRisk } from '../support/run-risk.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { folderOfFile } from '../support/temporary-folder.ts';
import { THOROUGH } from '../support/thorough.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const FIRST_MS = Date.UTC(2026, 10, 20);
const EACH = 3;

describe('a worker that is killed', async () => {
  const rig = await openForFile(createWorkerRig());
  const { pool, commands } = rig;
  const { sql, market } = rig.database;
  const folder = folderOfFile();
  const made = await runRisk(['evidence', 'keys', folder]);
  const settings = {
    RISK_EVIDENCE_KEYS: /KEYS=(.*)/.exec(made.stdout)?.[1] ?? '',
    RISK_EVIDENCE_FOLDER: folder,
    RISK_RECONCILE_AGE_MS: '500',
  };
  await pool.transaction((query) => lockLog(query, originOf(testConfig(settings))));
  for (const type of ['transaction.decided', 'transaction.final_decision'])
    await openWebhooks(pool).make('http://127.0.0.1:9/', { event_types: [type] });

  /** Stores transactions, each of an account that has its id. */
  async function store(): Promise<string[]> {
    const ids = Array.from({ length: EACH }, () => idAt(FIRST_MS));
    const seeds = ids.map((id) => ({ id, createdAtMs: FIRST_MS, accountId: id }));
    return await storeTransactions(pool, seeds);
  }
  const profileOf = (id: string) => profileKey(market, 'account', id);
  const score = (added: ScoredStatement) => async (ids: readonly string[]) => {
    // A pool prepares the statement for what is added.
    await using database = rig.database.open();
    await insertVerdicts(database, ids, 'review', FIRST_MS, [added]);
  };
  const label = async (ids: readonly string[]) => {
    for (const id of ids) await commands.set(profileOf(id), 'without the label');
    const labels = ids.map((transactionId) => ({
      ...{ transactionId, accountId: transactionId, merchantId: 'm_1', createdAtMs: FIRST_MS },
      ...{ label: 'fraud' as const, labelledAtMs: FIRST_MS, source: 'bank' },
      ...{ amountToMedian: null, note: null },
    }));
    const reporter = { client: 'default', identity: null };
    const batch = { batchId: randomUUID(), receivedAtMs: FIRST_MS, reporter, labels };
    await insertLabels(pool.query, batch);
    await addUntold(pool.query, ids);
    // Younger rows are left to the request that wrote them.
    await sql(`update outbox_labels set written_at = written_at - interval '1 second'`);
  };
  const tell = async (ids: readonly string[]) => {
    const events = ids.map((transactionId) => ({
      ...{ type: 'transaction.final_decision' as const, transactionId, corridor: 'US-EG' },
      ...{ at: new Date(FIRST_MS), data: { transaction_id: transactionId }, clientData: {} },
    }));
    await pool.transaction((query) => addEvents(query, events));
  };
  const read = async (text: string) => (await sql<{ id: string }>(text)).map(({ id }) => id);
  const listed = (type: string) =>
    read(`select json_array_elements(payload::json -> 'data' -> 'decisions') ->> 'transaction_id' as id
            from webhook_deliveries where event_type = '${type}'`);
  /** Labelled transactions whose profile is gone. */
  const told = async () => {
    const ids = await read('select transaction_id as id from labels');
    const profiles = await Promise.all(ids.map((id) => commands.get(profileOf(id))));
    return ids.filter((_, index) => profiles[index] === null);
  };

  /** How rows are added, and the transactions, each as often as its row had its effect. */
  const topics = {
    review: {
      add: score(addReviewed({ ratio: 0 })),
      effects: () => read('select transaction_id as id from review_cases'),
    },
    decided: { add: score(addDecided), effects: () => listed('transaction.decided') },
    events: { add: tell, effects: () => listed('transaction.final_decision') },
    evidence: {
      add: score(addUnsealed(true)),
      effects: () =>
        read(`select encode(substr(ids, nth * 16 + 1, 16), 'hex')::uuid as id
                from evidence_entries, generate_series(0, octet_length(ids) / 16 - 1) as nth`),
    },
    labels: { add: label, effects: told },
  };
  test.each(Object.keys(topics) as (keyof typeof topics)[])(
    'loses and doubles no row of %s',
    async (topic) => {
      const { add, effects } = topics[topic];
      const kill = async (failpoint: string) => {
        const ids = await store();
        await add(ids);
        await using worker = rig.spawnWorker({ ...settings, RISK_TEST_FAILPOINT: failpoint });
        expect([failpoint, (await worker.exited).signal]).toEqual([failpoint, 'SIGKILL']);
        await sql(`update leaderships set expires_at = '-infinity'`);
        return ids;
      };
      /** A worker of this process takes what is left: another process would cost 0.7 s of processor time. */
      const finish = async () => {
        await using _worker = rig.startWorker(settings);
        const isEmpty = async () => (await sql(`select from outbox_${topic}`)).length === 0;
        await waitUntil(isEmpty, 10_000, 'rows to be taken');
      };
      const take = `take-outbox-${topic}`;
      const commit = `commit-of-${topic === 'evidence' ? 'lock-evidence-log' : take}`;
      const ids = await kill(`leader-before-${commit}`);
      // Nothing of a topic's own happens before its rows are taken.
      if (THOROUGH || topic === 'events') ids.push(...(await kill(`leader-before-${take}`)));
      // Profiles may be told again, so they are told before the commit.
      expect(await effects()).toHaveLength(topic === 'labels' ? ids.length : 0);
      expect(await sql(`select from outbox_${topic}`)).not.toEqual([]);
      if (THOROUGH || topic === 'events') ids.push(...(await kill(`leader-after-${commit}`)));
      else await finish();
      expect((await effects()).sort()).toEqual(ids.sort());
      expect(await sql(`select from outbox_${topic}`)).toEqual([]);
    },
  );
});

test('two processes take rows in order, one at a time, and a bounded number a step', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const { sql } = testDatabase;
  await sql(`create table outbox_notes (like outbox_decided including all);
             create table notes (nth bigint generated always as identity, ids text[], owner text)`);
  const outbox = openOutbox<Ids>({ name: 'notes', columns: IDS, rowsMax: 4, weightMax: 6 });
  let running = 0;
  const openProcess = (owner: string) => {
    const metrics = createMetrics();
    const leadership = createLeadership(database, owner);
    const topic = {
      outbox,
      apply: async (query: typeof database.query, rows: readonly Ids[]) => {
        running += 1;
        expect(running).toBe(1);
        const ids = rows.map((row) => row.ids);
        const text = 'insert into market.notes (ids, owner) values ($1, $2)';
        await query({ text }, [ids, owner]);
        running -= 1;
      },
    };
    const duty = outboxDuty({ database, leadership, metrics }, topic);
    const run = () => duty.run(new AbortController().signal);
    return { metrics, run, leave: () => leadership[Symbol.asyncDispose]() };
  };
  const processes = [openProcess('one'), openProcess('other')];
  // Five rows of one transaction and five rows of three, so that each bound ends some steps.
  const insert = `insert into outbox_notes (transaction_ids)
    select array(select ('00000000-0000-0000-0000-' || lpad(nth::text, 12, '0'))::uuid from generate_series(1, case when nth % 10 < 5 then 1 else 3 end))
      from generate_series($1::int, $2::int) nth`;
  const [one, other] = processes;
  const left = async () => (await sql('select from outbox_notes')).length;
  await one?.run();
  const rounds = [processes, processes, [other], processes, processes, [one]];
  for (const [round, some] of rounds.entries()) {
    await sql(insert, [round * 10, round * 10 + 9]);
    // A process that does not lead takes nothing.
    if (round === 0) await other?.run();
    expect(await left()).toBe(10);
    // A process that is alone takes over from the process that left.
    if (some.length === 1) for (const process of processes) await process?.leave();
    const isEmpty = async () => {
      await Promise.all(some.map((process) => process?.run()));
      return (await left()) === 0;
    };
    await waitUntil(isEmpty, 30_000, 'rows to be taken');
  }
  const notes = await sql<{ ids: string[]; owner: string }>(
    'select ids, owner from notes order by nth',
  );
  const taken = notes.flatMap(({ ids }) => ids.map((row) => row.split(',')));
  const expected = Array.from({ length: 60 }, (_, nth) => [nth, nth % 10 < 5 ? 1 : 3]);
  expect(taken.map((row) => [Number(row[0]?.slice(-12)), row.length])).toEqual(expected);
  expect(new Set(notes.map(({ owner }) => owner)).size).toBe(2);
  const weights = notes.map(({ ids }) => ids.join().split(',').length);
  expect([Math.max(...notes.map(({ ids }) => ids.length)), Math.max(...weights)]).toEqual([4, 7]);
});

test('the process that leads counts the rows that wait, and their age, also while their effect fails', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const { sql } = testDatabase;
  await sql(`insert into outbox_decided (written_at, transaction_ids)
             select now() - nth * interval '1 minute', array[gen_random_uuid()] from generate_series(1, 3) nth`);
  const outbox = openOutbox<Ids>({ name: 'decided', columns: IDS, rowsMax: 500, weightMax: 500 });
  const metrics = createMetrics();
  const apply = () => Promise.reject(new Error('away'));
  const openDuty = (owner: string) =>
    outboxDuty(
      { database, leadership: createLeadership(database, owner), metrics },
      { outbox, apply },
    );
  const figures = async () =>
    (await metrics.registry.metrics()).match(/risk_outbox_\w+\{topic="decided"[^}]*\} [\d.]+/g);
  await expect(openDuty('one').run(new AbortController().signal)).rejects.toThrow('away');
  expect(await figures()).toEqual([
    expect.stringMatching(/rows.* 3$/),
    expect.stringMatching(/seconds.* 180\./),
  ]);
});
