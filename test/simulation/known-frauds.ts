/** The frauds that src/core/store/profiles/known-frauds.ts reads, from all labels there are: said again, as plainly as can be. */
import type { FraudSpan, KnownFrauds } from '../../src/core/domain/history.ts';
import type { Label } from '../../src/core/domain/label.ts';
import type { PartyKind, Transaction } from '../../src/core/domain/transaction.ts';
import { partyOf } from './memory-snapshots.ts';

/** A label as it is stored: with the parties of its transaction. */
export type PartyLabel = Label & Pick<Transaction, 'deviceId' | 'ip'>;

export function knownFrauds(
  labels: readonly PartyLabel[],
  point: Transaction,
  kind: PartyKind,
): KnownFrauds {
  const own = labels.filter((one) => partyOf(kind, one) === partyOf(kind, point));
  const spans = [...Map.groupBy(own, (one) => one.transactionId).values()].flatMap(spansOf);
  spans.sort((a, b) => a.createdAtMs - b.createdAtMs || a.fromMs - b.fromMs);
  return { spans, floorMs: Number.NEGATIVE_INFINITY };
}

/** The times at which something was said are where spans begin and end; those that follow each other are one. */
function spansOf(labels: readonly Label[]): FraudSpan[] {
  const times = [...new Set(labels.map((one) => one.labelledAtMs))].sort((a, b) => a - b);
  const spans: FraudSpan[] = [];
  times.forEach((fromMs, index) => {
    const said = labels.filter((one) => one.labelledAtMs === fromMs);
    if (!said.some((one) => one.label === 'fraud')) return;
    const untilMs = times[index + 1] ?? Number.POSITIVE_INFINITY;
    const before = spans.at(-1);
    const createdAtMs = said[0]?.createdAtMs ?? 0;
    if (before?.untilMs === fromMs) spans[spans.length - 1] = { ...before, untilMs };
    else spans.push({ createdAtMs, fromMs, untilMs, isUnusual: false });
  });
  return spans;
}
