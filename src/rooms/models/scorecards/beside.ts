/** Compares the scorecard with what decided: every score has a margin, so this shadow takes no unit of inference and no slot of shadows. */
import type { Verdict } from '../../../core/domain/score-record.ts';
import type { OpinionBands } from '../../../core/score/opinion.ts';
import { currentRuleSet } from '../../../core/score/rules/rule-sets.ts';
import { leastOf } from '../../../core/score/scorecard/shares.ts';
import { verdictOfModel } from '../../../core/score/weigh.ts';
import { logistic } from '../../../kit/elementary-functions.ts';

/** `margin` is null where no table judged. */
type Decided = { readonly margin: number | null; readonly verdict: Verdict };

/**
 * Rows that a table judged, with verdicts of a scorecard that stops no more rows than were stopped. The bands of rules do not fit the
 * scorecard, whose risk is a probability.
 */
export function besideDecided<Row extends Decided>(rows: readonly Row[]) {
  const judged = rows.flatMap((row) =>
    row.margin === null ? [] : { ...row, probability: logistic(row.margin) },
  );
  const falling = Float64Array.from(judged, ({ probability }) => probability)
    .sort()
    .reverse();
  const boundOf = (isStopped: (verdict: Verdict) => boolean) =>
    leastOf(falling, judged.filter(({ verdict }) => isStopped(verdict)).length);
  const bands: OpinionBands = {
    reviewFrom: boundOf((verdict) => verdict !== 'approve'),
    declineFrom: boundOf((verdict) => verdict === 'decline'),
  };
  return judged.map((row) => ({
    ...row,
    byScorecard: verdictOfModel(row.probability, bands, currentRuleSet),
  }));
}
