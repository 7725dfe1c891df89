/**
 * `npm run deploy:check`: promtool and amtool read the files of deploy, run the cases of all alerts, and ask who would hear of
 * an alert. Both are programs of Debian.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createOutput } from '../../../src/kit/command/output.ts';
import { CASE_FILES } from './cases.ts';
import { ROUTES } from './prometheus.ts';

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));
const PACKAGES = { promtool: 'prometheus', amtool: 'prometheus-alertmanager' } as const;
const CONFIG = 'alertmanager/alertmanager.yml';

type Check = readonly [keyof typeof PACKAGES, ...args: string[]];

const CHECKS: readonly Check[] = [
  ['promtool', 'check', 'config', '--syntax-only', 'prometheus/prometheus.yml'],
  ['promtool', 'check', 'rules', 'prometheus/risk.rules.yml'],
  ...CASE_FILES.map((name): Check => ['promtool', 'test', 'rules', `prometheus/${name}`]),
  ['amtool', 'check-config', CONFIG],
  ...ROUTES.map(([labels, receivers]): Check => {
    const given = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
    const expected = `--verify.receivers=${receivers.join(',')}`;
    return ['amtool', 'config', 'routes', 'test', `--config.file=${CONFIG}`, expected, ...given];
  }),
];

const output = createOutput({ json: false });
const missing = Object.entries(PACKAGES).filter(
  ([program]) => spawnSync(program, ['--version']).error !== undefined,
);
for (const [program, name] of missing)
  output.error(`${program} is missing: apt-get install --no-install-recommends ${name}`);
if (missing.length > 0) process.exit(1);

let failed = 0;
for (const [program, ...args] of CHECKS) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: DEPLOY, encoding: 'utf8' });
  const said = `${program} ${args.join(' ')}`;
  output.line(`${status === 0 ? 'ok    ' : 'FAILED'} ${said}`);
  if (status === 0) continue;
  failed += 1;
  output.error(stdout + stderr);
}
process.exitCode = failed === 0 ? 0 : 1;
