/** Folds rows into counts. Pure: the same rows in the same order give the same counts, however they are cut into pages. */
import { type RuleInputs, VERDICTS, type Verdict } from '../../../core/domain/score-record.ts';
import type { Opinion } from '../../../core/score/opinion.ts';
import type { CompiledRule, CompiledRuleSet } from '../../../core/score/rules/compile-rule-set.ts';
import type { Inputs } from '../../../core/score/rules/generate-program.ts';
import { inputsOf, knownInputs } from '../../../core/score/rules/rule-inputs.ts';
import type { StoredTable } from '../../../core/score/scorecard/day-table.ts';
import type { DatedTable } from '../../../core/score/scorecard/policy.ts';
import { type Weighed, weigh } from '../../../core/score/weigh.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import {
  type Counts,
  type Days,
  FRAUD,
  increase,
  LABELS,
  type LabelIndex,
  LEGITIMATE,
  noRows,
  noRowsEach,
  noRule,
  type RuleCounts,
  UNLABELLED,
  type VersionCounts,
} from './report-schema.ts';

/** A stored row, as it was when it was scored, with the label that was known. */
export type Row = {
  readonly id: string;
  readonly createdAtMs: number;
  readonly corridor: string;
  readonly currency: string;
  /** Decimal text. */
  readonly amount: string;
  readonly vector: Float64Array;
  /** Values that the rules of the time read beside the vector. */
  readonly ruleInputs: RuleInputs | null;
  readonly label: 'fraud' | 'legitimate' | null;
};

/** A version that decides: the rule set of a corridor, with its bands by the table of a row. */
export type RuleSetOf = (corridor: string, judged?: DatedTable) => CompiledRuleSet;
/** The value of the version in question, and that of the version that it is compared with. */
export type Pair<T> = readonly [subject: T, against: T];
/** A model that judged or should judge and is not available has a name here in place of an opinion. */
export type Judged = Pick<Opinion, 'probability' | 'bands'> | null | { readonly lacking: string };

/** Rows to open of each flip and label: the first ones in time. */
const EXAMPLES_MAX = 10;
const APPROVE = 0;
const LABEL_AT = { unlabelled: UNLABELLED, legitimate: LEGITIMATE, fraud: FRAUD } as const;
const MONEY_CELLS = 9;
/** An amount has at most four decimal places. */
const PLACES = 4;

/** @param days of the version in question, for changes of its bands */
export function createFold(
  counts: Counts,
  [subject, against]: Pair<RuleSetOf>,
  days: Days = new Map(),
) {
  const countsOf = ({ id }: CompiledRule): RuleCounts => {
    counts.rules[id] ??= noRule();
    return counts.rules[id];
  };
  return (row: Row, [judged, judgedAgainst]: Pair<Judged>, table: StoredTable | null = null) => {
    const of = { table, createdAtMs: row.createdAtMs };
    const [ruleSet, other] = [subject(row.corridor, of), against(row.corridor, of)];
    const lacking = nameOf(judged) ?? nameOf(judgedAgainst);
    if (lacking !== undefined) {
      increase(counts.unjudged, lacking);
      return;
    }
    const opinion = judged as Opinion | null;
    const label = LABEL_AT[row.label ?? 'unlabelled'];
    const recorded = knownInputs(row.ruleInputs, row.currency);
    const inputs = inputsOf(ruleSet, row, recorded);
    for (const [index, value] of inputs.entries()) {
      if (value === null) increase(counts.missing, ruleSet.inputs[index] as string);
    }
    const fired = decide(ruleSet, opinion, row, inputs);
    const made = weigh(ruleSet, opinion, row.vector, inputs, fired);
    if (fired > 0) {
      const weighWithout = (rule: number) =>
        weigh(ruleSet, opinion, row.vector, inputs, fired, rule);
      countRules(counts, countsOf, ruleSet, fired, label, made, weighWithout);
    }
    const otherInputs = inputsOf(other, row, recorded);
    const otherOpinion = judgedAgainst as Opinion | null;
    const otherFired = decide(other, otherOpinion, row, otherInputs);
    const otherMade = weigh(other, otherOpinion, row.vector, otherInputs, otherFired);
    countRow(counts, row, label, made, otherMade);
    countBands(days, row, label, made, opinion);
  };
}

const nameOf = (judged: Judged) =>
  judged !== null && 'lacking' in judged ? judged.lacking : undefined;

const decide = (
  { program }: CompiledRuleSet,
  opinion: Opinion | null,
  { vector }: Row,
  inputs: Inputs,
) => program.decide(vector, inputs, opinion === null ? Number.NaN : opinion.probability);

const rankOf = (verdict: Verdict) => VERDICTS.indexOf(verdict);

function countRow(
  counts: Counts,
  row: Row,
  label: LabelIndex,
  made: Weighed,
  otherMade: Weighed,
): void {
  counts.rows++;
  const [verdict, other] = [rankOf(made.verdict), rankOf(otherMade.verdict)];
  const day = String(Math.floor(row.createdAtMs / DAY_MS));
  counts.days[day] ??= [0, 0, 0, 0, 0];
  const ofDay = counts.days[day] as number[];
  add(ofDay, 0);
  const [subject, against] = counts.versions;
  countVersion(subject, row, label, made.points, verdict, ofDay, 1);
  countVersion(against, row, label, otherMade.points, other, ofDay, 3);
  const flip = other * 3 + verdict;
  add(counts.flips[flip] as number[], label);
  if (verdict === other) return;
  const name = LABELS[label] as (typeof LABELS)[number];
  counts.examples[flip] ??= [];
  const kept = counts.examples[flip] as Counts['examples'][string];
  if (kept.length >= EXAMPLES_MAX * LABELS.length) return;
  if (kept.filter((example) => example.label === name).length >= EXAMPLES_MAX) return;
  const { id, corridor } = row;
  kept.push({ id, corridor, label: name, points: made.points, against: otherMade.points });
}

function countBands(
  days: Days,
  { createdAtMs, corridor }: Row,
  label: LabelIndex,
  { points, verdict, forced }: Weighed,
  opinion: Opinion | null,
): void {
  const day = Math.floor(createdAtMs / DAY_MS);
  const ofDay = days.get(day) ?? {};
  days.set(day, ofDay);
  ofDay[corridor] ??= { free: {}, reviewed: {}, fixed: noRowsEach(VERDICTS.length) };
  const { free, reviewed, fixed } = ofDay[corridor];
  const isFixed = (opinion?.bands ?? null) !== null || (forced !== null && forced !== 'review');
  if (isFixed) {
    add(fixed[rankOf(verdict)] as number[], label);
    return;
  }
  const byPoints = forced === null ? free : reviewed;
  byPoints[points] ??= noRows();
  add(byPoints[points], label);
}

const add = (counts: number[], index: number) => {
  counts[index] = (counts[index] as number) + 1;
};

function countVersion(
  version: VersionCounts,
  { currency, amount }: Row,
  label: LabelIndex,
  points: number,
  verdict: number,
  ofDay: number[],
  ofDayAt: number,
): void {
  add(version.verdicts[verdict] as number[], label);
  add(version.points[points] as number[], label);
  if (verdict === APPROVE && label !== FRAUD) return;
  if (verdict !== APPROVE) add(ofDay, ofDayAt);
  if (verdict === 1) add(ofDay, ofDayAt + 1);
  version.money[currency] ??= Array(MONEY_CELLS).fill('0');
  const sums = version.money[currency] as string[];
  const cell = verdict * 3 + label;
  sums[cell] = String(BigInt(sums[cell] as string) + unitsOf(amount));
}

function unitsOf(amount: string): bigint {
  const [whole = '', decimals = ''] = amount.split('.');
  return BigInt(whole + decimals.padEnd(PLACES, '0'));
}

/** Counts what fired. The program's array of what fired holds until the program decides again. */
function countRules(
  { pairs }: Counts,
  countsOf: (rule: CompiledRule) => RuleCounts,
  { program, programRules }: CompiledRuleSet,
  fired: number,
  label: LabelIndex,
  made: Weighed,
  weighWithout: (rule: number) => Weighed,
): void {
  for (let nth = 0; nth < fired; nth++) {
    const index = program.fired[nth] as number;
    const rule = programRules[index];
    if (rule === undefined) continue;
    const own = countsOf(rule);
    own.hits[label]++;
    if (made.verdict !== 'approve') {
      const { verdict } = weighWithout(index);
      if (verdict === 'approve') own.needed[label]++;
      else if (verdict !== made.verdict) own.raised[label]++;
    }
    for (let later = nth + 1; later < fired; later++) {
      const with_ = programRules[program.fired[later] as number];
      if (with_ !== undefined) increase(pairs, `${rule.id} ${with_.id}`);
    }
  }
}
