import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Kinds of test that talk to real services: one Postgres for all, a database and a Redis for each. */
const SERVICES = ['integration', 'property', 'contract', 'chaos', 'e2e'];

/** Tests that take longer than `npm test` may: `npm run long` runs them. */
const LONG_TESTS = 'test/**/*.long.test.ts';

/**
 * The longest files start first: one that starts last would run alone. Those that wait for timers stand between those that
 * compute.
 */
export const LONG = [
  ...['simulation/worker-core', 'breakers', 'e2e/start', 'profile/history'],
  ...['ingest-faults', 'shutdown', 'shedding', 'train-models', 'exports/http', 'e2e/containers'],
  ...['integration/faults', 'e2e/operators', 'reconcile-clocks', 'integration/reconcile'],
  ...['worker-breakers', 'dead-letters', 'slow-bodies', 'chaos/checker', 'consistency-reads'],
].map((name) => `/${name}.test.ts`);

/** They replace a module (`vi.mock`), which takes a process that has not imported it. */
export const MOCKING = [
  'test/simulation/**/*.test.ts',
  'test/unit/core/work/{intake,run-batch,run-worker}.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((end) => moduleId.endsWith(end));
      return index < 0 ? LONG.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores are busy with four: a file with services waits half of its time.
    maxWorkers: 4,
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
          exclude: [LONG_TESTS],
          // A file that imports the engine anew costs 0.3 s of CPU; no module keeps anything that another file could see.
          isolate: false,
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: [LONG_TESTS],
          isolate: false,
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
