/**
 * A reader that polls scores throughout, as an analyst would: a score that it saw must stay the same, and never
 * exist twice. It follows the client's answers, so it sees nearly every score.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Ledger, type SeenScore, sameScore } from './ledger.ts';
import type { Query } from './sessions.ts';

export type Reader = { finish(): Promise<void> };

const EVERY_MS = 200;
const NEW_IDS_MAX = 2000;
const OLD_IDS = 100;

type Row = {
  readonly id: string;
  readonly times: number;
  readonly ms: number;
  readonly score: number;
};

const READ = `
  select transaction_id::text as id, count(*)::int as times, max(score)::int as score,
         (extract(epoch from max(scored_at)) * 1000)::float8 as ms
    from scores where transaction_id = any ($1::uuid[]) group by transaction_id`;

export type ReaderOptions = {
  readonly ledger: Ledger;
  readonly query: Query;
  readonly random: () => number;
  /** Aborted when the scenario is over, whatever its outcome. */
  readonly signal: AbortSignal;
};

export function startReader({ ledger, query, random, signal }: ReaderOptions): Reader {
  let taken = 0;
  const unseen = new Set<string>();
  const old: string[] = [];
  let finishing = false;
  const look = async () => {
    const fresh = ledger.ids.slice(taken, taken + Math.max(0, NEW_IDS_MAX - unseen.size));
    taken += fresh.length;
    for (const id of fresh) unseen.add(id);
    const again = Array.from({ length: Math.min(OLD_IDS, old.length) }, () => {
      return old[Math.floor(random() * old.length)] ?? '';
    });
    const rows = await query<Row>(READ, [[...unseen, ...again]]);
    const doubled = rows.filter((row) => row.times > 1).map((row) => row.id);
    if (doubled.length > 0) ledger.note({ kind: 'doubled', ids: doubled });
    const scores = rows
      .map((row) => ({ transactionId: row.id, scoredAtMs: row.ms, score: row.score }))
      .filter((score) => isNews(ledger, score));
    if (scores.length > 0) ledger.note({ kind: 'seen', scores });
    for (const { id } of rows) if (unseen.delete(id)) old.push(id);
  };
  const run = async () => {
    while (!finishing && !signal.aborted) {
      await look();
      await delay(EVERY_MS);
    }
  };
  const done = run();
  done.catch(() => undefined);
  return {
    finish: async () => {
      finishing = true;
      await done;
    },
  };
}

function isNews({ seen }: Ledger, score: SeenScore): boolean {
  const before = seen.get(score.transactionId);
  return before === undefined || !sameScore(before, score);
}
