/**
 * The parts of a simulated run, as a value that fast-check makes, prints and shrinks: transactions
 * as they are submitted, faults of single calls, and disasters at given moments.
 */
import fc from 'fast-check';
import type { LabelValue } from '../../src/core/domain/label.ts';

/** Calls of a worker, the reconciler or an API across the process border. */
export const OPERATIONS = {
  postgres: [
    'loadAccountPasts',
    'loadMerchantPasts',
    'loadSharedPasts',
    'insertScores',
    'readStoredScores',
    'insertDeadLetters',
    'listScoredLetters',
    'closeScoredLetters',
    'accept',
    'listAged',
    'readRows',
    'listLeft',
    'setLeft',
    'loadUnscored',
    'findFinal',
    'takeOut',
    'closeUnreadLetters',
    'listCorridors',
    'acceptLabels',
    'findFraudParties',
    'closeLabelBatch',
    'listLabelBatches',
    'readMark',
    'readSnapshots',
    'storeSnapshots',
    'readHours',
  ],
  redis: [
    'readNew',
    'readOwn',
    'unblock',
    'ensureGroups',
    'claim',
    'heartbeat',
    'settle',
    'promote',
    'appendProfiles',
    'installProfiles',
    'removeConsumer',
    'removeDeadConsumers',
    'append',
    'adopt',
    'readHeads',
    'readRetryHeads',
    'invalidateProfiles',
  ],
} as const;
export type Service = keyof typeof OPERATIONS;
export type Operation = (typeof OPERATIONS)[Service][number];

/** Faults of one call; times are `forMs` of the fault. */
export const FAULT_KINDS = [
  /** The call fails before it has an effect. */
  'refused',
  /** The call takes effect, and fails all the same. */
  'reply-lost',
  /** The first half of several parts takes effect, then the call fails. */
  'partial',
  /** The call fails at once and takes effect later. */
  'late',
  /** The call is under way for long. */
  'slow',
  /** The process dies, before or after the effect. */
  'crash-before',
  'crash-after',
  /** The process stands still, before or after the effect. */
  'freeze-before',
  'freeze-after',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Hits the `nth` call of an operation, counted over all processes. */
export type Fault = {
  readonly operation: Operation;
  readonly nth: number;
  readonly kind: FaultKind;
  readonly forMs: number;
};

export const DISASTER_KINDS = [
  /** Redis comes back empty, or as it was when the run began to `remember`. */
  'wipe',
  'rollback',
  'redis-down',
  'postgres-down',
  /** The groups are made anew at the end of their streams, without what was pending. */
  'regroup',
  /** An entry becomes bytes that nobody can read, sometimes with its head. */
  'spoil',
  /** Redis has no room for profiles. */
  'redis-full',
  'crash',
  'freeze',
  /** An orderly end of a worker; another one starts. */
  'stop',
  'evict-profiles',
  /** Transactions that are in the stream, or final, are appended once more. */
  'append-again',
  'append-garbage',
] as const;
export type DisasterKind = (typeof DISASTER_KINDS)[number];

export type Disaster = {
  readonly atMs: number;
  readonly kind: DisasterKind;
  /** The number of a worker or transaction, modulo how many there are. */
  readonly which: number;
  readonly forMs: number;
};

/**
 * Effect of a transaction on its worker: none; it fails scoring once to three times, or four to six times,
 * which is more than one entry has attempts; it always fails; it can never succeed; it ends the process; or
 * Postgres refuses it.
 */
export const NATURES = [
  'good',
  'flaky',
  'stubborn',
  'poison',
  'hopeless',
  'crasher',
  'unstorable',
] as const;
export type Nature = (typeof NATURES)[number];

export type Submission = {
  readonly atMs: number;
  /** `created_at` of the transaction, minutes after that of the first. */
  readonly createdMin: number;
  readonly account: number;
  readonly merchant: number;
  readonly corridor: 'US-EG' | 'US-MX';
  readonly minor: number;
  readonly nature: Nature;
};

/** A label of a transaction that is stored by then; sent once. */
export type LabelRequest = {
  readonly atMs: number;
  /** The number of a transaction, modulo how many there are. */
  readonly which: number;
  readonly label: LabelValue;
  /** `labelled_at`, minutes after the transaction. */
  readonly afterMin: number;
};

export type Schedule = {
  /** Seed of latencies and of the workers' own random numbers. */
  readonly seed: number;
  readonly workers: number;
  readonly batchTransactions: number;
  /** Rows in front of its point that a merchant's rebuild lists, and rows behind it that any rebuild reads. */
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  readonly submissions: readonly Submission[];
  readonly labels: readonly LabelRequest[];
  readonly faults: readonly Fault[];
  readonly disasters: readonly Disaster[];
};

export const CLAIM_IDLE_MS = 900;
const RUN_MS = 4000;

const submission = fc.record({
  atMs: fc.integer({ min: 0, max: 6 }).map((step) => step * 250),
  createdMin: fc.oneof(
    fc.integer({ min: 0, max: 90 }),
    fc.integer({ min: -3000, max: 3000 }).map((steps) => steps * 30),
  ),
  account: fc.integer({ min: 0, max: 2 }),
  merchant: fc.integer({ min: 0, max: 1 }),
  corridor: fc.constantFrom<Submission['corridor']>('US-EG', 'US-EG', 'US-MX'),
  minor: fc.integer({ min: 1, max: 1_100_000 }),
  nature: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Nature>('good') },
    { weight: 3, arbitrary: fc.constantFrom<Nature>(...NATURES) },
  ),
});

const forMs = fc.integer({ min: 1, max: 3 * CLAIM_IDLE_MS });

/** The calls that matter most come more often. */
const operation = fc.oneof(
  fc.constantFrom<Operation>(
    'settle',
    'insertScores',
    'appendProfiles',
    'installProfiles',
    'readNew',
    'append',
  ),
  fc.constantFrom<Operation>(...OPERATIONS.redis),
  fc.constantFrom<Operation>(...OPERATIONS.postgres),
);

const fault = fc.record({
  operation,
  nth: fc.integer({ min: 1, max: 6 }),
  kind: fc.constantFrom(...FAULT_KINDS),
  forMs,
});

const disaster = fc.record({
  atMs: fc.integer({ min: 0, max: RUN_MS }),
  kind: fc.constantFrom(...DISASTER_KINDS),
  which: fc.nat({ max: 15 }),
  forMs,
});

const labelRequest = fc.record({
  atMs: fc.integer({ min: 0, max: 9 }).map((step) => step * 250 + 40),
  which: fc.nat({ max: 15 }),
  label: fc.constantFrom<LabelValue>('fraud', 'fraud', 'fraud', 'legitimate'),
  afterMin: fc.constantFrom(0, 1, 60),
});

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  workers: fc.integer({ min: 1, max: 3 }),
  batchTransactions: fc.integer({ min: 1, max: 6 }),
  rowsBefore: fc.constantFrom(1, 2, 64),
  rowsAfter: fc.constantFrom(1, 3, 64),
  submissions: fc.array(submission, { minLength: 1, maxLength: 12 }),
  labels: fc.array(labelRequest, { maxLength: 4 }),
  faults: fc.array(fault, { maxLength: 8 }),
  disasters: fc.array(disaster, { maxLength: 3 }),
});

/** The moment after which nothing new goes wrong, apart from faults that wait for their call. */
export function calmAtMs({ submissions, labels, disasters }: Schedule): number {
  return Math.max(
    ...submissions.map(({ atMs }) => atMs),
    ...labels.map(({ atMs }) => atMs),
    ...disasters.map((one) => one.atMs + one.forMs),
  );
}
