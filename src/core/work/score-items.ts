/**
 * The pure core over a batch whose rows of features are filled: the models over all rows at once, then one decision an
 * item. An item that throws fails alone.
 */
import { Failure, toError } from '../../kit/words/failure.ts';
import { type FeatureRows, vectorOf } from '../score/feature-rows.ts';
import { BY_RULES, type Judge, type JudgedRow, type ShadowBatch } from '../score/judge.ts';
import type { Item, Scored } from './item.ts';
import type { Scorer } from './scorer.ts';

export type ScoredItems = {
  readonly scored: Scored[];
  readonly failed: { readonly item: Item; readonly failure: Failure }[];
  readonly shadows: readonly ShadowBatch[];
};

/** @param level degradation level of the process */
export async function scoreItems(
  scorer: Scorer,
  { judge }: Judge,
  level: number,
  items: readonly Item[],
  rows: FeatureRows,
): Promise<ScoredItems> {
  const judgedRows = items.map(
    ({ transaction }, index): JudgedRow => ({ transaction, vector: vectorOf(rows, index) }),
  );
  const { judgements, shadows } = await judge(judgedRows);
  const scored: Scored[] = [];
  const failed: ScoredItems['failed'] = [];
  for (const [index, item] of items.entries()) {
    const { opinion, model, degradation } = judgements[index] ?? BY_RULES;
    const { transaction, head } = item;
    const { vector } = judgedRows[index] as JudgedRow;
    try {
      const decision = scorer.decide(vector, opinion, transaction);
      const { attempt: attempts } = head;
      // Fields are copied one by one: spreads cost more than the decision.
      scored.push({
        item,
        transaction,
        decision,
        features: vector,
        model,
        attempts,
        degradation: Math.max(level, degradation),
      });
    } catch (error) {
      failed.push({ item, failure: toScoringFailure(error) });
    }
  }
  return { scored, failed, shadows };
}

function toScoringFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure && thrown.kind !== 'unavailable') return thrown;
  return new Failure('transient', 'SCORING_FAILED', toError(thrown).message, { cause: thrown });
}
