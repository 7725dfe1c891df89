/** Makes a calibration of two readings of an engine that works. */
import { Failure } from '../../../kit/words/failure.ts';
import type { Content, Usage, Workers } from './measure-engine.ts';
import type { Calibration } from './plan.ts';

/** Fewer: the processor time of a transaction is that of duties and of scrapes. */
const TRANSACTIONS_MIN = 2000;
/** Fewer: bytes are those of empty pages. */
const STORED_MIN = 10_000;

export type Span = {
  readonly before: Usage;
  readonly after: Usage;
  readonly seconds: number;
  readonly machine: string;
  readonly at: Date;
};

/**
 * Stores work for all workers, also for one that comes or goes, whose share of a span is not known.
 * @throws Failure that names workers which did not work all the time
 */
export function requireSame(before: Workers, after: Workers): void {
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((name) => {
    const [first, last] = [before.get(name)?.state, after.get(name)?.state];
    const isGone = first === 'silent' && (last === 'silent' || last === undefined);
    return !isGone && !(first === 'works' && last === 'works');
  });
  if (changed.length === 0) return;
  throw refused(
    `workers came or went: ${changed.join(', ')}. Measure again once the same workers have worked for a minute`,
  );
}

/** @throws Failure that says what is missing */
export function calibrate(
  { before, after, seconds, machine, at }: Span,
  { accepted: stored, reviewed, scored, byCorridor, bytes, profiles }: Content,
): Calibration {
  if (before.api.startedAt !== after.api.startedAt) {
    throw refused('two API processes answered, or one was restarted: name one by --url');
  }
  requireSame(before.workers, after.workers);
  const accepted = after.api.accepted - before.api.accepted;
  const posts = after.api.posts - before.api.posts;
  const workers = workOf(before, after);
  const least = Math.min(accepted, workers.scored);
  if (least < TRANSACTIONS_MIN) {
    throw refused(
      `the API accepted ${accepted} and workers scored ${workers.scored} transactions in ${seconds} s: at least ${TRANSACTIONS_MIN} are needed`,
    );
  }
  if (stored < STORED_MIN) {
    throw refused(`${stored} transactions are stored: at least ${STORED_MIN} are needed`);
  }
  const us = (usedSeconds: number, transactions: number) => (usedSeconds * 1e6) / transactions;
  const server = (name: string, from: number | undefined, to: number | undefined) => {
    if (from === undefined || to === undefined) return null;
    if (to <= from) throw refused(`${name} was restarted, or another server has its place`);
    // The API's count is of the moment in which the stores' time is read; workers report theirs some seconds later.
    return us(to - from, accepted);
  };
  const mean = ({ count, bytes: all }: { readonly count: number; readonly bytes: number }) =>
    count === 0 ? null : all / count;
  const { account, merchant } = profiles;
  const shares = [...byCorridor].map(([corridor, count]) => [corridor, count / stored] as const);
  return {
    measured_at: at.toISOString(),
    machine,
    seconds,
    transactions: workers.scored,
    transactions_per_request: Math.max(1, accepted / Math.max(1, posts)),
    api_us: us(after.api.seconds - before.api.seconds, accepted),
    worker_us: us(workers.seconds, workers.scored),
    postgres_us: server('Postgres', before.postgresSeconds, after.postgresSeconds),
    redis_us: server('Redis', before.redisSeconds, after.redisSeconds),
    postgres_bytes_per_transaction: bytes / stored,
    redis_bytes_per_account: mean(account),
    redis_bytes_per_merchant: mean(merchant),
    merchants_per_account: account.count === 0 ? 0 : merchant.count / account.count,
    review_ratio: scored === 0 ? 0 : reviewed / scored,
    corridors: Object.fromEntries(shares),
  };
}

const refused = (why: string) => new Failure('invalid', 'CALIBRATION_UNSOUND', why);

/** Sums up the work of workers that reported before and after. */
function workOf(before: Usage, after: Usage) {
  let [seconds, scored] = [0, 0];
  for (const [name, last] of after.workers) {
    const first = before.workers.get(name);
    if (first === undefined) continue;
    seconds += last.seconds - first.seconds;
    scored += last.scored - first.scored;
  }
  return { seconds, scored };
}
