/**
 * `npm run console:test`: drives the console in a real Chromium. Exit code 3 where the machine has none; where CI is set that
 * is a failure. Arguments are passed to vitest. Screenshots go to `bench/results/console`, or to RISK_SCREENSHOTS.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from '../support/risk.ts';
import { findChromium, MISSING } from './support/chromium.ts';

const EXIT_IMPOSSIBLE = 3;

if (findChromium() === undefined) {
  process.stderr.write(`${MISSING}\n`);
  process.exitCode = process.env['CI'] ? 1 : EXIT_IMPOSSIBLE;
} else {
  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  const config = ['--config', 'test/console/vitest.config.ts'];
  const args = [vitest, 'run', ...config, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: REPOSITORY, stdio: 'inherit' });
  child.once('close', (code) => {
    process.exitCode = code ?? 1;
  });
}
