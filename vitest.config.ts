import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { slowness } from './test/support/processor-time.ts';

/** Kinds of test that talk to real services: one Postgres for all, a database and a Redis for each. */
const SERVICES = ['integration', 'property', 'contract', 'chaos', 'e2e'];

/** Tests that take longer than `npm test` may: `npm run long` runs them. */
const LONG_TESTS = 'test/**/*.long.test.ts';

/**
 * The longest files start first: one that starts last would run alone. Those that wait for timers stand between those that
 * compute.
 */
export const LONG = [
  ...['corridor-levels', 'worker-core', 'integration/worker', 'e2e/start', 'profile/history'],
  ...['ingest-faults', 'scorecards/night', 'unreachable-stores', 'models/trees', 'bounded-nights'],
  ...['redis-failover', 'no-look-ahead', 'left-out', 'train-models', 'dead-letters'],
  ...['integration/breakers', 'rule-sets-in-force', 'shared-parties', 'embedded'],
  ...[
    'integration/traces',
    'integration/outbox',
    'integration/foreign-files',
    'operate/supervise',
    'listed-scores',
    'rollback',
    'models/model-health',
  ],
  ...['search/search', 'search/what-if', 'e2e/containers', 'markets-of-one-api'],
  ...['models/scorecards', 'models-in-force', 'contract/answers', 'worker-breakers'],
  ...['backtest/backtest', 'exports/http'],
  ...['contract/openapi', 'slow-bodies', 'contract/access', 'shedding', 'answers-from-memory'],
].map((name) => `/${name}.test.ts`);

/** Tests that replace a module (`vi.mock`) take a process that has not imported the module. */
export const MOCKING = [
  'test/simulation/**/*.test.ts',
  'test/unit/core/work/{intake,run-batch,run-worker}.test.ts',
];

const isOlderNode = Number.parseInt(process.versions.node, 10) < 24;

/**
 * Node runs the sources as they are, as it does in production: Vite's modules read each import through a getter, and what computes
 * took a third longer. An older Node lacks syntax that Vite translates, and only files that replace modules need the loader.
 */
const MODULES_OF_NODE = { viteModuleRunner: isOlderNode };

/**
 * A worker's copies of profiles are 77 MB outside V8's heap. Counted apart, a few of them make V8 collect the whole heap of a process
 * at each start of a worker: 60 ms of processor time, where 16 ms are left with one limit for both.
 */
const V8_FLAGS = [
  ...(isOlderNode ? [] : ['--external-memory-accounted-in-global-limit']),
  // A file's objects die young: the default's collections took a twentieth of all processor time.
  ...['--min-semi-space-size=32', '--max-semi-space-size=32'],
];

/** A test that takes longer hangs: the slowest took 165 s on a machine 12 to 20 times slower than usual. */
const HANGS_MS = 600_000;

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
    // Two cores are busy with five: a file with services waits more than half of its time. Where all takes several times as long,
    // five would make each API and each worker look overloaded.
    maxWorkers: slowness() < 4 ? 5 : 2,
    execArgv: V8_FLAGS,
    sequence: { sequencer: LongFirst },
    experimental: { ...MODULES_OF_NODE, nodeLoader: false },
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/{unit,golden}/**/*.test.ts'],
          exclude: MOCKING,
          // Pure tests change nothing that outlives the tests, and their imports take longer than the tests.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'mocking',
          include: MOCKING,
          experimental: { ...MODULES_OF_NODE, nodeLoader: true },
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
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: [LONG_TESTS],
          isolate: false,
          globalSetup: 'test/support/global-setup.ts',
        },
      },
    ],
  },
});
