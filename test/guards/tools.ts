/** Tools beside the engine, and files that ship with it. */
import type { Guards } from './guard.ts';

export const TOOLS: Guards = {
  start: {
    says: 'A first command scores a sample on stores of its own and exits with the ledger.',
    shown: 'risk start',
    test: 'e2e/start.test.ts > --once scores the sample and exits 0 after the ledger',
    mechanism: 'src/tools/start/start.ts',
  },
  'embedded-stores': {
    says: 'Embedded stores keep rows and keys over a restart.',
    shown: 'RISK_DATA_DIR',
    test: 'integration/embedded.test.ts > startEmbedded keeps rows and keys over a restart, durably set',
    mechanism: 'src/tools/start/services/start-embedded.ts',
  },
  doctor: {
    says: 'The doctor fails on a Postgres without durability and on a Redis that evicts.',
    shown: 'risk doctor',
    test: 'integration/doctor.test.ts > doctor fails on a Postgres without durability and on a Redis that evicts',
    mechanism: 'src/main/doctor.ts',
  },
  simulate: {
    says: 'Simulated traffic has the same bytes on every machine.',
    shown: 'risk simulate',
    test: 'unit/simulate.test.ts > simulate gives the same bytes on every machine',
    mechanism: 'src/tools/simulate/simulate.ts',
  },
  replay: {
    says: 'A replay of a file balances what was accepted with what was scored, and a second one finds duplicates.',
    shown: 'risk replay',
    test: 'integration/replay.test.ts > risk replay: everything accepted is scored once; again, everything is a duplicate',
    mechanism: 'src/tools/client/ledger.ts',
  },
  'one-file-reader': {
    says: 'Every command refuses a file of which no row can be read with the same words.',
    test: 'integration/foreign-files.test.ts > every command',
    mechanism: 'src/kit/client/rows.ts',
  },
  'foreign-files': {
    says: 'Files of data frames, databases and spreadsheets are read as they were meant.',
    test: 'unit/kit/client/foreign-files.test.ts > %s is read as it was meant',
    mechanism: 'src/kit/client/rows.ts',
  },
  'own-key': {
    says: 'The own key is sent to the own API alone, and a given key everywhere.',
    shown: 'RISK_URL, RISK_API_KEY',
    test: 'unit/kit/command/api.test.ts > the own key is sent to the own API alone, and a given key everywhere',
    mechanism: 'src/kit/command/api.ts',
  },
  supervise: {
    says: 'A spike adds workers one after another, and a calm of half an hour takes them away.',
    shown: 'risk supervise',
    test: 'unit/rooms/operate/scaler.test.ts > a spike adds workers one after another, and a calm of half an hour takes them away',
    mechanism: 'src/rooms/operate/scaling/scaler.ts',
  },
  trainer: {
    says: 'Of two trainers one builds, and the other one follows a kill -9.',
    shown: 'risk trainer',
    test: 'integration/scorecards/trainer.test.ts > of two trainers one builds, the other one follows a kill -9, and labels beside them change nothing',
    mechanism: 'src/core/repair/trainings.ts',
  },
  plan: {
    says: 'The peak of a load is the product of all its factors.',
    shown: 'risk plan',
    test: 'unit/rooms/operate/plan.test.ts > the peak is the product of all factors',
    mechanism: 'src/rooms/operate/plan/plan.ts',
  },
  calibrate: {
    says: 'A calibration divides what was used by what was done.',
    shown: 'risk calibrate',
    test: 'unit/rooms/operate/plan.test.ts > divides what was used by what was done',
    mechanism: 'src/rooms/operate/plan/calibrate.ts',
  },
  'foreign-databases': {
    says: 'The main way holds in databases as Debian, Docker, CloudNativePG and RDS make them.',
    test: 'foreign/databases.long.test.ts > holds in a database of $name',
    mechanism: 'src/kit/database/session-settings.ts',
  },
  'unwritten-log': {
    says: 'A log or progress that cannot be written ends no process and no migration.',
    test: 'integration/full-disk.test.ts > an API and a worker whose log is on a full disk go on',
    mechanism: 'src/kit/metrics/log.ts',
  },
};
