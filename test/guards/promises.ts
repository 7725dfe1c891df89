/** The ten promises of ARCHITECTURE.md. */
import type { Guards } from './guard.ts';

export const PROMISES: Guards = {
  'accepted-is-durable': {
    says: 'A 2xx answer means that the transaction is committed, although the connection is lost during the commit.',
    test: 'integration/ingest-faults.test.ts > cut off at a commit that %s: accepted, stored once',
    mechanism: 'src/core/accept/accept-transactions.ts',
  },
  'one-key-one-transaction': {
    says: 'One idempotency key makes one transaction, however often and in whatever order a request is repeated.',
    test: 'integration/ingest.test.ts > fifty at once make one transaction: one 201, the others 200 with its id',
    mechanism: 'sql/0001_market.sql',
  },
  'scored-once': {
    says: 'The row of a score is written once, and a later write leaves the row as it was.',
    test: 'integration/write-batches.test.ts > insertScores > returns what is new and leaves what was stored',
    mechanism: 'src/core/store/scores/scores.ts',
  },
  'nothing-lost': {
    says: 'What Redis has lost is appended again from open rows, each transaction once.',
    test: 'integration/reconcile.test.ts > a lost Redis > gets back what is neither final nor waiting, each once',
    mechanism: 'src/core/repair/walk-rows.ts',
  },
  'same-input-same-score': {
    says: 'The same vector gets the same score by the same rule set, bit for bit.',
    test: 'golden/scores.test.ts > $rule_set: $name',
    mechanism: 'src/core/score/score.ts',
  },
  'late-for-account': {
    says: 'A transaction that comes too late for its account leaves the profile in force for those after it.',
    test: 'integration/fold-profiles.test.ts > a transaction that comes too late for its account is rebuilt beside the profile, which stays for those after it',
    mechanism: 'src/core/work/profiles/fold-profiles.ts',
  },
  'exact-profiles': {
    says: 'A profile has what its definition in SQL counts, however late or often a transaction comes.',
    test: 'property/profile/history.test.ts > fold equals the SQL definition > shuffled, late and repeated arrivals',
    mechanism: 'src/core/profile/kinds.ts',
  },
  'fault-stays-in-corridor': {
    says: 'A corridor whose keys cannot be written waits alone, and costs no other corridor a transaction.',
    test: 'integration/worker-breakers.test.ts > a corridor whose events cannot be written waits alone, with its entries and their deliveries',
    mechanism: 'src/core/stream/lua/settle-5.lua',
  },
  'bounded-bodies': {
    says: 'A body that grows beyond its bound is refused while the body arrives.',
    shown: 'RISK_BODY_BYTES_MAX',
    test: 'integration/bad-input-requests.test.ts > that grow too large without saying so are 413 while they arrive',
    mechanism: 'src/kit/http/body/body.ts',
  },
  'two-people-in-postgres': {
    says: 'Postgres itself refuses a rollout that is more than two people have approved.',
    test: 'integration/rooms/models/model-rollouts.test.ts > SQL of the application > cannot add %s',
    mechanism: 'sql/0001_market.sql',
  },
  'own-client-alone': {
    says: 'Each role reaches what the document says, and a client its own transactions alone.',
    test: "contract/access.test.ts > each role reaches what the document says, of its own client's and of others'",
    mechanism: 'src/core/store/transactions/read-transactions.ts',
  },
};
