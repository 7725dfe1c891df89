/**
 * `npm run drills`: what an operator prepares for happens to an engine under load, and the commands of the documents bring it back.
 * Prints for each drill the seconds of answered writes that were gone (RPO) and those in which nothing was accepted or scored
 * (RTO). Exits 1 where a target was missed or the checker found a breach. The drills take minutes, so they are no part of
 * `npm test`.
 */
import { runSuite } from '../chaos/support/suite.ts';
import { DRILLS } from './catalogue.ts';
import { MUTANTS } from './mutants.ts';
import { printDrills } from './support/table.ts';

const USAGE = `npm run drills [-- NAME… options]

NAME…        drills to run (all); with --mutations: mutants
--list       what there is
--json FILE  all figures and checks
--mutations  leaves out one step of a recovery at a time; each must be caught
--tx N       least number of transactions posted to each drill (6000)
--rate N     transactions a second (300)
--seed TEXT  of traffic (1)
--engine DIR another checkout whose engine and documents are put to the test (this one)`;

process.exitCode = await runSuite({
  ...{ usage: USAGE, scenarios: DRILLS, mutants: MUTANTS, transactions: 6000 },
  summarise: printDrills,
});
