/** What `npm run setups -- --mutations` takes out of a copy of the engine, and the set-up that must notice. */
import type { Mutant } from '../chaos/mutants.ts';
import { QUARTILE_TIMES } from './cluster-waits.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'cluster-login',
    what: 'user and password reach the listed nodes of a cluster alone',
    scenario: 'cluster',
    replacements: [
      {
        file: 'src/stream/connection.ts',
        find: 'openCluster(Clients.cluster, nodes, all)',
        replace:
          "openCluster(Clients.cluster, nodes.map((node) => ({ ...parsed.login, ...node })), { ...all, username: '', password: '' })",
      },
    ],
  },
  {
    name: 'cluster-waits',
    what: 'an idle worker waits for one stream of a cluster',
    scenario: 'cluster-waits',
    bar: QUARTILE_TIMES,
    replacements: [
      {
        file: 'src/stream/cluster-waits.ts',
        find: 'const waits = streams.map(',
        replace: 'const waits = streams.slice(0, 1).map(',
      },
    ],
  },
];
