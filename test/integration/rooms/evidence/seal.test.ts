/**
 * Goal: each score and each line is sealed once, whatever commits late, fails or runs twice, and nothing is signed that contradicts
 * what was published; nothing escapes between a commit and its seal. Method: a sealer on real Postgres; the log is checked
 * afterwards, and verify/ judges its bundles.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NO_MODELS } from '../../../../src/core/score/judge.ts';
import {
  attachMonth,
  detachMonth,
  recordDetach,
} from '../../../../src/core/store/partitions/detach-months.ts';
import { byCommand } from '../../../../src/kit/command/stores.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { recompute } from '../../../../src/rooms/evidence/evidence-command.ts';
import { readHead } from '../../../../src/rooms/evidence/log/checkpoint.ts';
import { consistencyPath } from '../../../../src/rooms/evidence/log/tree.ts';
import {
  type Bundle,
  proveGap,
  proveLine,
  proveScore,
} from '../../../../src/rooms/evidence/prove.ts';
import { publish, readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { readNewestLog, tileReader } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import { openBundle } from '../../../../verify/bundle.ts';
import { openCheckpoint } from '../../../../verify/note.ts';
import { requireContinued } from '../../../../verify/verify.ts';
import { checkBehind } from '../../../support/rooms/evidence/check-behind.ts';
import {
  type EvidenceRig,
  MONTH_MS,
  openEvidenceRig,
  sealAll,
} from '../../../support/rooms/evidence/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

let rig: EvidenceRig;
beforeEach(async () => {
  rig = await openEvidenceRig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const check = () => checkBehind(rig, async () => undefined);

function bundleOf(found: Bundle | string): Bundle {
  if (typeof found === 'string') throw new Error(found);
  return found;
}

test('what is stored once the log began, and what commits late, is sealed once; bundles are proven offline', async () => {
  await rig.change('before');
  const sealer = rig.openSealer();
  await sealAll(sealer);
  const first = (await readPublished(rig.path)) ?? '';
  const { promise: later, resolve: commit } = Promise.withResolvers<void>();
  const { promise: stored, resolve: isStored } = Promise.withResolvers<string[]>();
  const late = rig.database.transaction(async (query) => {
    isStored(await rig.store(10, { query, transaction: (work) => work(query) }));
    await later;
  });
  const lateIds = await stored;
  const inTime = await rig.store(10);
  await sealAll(sealer);
  expect((await check()).scores).toBe(inTime.length);
  commit();
  await late;
  await sealAll(sealer);
  const ids = [...inTime, ...lateIds];
  expect(await check()).toMatchObject({ findings: [], scores: ids.length, lines: 2 });

  for (const id of [inTime[9], lateIds[0]]) {
    const bundle = bundleOf(await proveScore(rig.database, id ?? ''));
    const { contents, checkpoint } = openBundle(bundle, rig.trusted);
    expect(contents).toMatchObject([
      { kind: 'score', id },
      { kind: 'rule-set', id: 'default@4' },
    ]);
    expect(await recompute(rig.database, NO_MODELS, contents)).toEqual({ id, different: [] });
    const log = await readNewestLog(rig.database.query);
    const seen = openCheckpoint(first, rig.trusted);
    const read = tileReader(rig.database.query, log?.logId ?? 0);
    const proof = await consistencyPath(read, seen.size, checkpoint.size);
    requireContinued(
      seen,
      checkpoint,
      proof.map((hash) => hash.toString('base64')),
    );
  }
  const line = openBundle(bundleOf(await proveLine(rig.database, '2')), rig.trusted);
  expect(line.contents).toMatchObject([{ kind: 'audit', subject: 'before' }]);
});

test('a score that is older than the log has no leaf, and the check says from when scores have one', async () => {
  // The clock of its worker is ahead.
  const [older = ''] = await rig.store(4, rig.database, Date.now() + 30_000);
  const begunMs = Date.now();
  await sealAll(rig.openSealer());
  await rig.store(3);
  await sealAll(rig.openSealer());
  const { from, ...checked } = await check();
  expect(checked).toMatchObject({ findings: [], scores: 3 });
  expect(Date.parse(from) - begunMs).toBeGreaterThan(59_000);
  expect(Date.parse(from) - begunMs).toBeLessThan(90_000);
  expect(await proveScore(rig.database, older)).toBe('unsealed');
});

test('a month is taken off once all its scores are sealed', async () => {
  const month = monthOf(MONTH_MS);
  const by = byCommand('test');
  await sealAll(rig.openSealer());
  await rig.store(4);
  const refused = {
    ...{ kind: 'conflict', code: 'MONTH_UNSEALED' },
    message: expect.stringContaining('4 scores of 2026-10 wait to be sealed'),
  };
  await expect(recordDetach(rig.database, month, by)).rejects.toMatchObject(refused);
  // A score may be stored after the command has begun.
  await expect(detachMonth(rig.database, month)).rejects.toMatchObject(refused);
  expect(await rig.testDatabase.sql(DETACHES)).toEqual([]);
  await sealAll(rig.openSealer());
  await recordDetach(rig.database, month, by);
  await detachMonth(rig.database, month);
  expect(await check()).toMatchObject({ findings: [], scores: 0, away: 4 });
  await attachMonth(rig.database, month, by);
  await rig.store(3);
  await sealAll(rig.openSealer());
  expect(await check()).toMatchObject({ findings: [], scores: 7 });
});
const DETACHES = `select from audit_log where action = 'month.detach'`;

test('a checkpoint that was published and not stored is continued', async () => {
  await sealAll(rig.openSealer());
  await rig.store(5);
  let fails = true;
  const sealer = rig.openSealer({
    database: {
      query: rig.database.query,
      transaction: (work) =>
        rig.database.transaction((query) =>
          work((statement, values) => {
            if (fails && statement.name === 'publish-evidence')
              throw new Failure('transient', 'LOST', 'the process is killed here');
            return query(statement, values);
          }),
        ),
    },
  });
  await expect(sealAll(sealer)).rejects.toThrow('killed here');
  // The line of another crash is cut off in the middle.
  appendFileSync(rig.path, '{"at":"2026-11-27T00:00:00.000Z","note":"risk.exam');
  fails = false;
  await rig.store(5);
  expect(await sealAll(rig.openSealer())).toMatchObject({ isRefused: false });
  expect(await check()).toMatchObject({ findings: [], scores: 10 });
});

test('after a restore the log refuses to grow until the newer backup is there', async () => {
  const sealer = rig.openSealer();
  await rig.store(3);
  await sealAll(sealer);
  const tables = ['evidence_logs', 'evidence_entries', 'evidence_tiles'];
  const { sql } = rig.testDatabase;
  for (const table of tables) await sql(`create table kept_${table} as table ${table}`);
  const older = (await readPublished(rig.path)) ?? '';
  await rig.store(3);
  await sealAll(sealer);
  for (const table of tables) await sql(`create table newer_${table} as table ${table}`);
  const restore = async (from: string) => {
    await sql(`truncate ${tables.join(', ')} cascade`);
    for (const table of tables) {
      const identity = table === 'evidence_logs' ? 'overriding system value' : '';
      await sql(`insert into ${table} ${identity} table ${from}_${table}`);
    }
  };
  await restore('kept');
  // A leader that stood still publishes its checkpoint behind the one of its successor.
  await publish(rig.path, older, new Date());
  const published = readFileSync(rig.path, 'utf8');
  const [{ size } = { size: 0 }] = await sql<{ size: string }>('select size from evidence_logs');
  for (const restarted of [rig.openSealer(), sealer]) {
    await rig.store(1);
    const run = await sealAll(restarted);
    expect(run).toMatchObject({ isRefused: true, scores: 0 });
    const [row] = await sql<{ size: string; refused: string }>(
      'select size, refused from evidence_logs',
    );
    expect(row).toEqual({ size, refused: expect.stringContaining('an old backup was restored') });
  }
  expect(readFileSync(rig.path, 'utf8')).toBe(published);
  await restore('newer');
  expect(await sealAll(rig.openSealer())).toMatchObject({ isRefused: false });
  expect(readHead((await readPublished(rig.path)) ?? '')?.size).toBeGreaterThan(0);
});

test('tiles that do not have the root of the log are not built on', async () => {
  await rig.store(3);
  await sealAll(rig.openSealer());
  await rig.testDatabase.sql(`update evidence_logs set root = sha256('other')`);
  await rig.store(1);
  expect(await sealAll(rig.openSealer())).toMatchObject({ isRefused: true });
});

test('a time in which nobody sealed is a leaf of its own, and excuses no other time', async () => {
  const { sql } = rig.testDatabase;
  const sealer = rig.openSealer();
  const nowMs = Date.now();
  await sealer.run(nowMs - 20 * DAY_MS);
  const named = await rig.store(2);
  await sealAll(sealer);
  await sql(`update evidence_logs set sealed_at = now() - interval '8 days'`);
  await rig.store(4);
  const [hidden] = await rig.store(1, rig.database, nowMs - 3 * DAY_MS);
  expect(await sql('select from outbox_evidence')).toEqual([]);
  await sealAll(sealer);
  named.push(...(await rig.store(4)));
  await sealAll(sealer);
  const { findings, scores } = await check();
  expect(scores).toBe(named.length);
  expect(findings).toEqual([
    { attack: 'gap', what: expect.stringContaining('nobody sealed from ') },
    { attack: 'inserted', what: `the score ${hidden}` },
  ]);

  const [, from = '', to = ''] = /from (\S+) to (\S+)/.exec(findings[0]?.what ?? '') ?? [];
  const hoursAgo = (time: string) => Math.round((Date.now() - Date.parse(time)) / 3_600_000);
  expect([from, to].map(hoursAgo)).toEqual([25, 0]);
  const { contents } = openBundle(bundleOf(await proveGap(rig.database, from)), rig.trusted);
  expect(contents).toEqual([{ kind: 'gap', from, to, v: 1 }]);
  expect(await proveGap(rig.database, to)).toBe('unknown');
});

test('two sealers at a time make one history', async () => {
  const sealers = [rig.openSealer(), rig.openSealer()];
  await Promise.all(sealers.map((sealer) => sealer.run(Date.now())));
  let stored = 0;
  for (let round = 0; round < 10; round++) {
    stored += (await rig.store(7)).length;
    await rig.change(String(round));
    await Promise.all(sealers.map((sealer) => sealer.run(Date.now())));
  }
  await sealAll(rig.openSealer());
  expect(await check()).toMatchObject({ findings: [], scores: stored, lines: 11 });
});

test('a score that is deleted or edited between its commit and its seal is named', async () => {
  const { sql } = rig.testDatabase;
  const sealer = rig.openSealer();
  await sealAll(sealer);
  const [deleted, edited] = await rig.store(4);
  await sql('delete from scores where transaction_id = $1', [deleted]);
  await sql('update scores set attempts = attempts + 1 where transaction_id = $1', [edited]);
  await sealAll(sealer);
  const { scores, findings } = await check();
  expect(scores).toBe(4);
  expect(findings).toEqual([
    { attack: 'deleted', what: `the score ${deleted}` },
    { attack: 'edited', what: `the score ${edited}` },
  ]);
});

test('a store under way while a log begins does not see the log, and its scores are older than the log', async () => {
  const { sql } = rig.testDatabase;
  const isWaiting = async () =>
    (
      await sql(
        `select from pg_locks where relation = 'controls'::regclass and mode = 'ShareLock' and not granted`,
      )
    ).length > 0;
  const { promise: changed, resolve: change } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const switching = rig.database.session(async (client) => {
    await client.query('begin; lock table market_0.controls in share row exclusive mode');
    hold();
    await changed;
    await client.query('commit');
  });
  await held;
  // The statement has its snapshot, and takes its number once the change of controls is over.
  const late = rig.store(3);
  await waitUntil(isWaiting, 10_000, 'a store');
  const sealer = rig.openSealer();
  await sealAll(sealer);
  change();
  await Promise.all([switching, late]);
  await rig.store(2);
  await sealAll(sealer);
  expect(await check()).toMatchObject({ findings: [], scores: 2 });
});
