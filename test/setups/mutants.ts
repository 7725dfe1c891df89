/** Mechanisms that `npm run setups -- --mutations` takes out of a copy of the engine, and the set-up that must notice. */
import type { Mutant } from '../chaos/support/mutant.ts';
import { ELSEWHERE, RECONCILED } from './kafka.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'cluster-login',
    what: 'user and password reach the listed nodes of a cluster alone',
    scenario: 'cluster',
    file: 'src/kit/redis/connection.ts',
    find: 'openCluster(Clustered, nodes, all)',
    replace:
      "openCluster(Clustered, nodes.map((node) => ({ ...parsed.login, ...node })), { ...all, username: '', password: '' })",
  },
  {
    name: 'market-by-role',
    // Leaves out the list of corridors and the short-lived market: if all load were refused, nothing could be judged.
    what: "statements find their market by the role's search_path, which a migration sets",
    scenario: 'two-markets',
    file: 'src/kit/database/market-schema.ts',
    find: 'return text.replace(PLACEHOLDER,',
    replace:
      "if (!text.includes('market.corridors')) return text.replace(PLACEHOLDER, ''); return text.replace(PLACEHOLDER,",
    also: [
      {
        file: 'src/kit/database/migrations/migrate.ts',
        find: 'await client.query(`create schema if not exists ',
        replace:
          "if (market < 'market_2') await client.query('alter role current_user set search_path = ' + searchPath(market)); await client.query(`create schema if not exists ",
      },
    ],
  },
  {
    name: 'kafka-commit',
    what: 'offsets are committed once entries are read, before their scores are stored',
    scenario: 'kafka-workers',
    bar: RECONCILED,
    file: 'src/core/stream/kafka/claims.ts',
    find: 'claim.open.set(record.offset, entry.transactions);',
    replace: '',
  },
  {
    name: 'kafka-retries',
    what: 'open rows are looked for among entries, and not among retries',
    scenario: 'kafka-workers',
    bar: RECONCILED,
    file: 'src/core/stream/kafka/find-rows.ts',
    find: 'const ends = await readTopic(fetcher, retries, missing);',
    replace: 'const ends: readonly bigint[] = [];',
    also: [
      {
        file: 'src/core/stream/kafka/find-rows.ts',
        find: 'await readTopic(fetcher, retries, missing, ends);',
        replace: 'void [retries, ends];',
      },
    ],
  },
  {
    name: 'kafka-partition',
    what: 'the mirror has an account in the partition of another hash than its stream',
    scenario: 'kafka-compare',
    bar: ELSEWHERE,
    file: 'src/core/stream/kafka/append.ts',
    find: 'partition: partitionOf(stream.shard),',
    replace: 'partition: (stream.shard * 7 + 1) % 4,',
  },
  {
    name: 'kafka-score-once',
    what: 'what both logs deliver is scored and counted twice',
    scenario: 'kafka-compare',
    file: 'src/core/store/scores/scores.ts',
    find: 'on conflict (transaction_id, created_at) do nothing',
    replace:
      'on conflict (transaction_id, created_at) do update set scored_at = excluded.scored_at',
  },
];
