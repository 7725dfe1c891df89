import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Kinds of test that talk to real services: one Postgres for all, a database and a Redis for each. */
const SERVICES = ['integration', 'property', 'contract', 'chaos', 'e2e'];

/**
 * Files of twenty seconds and more each start first: one that starts last would run alone. Those that wait for
 * timers stand between those that compute.
 */
const LONG = [
  ...['worker-core', 'breakers', 'selection', 'worker-breakers', 'history', 'faults', 'start'],
  ...['live-figures', 'ingest-faults', 'shutdown', 'checker', 'shedding', 'train-models'],
  ...['reconcile-clocks', 'model-health', 'reconcile', 'dead-letters'],
].map((name) => `${name}.test.ts`);

/** They replace a module (`vi.mock`), which takes a process that has not imported it. */
export const MOCKING = [
  'test/simulation/**/*.test.ts',
  'test/unit/core/work/{intake,run-batch,run-worker}.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      (LONG.indexOf(basename(moduleId)) + LONG.length + 1) % (LONG.length + 1);
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Two files with services leave a third of two cores idle: each takes 0.6 to 0.7 of one, its services included.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/{unit,golden}/**/*.test.ts'],
          exclude: MOCKING,
          // They change nothing that outlives them, and what they import takes longer than they do.
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'mocking',
          include: MOCKING,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: [`test/{${SERVICES.join(',')}}/**/*.test.ts`],
          // A file that imports the engine anew costs 0.3 s of CPU; no module keeps anything that another file could see.
          isolate: false,
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
