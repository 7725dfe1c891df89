/** Scores of made batches, each with its vector, as workers hand them to the store. */
import { comparePositions } from '../../src/core/domain/transaction.ts';
import { REASON_CODES, type ReasonCode } from '../../src/core/score/reason-codes.ts';
import type { NewScore } from '../../src/core/store/scores/score-values.ts';
import { toNewScores } from '../../test/support/delivered.ts';
import { RULE_SET, scoreAlone } from './empty-history.ts';
import type { MadeBatch } from './made-rows.ts';

/** An empty history gives hardly a reason; stored scores have 0 to 3. */
const REASONS_MAX = 3;
const CODES = REASON_CODES.slice(0, 8);

const reasonsOf = (nth: number) =>
  Array.from({ length: nth % (REASONS_MAX + 1) }, (_, at) => {
    const { code, description } = CODES[(nth + at) % CODES.length] as ReasonCode;
    return { code, detail: description, contribution: 100 };
  });

/** The scores of a batch, in the order of the primary key. */
export const scoresOf = ({ transactions }: MadeBatch): readonly NewScore[] =>
  toNewScores(
    transactions
      .map((one, nth) => {
        const { decision, features } = scoreAlone(one);
        const reasoned = { ...decision, reasons: reasonsOf(nth) };
        return {
          ...one,
          decision: reasoned,
          features,
          model: null,
          attempts: 1,
          degradation: 0,
          ruleSet: RULE_SET,
        };
      })
      .sort(comparePositions),
  );
