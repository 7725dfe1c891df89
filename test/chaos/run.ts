/**
 * `npm run chaos`: real processes, real Postgres and Redis, real faults under load; afterwards the client's
 * ledger is compared with the stores. Exits 1 on any breach, 3 when a fault could not be made here. It takes
 * too long for `npm test`.
 */
import { SCENARIOS } from './catalogue.ts';
import { MUTANTS } from './mutants.ts';
import { printSummary } from './support/report.ts';
import { runSuite } from './support/suite.ts';

const USAGE = `npm run chaos [-- NAME… options]

NAME…        scenarios to run (all); with --mutations: mutants
--list       what there is
--mutations  takes one mechanism at a time out of a copy of the engine; each must be caught
--tx N       transactions posted at least, each scenario (4000)
--rate N     transactions a second (the scenario's own)
--seed TEXT  of traffic and schedule (1)
--engine DIR another checkout whose engine is put to the test (this one)`;

process.exitCode = await runSuite({
  ...{ usage: USAGE, scenarios: SCENARIOS, mutants: MUTANTS, transactions: 4000 },
  summarise: printSummary,
});
