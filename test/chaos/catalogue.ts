/** All scenarios, in the order in which `npm run chaos` runs them. */
import { backfill } from './scenarios/backfill.ts';
import { badTransactions } from './scenarios/bad-transactions.ts';
import { clockSkew } from './scenarios/clock-skew.ts';
import { deadLettersReplayed } from './scenarios/dead-letters-replayed.ts';
import { diskFull } from './scenarios/disk-full.ts';
import { failpoints } from './scenarios/failpoints.ts';
import { frozenLeader } from './scenarios/frozen-leader.ts';
import { killWorkers } from './scenarios/kill-workers.ts';
import { overload } from './scenarios/overload.ts';
import { policy } from './scenarios/policy.ts';
import { postgresFaults } from './scenarios/postgres-faults.ts';
import { primaryAway } from './scenarios/primary-away.ts';
import { profilesDropped } from './scenarios/profiles-dropped.ts';
import { redisFaults } from './scenarios/redis-faults.ts';
import { redisParts } from './scenarios/redis-parts.ts';
import { reviewers } from './scenarios/reviewers.ts';
import { rollingRestarts } from './scenarios/rolling-restarts.ts';
import { slowClients } from './scenarios/slow-clients.ts';
import { spoiltEntries } from './scenarios/spoilt-entries.ts';
import { zombie } from './scenarios/zombie.ts';
import type { Scenario } from './support/scenario.ts';

export const SCENARIOS: readonly Scenario[] = [
  killWorkers,
  ...failpoints,
  zombie,
  frozenLeader,
  ...redisFaults,
  ...redisParts,
  profilesDropped,
  ...postgresFaults,
  primaryAway,
  diskFull,
  ...badTransactions,
  spoiltEntries,
  deadLettersReplayed,
  reviewers,
  policy,
  clockSkew,
  backfill,
  overload,
  slowClients,
  rollingRestarts,
];
