/** Postgres, Redis and markets: schema, roles, connections, months. */
import type { Guards } from './guard.ts';

export const STORES: Guards = {
  migrate: {
    says: 'The schema is brought to its newest form once, and a killed migration goes on with its open step.',
    shown: 'risk migrate, RISK_CORRIDORS',
    test: 'integration/migrate-under-load.test.ts > a killed migration goes on with the step it had not finished',
    mechanism: 'src/kit/database/migrations/migrate.ts',
  },
  'language-of-the-server': {
    says: 'What the engine decides by an error of Postgres does not depend on the language of the server.',
    test: 'integration/translated-server.test.ts > has a post into a detached month refused as such',
    mechanism: 'src/kit/database/pg-failure.ts',
  },
  'one-market': {
    says: 'A process works in one market, and a corridor is in one market alone.',
    shown: 'RISK_MARKET',
    test: 'integration/two-markets.test.ts > a corridor is in one market; that of a dropped one is free',
    mechanism: 'sql/0001_market.sql',
  },
  'market-roles': {
    says: 'The role of a market is refused every table and function of another market.',
    shown: 'risk markets create, risk markets grant, RISK_ADMIN_DATABASE_URL',
    test: 'integration/rooms/corridors/markets.test.ts > the role is refused every table and function of the other market, and every write to shared',
    mechanism: 'src/rooms/corridors/store/grant-market.ts',
  },
  'analytics-role': {
    says: 'A role of analytics reads scores of markets through a view, and nothing else.',
    shown: 'risk markets analytics',
    test: 'integration/rooms/corridors/markets.test.ts > a role reads scores of both markets through a view, and nothing else',
    mechanism: 'src/rooms/corridors/store/grant-market.ts',
  },
  'auditor-role': {
    says: 'An auditor’s role reads every row of its market but secrets, and writes nothing.',
    shown: 'risk markets auditor',
    test: 'integration/rooms/corridors/markets.test.ts > an auditor reads every row of its market but secrets, and writes nothing',
    mechanism: 'src/rooms/corridors/store/grant-auditor.ts',
  },
  'named-schemas': {
    says: 'Every statement names the schema of its market, so that a connection may be anybody’s.',
    test: 'unit/kit/database/market-schema.test.ts > no statement names a table without its schema',
    mechanism: 'src/kit/database/market-schema.ts',
  },
  'pooler-mode': {
    says: 'Behind a pool of transactions each unit of work brings its settings, and the connection keeps none.',
    shown: 'RISK_DATABASE_POOLER',
    test: 'integration/pool-sessions.test.ts > behind a proxy that pools transactions every kind of unit has its settings, and the connection none',
    mechanism: 'src/kit/database/session-settings.ts',
  },
  'foreign-settings': {
    says: 'No setting of server, database or role changes what the engine reads and writes.',
    test: 'integration/server-settings.test.ts > every setting that texts and parsers rely on is sent, where pooled is %s',
    mechanism: 'src/kit/database/session-settings.ts',
  },
  'own-deadlines': {
    says: 'Deadlines of a role end neither a migration nor other long work.',
    test: 'integration/server-settings.test.ts > a database whose sessions end early is migrated, and its long work goes on',
    mechanism: 'src/kit/database/session-settings.ts',
  },
  'named-deadline': {
    says: 'An error that a setting of Postgres has caused names the setting.',
    test: 'integration/server-settings.test.ts > a session that %s has ended says so',
    mechanism: 'src/kit/words/failure.ts',
  },
  'postgres-failover': {
    says: 'After a failover all pools of a process reach the new Postgres, also pools that only read, though sockets to the old one stay open.',
    test: 'integration/postgres-failover.test.ts > searches, stops and new payments are those of the new primary, though nothing was written meanwhile',
    mechanism: 'src/kit/database/server.ts',
  },
  'redis-failover': {
    says: 'A Redis that answers that it is not the primary is left for the server to which its address leads.',
    test: 'integration/redis-failover.test.ts > an answer %s has commands, scripts, pipelines and blocked readers on the new primary',
    mechanism: 'src/kit/redis/wrong-server.ts',
  },
  'address-time': {
    says: 'Each address of a host has three seconds, or its half of a shorter deadline, to be connected to.',
    test: 'integration/addresses.test.ts > a webhook reaches an address that takes a second, where the other address is dead',
    mechanism: 'src/kit/process/address-time.ts',
  },
  'refused-rights': {
    says: 'A right that a store refuses is named, with what grants it, until somebody grants it.',
    test: 'integration/rights.test.ts > a worker and an API name the command that Redis refuses, until it is granted',
    mechanism: 'src/main/rights.ts',
  },
  'months-by-hand': {
    says: 'An operator makes, detaches, lists, attaches and drops months by name.',
    shown: `risk partitions list, risk partitions create, risk partitions detach,
      risk partitions attach, risk partitions drop, POST /v1/months/{id}/drop,
      risk archive request-drop`,
    test: 'integration/new-months.test.ts > an operator detaches, lists, attaches and drops a month',
    mechanism: 'src/rooms/operate/commands/partitions.ts',
  },
};
