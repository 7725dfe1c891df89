/** The opinion of a scorecard by a policy of people: a function of the policy, the table of a payment and its vector alone. */
import { logistic } from '../../../kit/elementary-functions.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { PolicyTerms } from '../../domain/policy.ts';
import { type Factor, type Opinion, type OpinionBands, topFactors } from '../opinion.ts';
import type { DayTable, StoredTable } from './day-table.ts';
import { explainMargin } from './explain-margin.ts';
import type { JudgedVector } from './judge-by-table.ts';
import { KNOWN_FRAUDS_MIN } from './scorecard.ts';
import { bandsAt } from './shares.ts';

/** Longer: a market that has changed is judged by what it was. Shorter: the rules decide while people look into a night. */
const TABLE_DAYS_MAX = 7;

/** The newest table in use when a payment was made. */
export type DatedTable = Pick<JudgedVector, 'table' | 'createdAtMs'>;

/** The table of a payment, while the table may decide; null: the rules decide by their fixed bands. */
export function decidingTable({ table, createdAtMs }: DatedTable): StoredTable | null {
  const age = table === null ? 0 : Math.floor(createdAtMs / DAY_MS) - table.table.day;
  return age > TABLE_DAYS_MAX ? null : table;
}

/** Null: the table has no bands, has not learnt, or weighs other measures than the policy. */
export function bandsBy(
  { measures_left_out, review_share, decline_share }: PolicyTerms,
  { learnt, leftOut, tops: { scorecard } }: DayTable,
): OpinionBands | null {
  const isOther =
    leftOut.length !== measures_left_out.length ||
    leftOut.some((measure) => !measures_left_out.includes(measure));
  if (isOther || learnt.knownFrauds < KNOWN_FRAUDS_MIN || scorecard.length === 0) return null;
  return bandsAt(scorecard, review_share, decline_share);
}

/** Null: the policy says nothing of the vector, and the rules decide. */
export function opinionBy(policy: PolicyTerms, judged: JudgedVector): Opinion | null {
  const table = decidingTable(judged);
  const bands = table && bandsBy(policy, table.table);
  if (table === null || bands === null) return null;
  const probability = logistic(judged.margin());
  if (Number.isNaN(probability)) return null;
  return { probability, bands, factors: () => factorsBy(table, judged) };
}

/** Measures that raised the margin most. */
const factorsBy = (table: StoredTable, { vector, createdAtMs }: JudgedVector): Factor[] =>
  topFactors(
    explainMargin(table, vector, createdAtMs).points.map(({ measure, value, points, detail }) => ({
      ...{ feature: measure, value: value ?? Number.NaN, contribution: points },
      sentence: `Model: ${detail}`,
    })),
  );
