/** Posts of integrators, and how the engine takes them. */
import type { Guards } from './guard.ts';

export const ACCEPT: Guards = {
  'single-transaction': {
    says: 'A transaction is stored and streamed, and the answer has its id.',
    shown: 'POST /v1/transactions',
    test: 'integration/ingest.test.ts > is stored, streamed and answered 201 with its id; created_at is in the id',
    mechanism: 'src/core/accept/accept-one.ts',
  },
  'one-spelling': {
    says: 'Spellings of an id that look the same are one id, in each body, query, path and file.',
    test: 'integration/ids.test.ts > two forms of an id are one > in answers, profiles and searches, and a repetition in another form is a duplicate',
    mechanism: 'src/kit/words/plain-text.ts',
  },
  currencies: {
    says: 'Currencies are those of the published lists, and a withdrawn one is taken for its time.',
    test: 'golden/currencies.test.ts > each currency has the decimal places and the last month of the published lists',
    mechanism: 'src/kit/words/currencies.ts',
  },
  'whole-batch': {
    says: 'A batch is stored whole or refused whole, with every bad field named.',
    shown: 'POST /v1/transactions/batch',
    test: 'integration/ingest.test.ts > is refused whole when one item is invalid, and names every bad field',
    mechanism: 'src/core/accept/accept-batch.ts',
  },
  wait: {
    says: 'A client that prefers to wait gets the score in the answer to its post.',
    shown: 'RISK_WAIT_MS_MAX',
    test: 'integration/wait.test.ts > a new transaction, a duplicate and a scored one come with the score',
    mechanism: 'src/core/accept/accept-one.ts',
  },
  'key-slices': {
    says: 'A key of an old slice is still known, by a filter or by the slice itself.',
    shown: 'RISK_KEY_FILTER_MB',
    test: 'integration/key-slices.test.ts > a key of an old slice is held, with %s',
    mechanism: 'src/core/store/idempotency-keys/key-slices.ts',
  },
  'key-retention': {
    says: 'Idempotency keys end by whole slices once they are old enough.',
    shown: 'RISK_IDEMPOTENCY_RETENTION_DAYS',
    test: 'integration/key-slices.test.ts > the duty > drops whole tables, and only those',
    mechanism: 'src/core/repair/reconcile-duty.ts',
  },
  'few-months-locked': {
    says: 'A read of some months locks these months alone, under a plan that is kept, too.',
    test: 'integration/month-locks.test.ts > %s: its quarter of the year is locked',
    mechanism: 'src/core/store/within-months.ts',
  },
  'field-checks': {
    says: 'A field outside its bounds is refused by its place, with what is allowed.',
    test: 'integration/bad-input-fields.test.ts > one transaction > %s is 422 at its field',
    mechanism: 'src/core/domain/transaction.ts',
  },
  'exact-money': {
    says: 'An amount is accepted as decimal text of its currency alone.',
    test: 'property/money.test.ts > of any text is accepted only if it is one',
    mechanism: 'src/core/domain/currency.ts',
  },
  'exact-numbers': {
    says: 'A number that a double would change is refused at its place, in bodies, lines, files and expressions.',
    test: 'integration/exact-numbers.test.ts > %s is 422 at its member, and the answer says to send a text',
    mechanism: 'src/kit/words/exact-number.ts',
  },
  'bounded-stream': {
    says: 'One corridor fills a bounded share of the room of Redis, and the reconciler a little more.',
    shown: 'RISK_STREAM_ENTRIES_MAX',
    test: 'integration/stream-capacity.test.ts > one corridor fills eight ninths of the share, and the reconciler a tenth more',
    mechanism: 'src/core/stream/memory/memory.ts',
  },
  'accept-without-redis': {
    says: 'A Redis that hangs delays one request by its timeout, and the API goes on to accept.',
    shown: 'REDIS_URL, RISK_REDIS_TIMEOUT_MS',
    test: 'integration/ingest-faults.test.ts > that hangs delays one request by its timeout, the next ones not at all',
    mechanism: 'src/core/accept/ingest.ts',
  },
  'postgres-gone': {
    says: 'A post while Postgres is gone is a 503 with Retry-After, soon, and needs no restart afterwards.',
    shown: 'DATABASE_URL, RISK_CONNECT_TIMEOUT_MS',
    test: 'integration/ingest-faults.test.ts > Postgres that is gone is 503 with Retry-After, soon; then it is back without a restart',
    mechanism: 'src/kit/database/pg-failure.ts',
  },
  'unknown-commit-of-keys': {
    says: 'A post whose key a rival holds beyond the deadline is a 409 and no second transaction.',
    shown: 'RISK_STATEMENT_TIMEOUT_MS',
    test: 'integration/ingest-faults.test.ts > with a rival that holds the key beyond the deadline: 409',
    mechanism: 'src/core/accept/accept-transactions.ts',
  },
  'limit-of-corridor': {
    says: 'A request beyond the limit of a corridor is refused whole or by line, and other corridors go on.',
    test: 'integration/rooms/corridors/limits.test.ts > a limited corridor is refused whole, alone or by line; another one is not',
    mechanism: 'src/core/accept/limits/limiter.ts',
  },
  'debt-of-a-limit': {
    says: 'A changed limit is waited for at most as long as its burst takes at its rate, whatever the clock of Redis has done.',
    test: 'integration/limit-debts.test.ts > a debt of %s is waited for no longer than the burst takes',
    mechanism: 'src/core/stream/lua/debt.lua',
  },
};
