/** Goal: without Chromium the console's tests are impossible, and in CI that is a failure. Method: their script, told of one that is not there. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MISSING } from '../../console/support/chromium.ts';
import { REPOSITORY } from '../../support/risk.ts';

const SCRIPT = join(REPOSITORY, 'test/console/run.ts');
/** No test file has this name, so a Chromium that is found all the same drives nothing. */
const NO_FILE = 'no-such-file';

test.each([
  ['3', '', 3],
  ['1 where CI is set', 'true', 1],
])('without Chromium the script exits %s', (_name, ci, code) => {
  const env = { ...process.env, CI: ci, RISK_CHROMIUM: '/nonexistent/chromium' };
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, NO_FILE], {
    ...{ cwd: REPOSITORY, encoding: 'utf8', env },
  });
  expect([status, stderr]).toEqual([code, `${MISSING}\n`]);
});
