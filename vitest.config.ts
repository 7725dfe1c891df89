import { defineConfig } from 'vitest/config';

/** Kinds of test that talk to real services: one Postgres for all, a database and a Redis for each. */
const SERVICES = ['integration', 'property', 'contract', 'chaos', 'e2e'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Most of a test of services is waiting: as many files at a time as there are cores, which are two at least.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/{unit,golden,simulation}/**/*.test.ts'],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: [`test/{${SERVICES.join(',')}}/**/*.test.ts`],
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
