/** The requests of the README, run as they are written there but for the port. */
import { execFileSync, spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { spawnRisk } from '../support/risk.ts';
import { spawnRunningApi } from '../support/running-api.ts';
import { waitUntil } from '../support/wait-until.ts';
import { readText } from '../unit/ship/ship-files.ts';

const KEY = 'readme-key-of-at-least-thirty-two-characters';
const hasCurl = spawnSync('curl', ['--version']).status === 0;

function requests(): string[] {
  const blocks = [...readText('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(
    ([, block = '']) => block,
  );
  return blocks.filter((block) => block.startsWith('curl'));
}

it.skipIf(!hasCurl)('the README gets a score and reads it back', { timeout: 120_000 }, async () => {
  await using api = await spawnRunningApi({ RISK_BOOTSTRAP_KEY: KEY });
  await using worker = spawnRisk(['worker'], {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
  });
  await worker.waitFor(/worker starts/, 30_000);
  const run = (request: string) =>
    JSON.parse(
      execFileSync('sh', ['-c', request.replace('http://127.0.0.1:8080', api.url)], {
        encoding: 'utf8',
        env: { ...process.env, RISK_API_KEY: KEY },
      }),
    );
  const [submit = '', read = '', ...others] = requests();
  expect(others).toEqual([]);

  const first = run(submit);
  expect(first.status).toBe('accepted');
  const again = run(submit);
  expect(again).toMatchObject({ status: 'duplicate', transaction_id: first.transaction_id });
  const [score] = await waitUntil(
    () => (run(read).items.length > 0 ? run(read).items : null),
    30_000,
  );
  expect(score).toMatchObject({ transaction_id: first.transaction_id, verdict: 'approve' });
  // On a machine too busy to score within the two seconds asked for, the answer comes without it.
  expect(score).toMatchObject(first.score ?? {});

  worker.kill('SIGTERM');
  expect((await worker.exited).code).toBe(0);
});
