/** All drills, in the order in which `npm run drills` runs them; docs/incidents.md has their figures. */
import type { Scenario } from '../chaos/support/scenario.ts';
import { moveDatabase, regionLost } from './by-replica.ts';
import { dump } from './dump.ts';
import { diskLost, pointInTime } from './from-archive.ts';
import { serverLost } from './server-lost.ts';
import { upgrade } from './upgrade.ts';

export const DRILLS: readonly Scenario[] = [
  serverLost,
  pointInTime,
  diskLost,
  dump,
  regionLost,
  moveDatabase,
  upgrade,
];
