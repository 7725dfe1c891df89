/**
 * Goal: an auditor's way works as docs/evidence.md says, from the keys to the verdict. Method: the commands in this process, and
 * verify/ as a process of its own, which has no engine around it.
 */
import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readHead } from '../../../../src/rooms/evidence/log/checkpoint.ts';
import { consistencyPath } from '../../../../src/rooms/evidence/log/tree.ts';
import { readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { publishedFile, signingKeys } from '../../../../src/rooms/evidence/settings.ts';
import { readNewestLog, tileReader } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import { testConfig } from '../../../support/config.ts';
import { REPOSITORY } from '../../../support/risk.ts';
import { openEvidenceRig, sealAll } from '../../../support/rooms/evidence/rig.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const run = promisify(execFile);

test('keys are made, a score is exported, verified without the engine and recomputed, and the log is checked', async () => {
  await using rig = await openEvidenceRig();
  const folder = temporaryFolder();
  const risk = async (...args: string[]) => {
    const ran = await runRisk(['evidence', ...args], environment);
    return { ...ran, lines: ran.stdout.trimEnd().split('\n') };
  };
  let environment: Record<string, string> = { DATABASE_URL: rig.testDatabase.url };
  expect(await risk('keys')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('RISK_EVIDENCE_KEYS is not set: set it, or name a folder'),
  });
  const made = await risk('keys', join(folder, 'keys'));
  const [setting = '', ...verifiers] = made.lines;
  expect([made.code, verifiers.length]).toEqual([0, 2]);
  expect((await risk('keys', join(folder, 'keys'))).stderr).toContain('EEXIST');
  expect((await risk('check')).stderr).toContain(
    'no log was begun: a worker with RISK_EVIDENCE_KEYS begins it',
  );

  environment = {
    ...environment,
    RISK_EVIDENCE_KEYS: setting.slice('# RISK_EVIDENCE_KEYS='.length),
    RISK_EVIDENCE_FOLDER: folder,
  };
  expect((await risk('keys')).lines).toEqual(verifiers);
  const config = testConfig(environment);
  const sealer = rig.openSealer({
    ...{ keys: signingKeys(config), path: publishedFile(config), origin: 'risk-engine/market_0' },
  });
  await sealAll(sealer);
  const [id = ''] = await rig.store(3);
  expect((await risk('export', id)).stderr).toContain('in no signed checkpoint yet');
  await sealAll(sealer);
  const kept = (await readPublished(publishedFile(config))) ?? '';
  await rig.change('later');
  await sealAll(sealer);
  const exported = await risk('export', id.toUpperCase());
  expect((await risk('export', id.replace(/.$/, 'x'))).stderr).toContain('is not known');
  const [bundle, keys] = [join(folder, 'bundle.json'), join(folder, 'keys.txt')];
  writeFileSync(bundle, exported.stdout);
  writeFileSync(keys, verifiers.join('\n'));
  cpSync(join(REPOSITORY, 'verify'), join(folder, 'verify'), { recursive: true });
  const verify = (...args: string[]) =>
    run(process.execPath, [join(folder, 'verify/verify.ts'), ...args, '--key', keys], {
      cwd: folder,
    }).catch((error: { code: number; stdout: string }) => error);
  expect(await verify('--help')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('verify.ts BUNDLE'),
  });
  const proven = `proven score ${id}, rule-set default@4 in risk-engine/market_0, `;
  expect((await verify(bundle)).stdout).toContain(proven);
  const newest = await readNewestLog(rig.database.query);
  const read = tileReader(rig.database.query, newest?.logId ?? 0);
  const path = await consistencyPath(read, readHead(kept)?.size ?? 0, newest?.size ?? 0);
  const files = {
    ...{ checkpoint: newest?.checkpoint ?? '', seen: kept },
    proof: JSON.stringify({ path: path.map((hash) => hash.toString('base64')) }),
  };
  const given = Object.entries(files).flatMap(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return [`--${name}`, join(folder, name)];
  });
  expect((await verify(...given)).stdout).toBe(
    `proven checkpoint of risk-engine/market_0, ${newest?.size} leaves\n`,
  );
  expect(
    await verify(...['--checkpoint', join(folder, 'seen'), '--seen', join(folder, 'checkpoint')]),
  ).toMatchObject({
    ...{ code: 1, stdout: expect.stringContaining('an old checkpoint') },
  });
  const forged = join(folder, 'forged.json');
  writeFileSync(forged, exported.stdout.replace('acc_0', 'acc_9'));
  expect(await verify(forged)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('NOT PROVEN'),
  });

  expect((await risk('recompute', bundle)).lines).toEqual([`score ${id}: the same, bit for bit`]);
  writeFileSync(forged, exported.stdout.replace(/\\"score\\":\d+/, '\\"score\\":999'));
  expect(await risk('recompute', forged)).toMatchObject({
    ...{ code: 1, lines: [`score ${id}: differs in score`] },
  });
  expect((await risk('recompute', keys)).stderr).toContain('is no bundle of a score');
  expect(await risk('check')).toMatchObject({
    code: 0,
    lines: [expect.stringMatching(/ from=20.*Z leaves=\d+ scores=3 .*findings=0$/)],
  });
  // A check without the folder or the keys must not look like a whole one.
  const whole = environment;
  environment = { DATABASE_URL: rig.testDatabase.url, RISK_DATA_DIR: join(folder, 'none') };
  expect((await risk('check')).lines).toEqual([
    expect.stringContaining('no published checkpoint was compared'),
    expect.stringContaining('signatures were not checked'),
    expect.stringMatching(/findings=0$/),
  ]);
  const bare = JSON.parse((await risk('check', '--json')).stdout);
  expect(bare).toMatchObject({ count: 0, compared: [], signatures_checked: false });
  environment = whole;
  const full = JSON.parse((await risk('check', '--json')).stdout);
  expect(full).toMatchObject({ count: 0, compared: ['file'], signatures_checked: true });
  // A log of another name, which nobody published, would agree with any rows.
  const columns = 'size, root, audit_id';
  const [other] = await rig.testDatabase.sql<{ log_id: number }>(
    `insert into evidence_logs (origin, ${columns}) select 'other', ${columns} from evidence_logs returning log_id`,
  );
  const ofEntry = 'position, kind, subject, leaf, ids, hashes, scored_from, scored_to';
  for (const [table, copied] of [
    ['evidence_entries', ofEntry],
    ['evidence_tiles', 'level, tile, hashes'],
  ])
    await rig.testDatabase.sql(
      `insert into ${table} (log_id, ${copied}) select $1, ${copied} from ${table}`,
      [other?.log_id],
    );
  expect((await risk('check')).lines).toContainEqual(
    expect.stringContaining('hashed anew: the published checkpoint is of the log risk-engine/'),
  );
  for (const table of ['evidence_tiles', 'evidence_entries', 'evidence_logs'])
    await rig.testDatabase.sql(`delete from ${table} where log_id = $1`, [other?.log_id]);
  await rig.testDatabase.sql('update scores set score = 7 where transaction_id = $1', [id]);
  const checked = await risk('check');
  expect(checked).toMatchObject({
    code: 1,
    lines: [`edited: the score ${id}`, expect.stringContaining('findings=1')],
  });
  const [audited] = await rig.testDatabase.sql(
    'select after from audit_log order by audit_id desc limit 1',
  );
  expect(audited).toMatchObject({ after: { count: 1, findings: [`edited: the score ${id}`] } });

  await rig.testDatabase.sql(`update evidence_logs set sealed_at = now() - interval '8 days'`);
  await sealAll(sealer);
  const { code, stdout } = await risk('check', '--json');
  const [{ attack, what }] = JSON.parse(stdout).findings;
  expect([code, attack]).toEqual([1, 'gap']);
  expect((await risk('check')).lines).toContainEqual(`gap: ${what}`);
  const [, from = '', to = ''] = /from (\S+) to (\S+)/.exec(what) ?? [];
  writeFileSync(bundle, (await risk('export', from)).stdout);
  expect((await verify(bundle)).stdout).toContain(
    `proven gap ${from}/${to} in risk-engine/market_0, `,
  );
  writeFileSync(
    forged,
    (await risk('export', from)).stdout.replace('\\"from\\":\\"2', '\\"from\\":\\"1'),
  );
  expect((await verify(forged)).stdout).toContain('has another hash than its leaf says');
});
