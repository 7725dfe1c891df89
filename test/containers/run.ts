/**
 * `npm run containers`: the shipped files, unchanged, on a Docker engine that the suite starts for itself, under load, judged as
 * `npm run chaos` judges. The suite runs as root, and takes a quarter of an hour.
 */
import { spawnSync } from 'node:child_process';
import { createOutput } from '../../src/kit/command/output.ts';
import { printSummary } from '../chaos/support/report.ts';
import { runSuite } from '../chaos/support/suite.ts';
import { whyNoDocker } from './docker.ts';
import { monitoring } from './monitoring.ts';
import { oneMachine } from './one-machine.ts';
import { SHOWN } from './site.ts';

const USAGE = `npm run containers [-- NAME… options]

NAME…        scenarios to run (all)
--list       what there is
--tx N       least number of transactions posted to each (500000)
--rate N     transactions a second at most
--seed TEXT  of traffic (1)`;

/** A workflow's user may become root. */
function runAsRoot(): number {
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const as = ['--non-interactive', '--preserve-env', 'env', `PATH=${process.env['PATH']}`, ...own];
  return spawnSync('sudo', as, { stdio: 'inherit' }).status ?? 1;
}

const why = whyNoDocker();
const isOther = process.getuid?.() !== 0 && (process.env['CI'] ?? '') !== '';
if (isOther) process.exitCode = runAsRoot();
else if (why !== undefined) {
  createOutput({ json: false }).error(why);
  process.exitCode = 1;
} else {
  process.exitCode = await runSuite({
    ...{ usage: USAGE, scenarios: [oneMachine, monitoring], mutants: [], settings: SHOWN },
    ...{ transactions: 500_000, summarise: printSummary },
  });
}
