/** Workflows run what people run: each step is an action, an installation of packages, `npm test`, or a script of package.json. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { REPOSITORY } from '../../support/risk.ts';

type Step = { readonly uses?: string; readonly run?: string };
type Job = {
  readonly strategy?: { readonly matrix: { readonly script: readonly string[] } };
  readonly 'timeout-minutes': number;
  readonly steps: readonly Step[];
};
type Workflow = {
  readonly on: object;
  readonly permissions: object;
  readonly jobs: Record<string, Job>;
};

const FOLDER = join(REPOSITORY, '.github/workflows');
const files = readdirSync(FOLDER).toSorted();
const workflowOf = (file: string): Workflow => parse(readFileSync(join(FOLDER, file), 'utf8'));
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(join(REPOSITORY, 'package.json'), 'utf8'),
);

const INSTALLS = /^sudo apt-get install --yes --no-install-recommends [\w -]+$/;

/** Commands of a workflow but installations, one for each value of the matrix. */
const commandsOf = (file: string) =>
  Object.values(workflowOf(file).jobs).flatMap(({ strategy, steps }) =>
    (strategy?.matrix.script ?? ['']).flatMap((script) =>
      steps.flatMap(({ run = '' }) =>
        run === '' || INSTALLS.test(run) ? [] : run.replace(/\$\{\{ matrix.script \}\}/, script),
      ),
    ),
  );

test.each(files)('%s runs scripts of package.json and nothing else, for a bounded time', (file) => {
  const names = commandsOf(file).map((run) => /^npm (?:run )?([\w:-]+)$/.exec(run)?.[1] ?? run);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
  const { jobs, permissions } = workflowOf(file);
  expect(permissions).toEqual({ contents: 'read' });
  for (const job of Object.values(jobs)) {
    expect(job['timeout-minutes']).toBeLessThanOrEqual(file === 'weekly.yml' ? 330 : 120);
    const actions = job.steps.flatMap(({ uses }) => uses ?? []);
    expect(actions).toEqual(['actions/checkout@v4']);
  }
});

test('pushes run npm test, and nights run what takes longer', () => {
  expect(workflowOf('test.yml').on).toHaveProperty('push');
  expect(commandsOf('test.yml')).toEqual(['npm test']);
  expect(workflowOf('nightly.yml').on).toHaveProperty('schedule');
  expect(commandsOf('nightly.yml').toSorted()).toEqual([
    'npm run api:fuzz',
    'npm run archive:s3',
    'npm run chaos',
    'npm run compat',
    'npm run console:test',
    'npm run deploy:alerts',
    'npm run deploy:check',
    'npm run drills',
    'npm run evidence:foreign',
    'npm run isolation',
    'npm run long',
    'npm run secrets',
    'npm run setups',
  ]);
});

test('weeks run the soak of four hours with faults in it, and ask for advisories', () => {
  expect(workflowOf('weekly.yml').on).toHaveProperty('schedule');
  expect(commandsOf('weekly.yml')).toEqual(['npm run soak', 'npm run advisories']);
  expect(scripts['soak']).toContain('soak --with-faults --minutes 240 ');
});
