/** Waiting for the end: what was accepted before the last fault is final, then everything is at rest. */
import { setTimeout as delay } from 'node:timers/promises';
import { reviewsLeft } from './reviews.ts';
import type { Stage } from './scenario.ts';
import type { ChaosServices } from './services.ts';
import type { Query } from './sessions.ts';
import { countWaiting } from './streams.ts';

const POLL_MS = 200;
/** A check reads hundreds of thousands of rows, and takes long enough to delay what it waits for. */
const LOOK_SHARE_MAX = 1 / 5;
/** A recovery that is too late is still measured, up to this time. */
const GRACE_SECONDS = 15;
/** Everything must become final while progress is made; this long without any is a hang. */
const STALL_MS = 30_000;
const REPLAY_TRIES = 100;

/** Counts open dead letters of transactions with a score, which a duty closes. */
const SCORED_AND_DEAD = `
  select count(*)::int from dead_letters d join scores s using (transaction_id)
   where d.replayed_at is null and d.purged_at is null`;

const UNFINISHED = `
  select count(*)::int as rows from transactions t
   where received_at <= to_timestamp($1::float8 / 1000)
     and not exists (select from scores s where s.transaction_id = t.transaction_id and s.created_at = t.created_at)
     and not exists (select from dead_letters d where d.transaction_id = t.transaction_id
                        and d.replayed_at is null and d.purged_at is null)`;

/** Seconds until everything accepted up to now is final; NaN when it takes too long. */
export async function untilRecovered(
  query: Query,
  secondsMax: number,
  signal: AbortSignal,
): Promise<number> {
  const healedMs = Date.now();
  for (;;) {
    const lookedMs = Date.now();
    const [row] = await query<{ rows: number }>(UNFINISHED, [healedMs]);
    const ms = Date.now() - healedMs;
    const lookMs = Date.now() - lookedMs;
    if (row?.rows === 0) return ms / 1000;
    // The checker reports what is wrong with the rest.
    if (ms > (secondsMax + GRACE_SECONDS) * 1000) return Number.NaN;
    await delay(Math.max(POLL_MS, lookMs / LOOK_SHARE_MAX), undefined, { signal });
  }
}

/** Resolves when nothing is under way any more, or when there was no progress for too long. */
export async function untilAtRest(services: ChaosServices, signal: AbortSignal): Promise<void> {
  let last = '';
  let movedMs = performance.now();
  for (;;) {
    const { entries, pending, retries } = await countWaiting(services);
    const [row] = await services.query<{ open: number; both: number; unfinished: number }>(
      `select (select count(*)::int from open_rows) as open, (${SCORED_AND_DEAD}) as both,
              (select count(*)::int from transactions) - (select count(*)::int from scores)
                - (select count(distinct transaction_id)::int from dead_letters
                    where replayed_at is null and purged_at is null) as unfinished`,
    );
    const { open = 0, both = 0, unfinished = 0 } = row ?? {};
    const reviews = await reviewsLeft(services);
    if (entries + pending + retries + open + both + reviews === 0 && unfinished <= 0) return;
    const now = JSON.stringify({ entries, pending, retries, open, both, reviews, unfinished });
    if (now !== last) movedMs = performance.now();
    last = now;
    if (performance.now() - movedMs > STALL_MS) return;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Sends some transactions once more, alone: the answer must name the same id and time. */
export async function replaySamples({ engine, load, ledger, signal }: Stage): Promise<void> {
  for (const [key, body] of load.samples) {
    for (let tries = 1; ; tries++) {
      const url = engine.apiUrls[tries % engine.apiUrls.length] ?? '';
      const answer = await replay(`${url}/v1/transactions`, engine.apiKey, body, signal);
      if (answer !== undefined) {
        const { transaction_id: transactionId, created_at: createdAt } = answer;
        ledger.note({ kind: 'replayed', key, transactionId, createdAtMs: Date.parse(createdAt) });
        break;
      }
      if (tries === REPLAY_TRIES) throw new Error('a replay at rest was not answered');
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

type Accepted = { readonly transaction_id: string; readonly created_at: string };

async function replay(
  url: string,
  apiKey: string,
  body: string,
  signal: AbortSignal,
): Promise<Accepted | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...{ body, signal },
    });
    // A new transaction would be answered 201; its id tells.
    return response.ok ? ((await response.json()) as Accepted) : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
