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
  ...['corridor-levels', 'e2e/start', 'rooms/corridors/limits', 'breakers', 'worker-core'],
  ...['ingest-faults', 'shutdown', 'status/status', 'profile/history', 'markets-of-one-api'],
  ...['integration/faults', 'shedding', 'exports/http', 'far-behind', 'train-models'],
  ...['embedded', 'dead-letters', 'slow-bodies', 'integration/worker', 'integration/history'],
  ...['worker-breakers', 'unreachable-stores', 'models/model-health', 'listed-scores'],
  ...['operate/supervise', 'integration/traces', 'operate/calibrate'],
  ...['rule-sets-in-force', 'models-in-force', 'e2e/containers', 'rollback', 'answer-caches'],
].map((name) => `/${name}.test.ts`);

/** They replace a module (`vi.mock`), which takes a process that has not imported it. */
export const MOCKING = [
  'test/simulation/**/*.test.ts',
  'test/unit/core/work/{intake,run-batch,run-worker}.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const index = LONG.findIndex((end) => moduleId.endsWith(end));
      if (index >= 0) return index;
      // Short files that need no services come last, so that all processes end at the same time.
      return LONG.length + (project.name === 'services' ? 0 : 1);
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
    // Node runs the sources as they are, as it does in production: Vite's modules read each import through a getter, and what
    // computes took a third longer. Only files that replace modules need the loader.
    experimental: { viteModuleRunner: false, nodeLoader: false },
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
          experimental: { viteModuleRunner: false, nodeLoader: true },
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
