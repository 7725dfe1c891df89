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
