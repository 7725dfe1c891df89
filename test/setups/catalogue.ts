/** All set-ups, in the order in which `npm run setups` runs them. A new one is a file and a line here. */
import type { Scenario } from '../chaos/support/scenario.ts';
import { cluster } from './cluster.ts';
import { kafka, kafkaCompare, kafkaWorkers } from './kafka.ts';
import { moveMarket } from './move-market.ts';
import { pgbouncer } from './pgbouncer.ts';
import { restoreMarket } from './restore-market.ts';
import { tls } from './tls.ts';
import { twoMarkets } from './two-markets.ts';

export const SETUPS: readonly Scenario[] = [
  tls,
  ...cluster,
  pgbouncer,
  twoMarkets,
  moveMarket,
  restoreMarket,
  kafka,
  kafkaWorkers,
  kafkaCompare,
];
