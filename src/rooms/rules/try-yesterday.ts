/** Tries a rule set on scores of yesterday: the hits of each rule, and whether it would decline too many. */
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { CORRIDOR_KEY } from '../../core/score/rules/generate-program.ts';
import { inputsOf } from '../../core/score/rules/rule-inputs.ts';
import { score } from '../../core/score/score.ts';
import { createPauses, type SampledRow, type Yesterday } from './yesterday.ts';

/** A rule set that would decline more of yesterday's scores is submitted by `accept_declines` alone. */
export const DECLINED_SHARE_MAX = 0.05;
/** A day with fewer rows says nothing of a rule set. */
const ROWS_MIN = 100;

export async function countHits(ruleSet: CompiledRuleSet, { rows }: Yesterday) {
  const pause = createPauses();
  const { rules, program } = ruleSet;
  const hits = new Uint32Array(rules.length);
  for (const row of rows) {
    await pause();
    const probability = row.opinion?.probability ?? Number.NaN;
    const count = program.decide(row.vector, inputsOf(ruleSet, row, row.ruleInputs), probability);
    for (const at of program.fired.subarray(0, count)) hits[at] = (hits[at] ?? 0) + 1;
  }
  return {
    sampled: rows.length,
    rules: rules.map(({ id }, at) => ({ rule: id, hits: hits[at] ?? 0 })),
  };
}

/** A slip of a comparison declines everybody, so many declines, and unknown ones, take a word of their own: says why, or null. */
export async function refusalOf(
  ruleSet: CompiledRuleSet,
  yesterday: Yesterday,
): Promise<string | null> {
  const pause = createPauses();
  const { id } = ruleSet;
  const all = { rows: 0, declined: 0 };
  /** Scores that recorded all that the rule set reads. */
  const known = { rows: 0, declined: 0 };
  const unrecorded = new Set<string>();
  for (const row of yesterday.rows) {
    await pause();
    const lacking = lackingIn(ruleSet, row);
    for (const input of lacking) unrecorded.add(input);
    const { vector, opinion, ruleInputs } = row;
    const inputs = inputsOf(ruleSet, row, ruleInputs);
    const isDeclined = score({ vector, ruleSet, opinion, inputs }).verdict === 'decline';
    for (const counts of lacking.length === 0 ? [all, known] : [all]) {
      counts.rows++;
      if (isDeclined) counts.declined++;
    }
  }
  if (all.rows < ROWS_MIN) return null;
  const accept = 'takes accept_declines=true (--accept-declines)';
  const { day } = yesterday;
  if (known.rows < ROWS_MIN) {
    const scores =
      known.rows === 0
        ? `no score of ${day} has`
        : `only ${known.rows} of ${all.rows} scores of ${day} have`;
    return `${id} reads ${[...unrecorded].join(', ')}, which ${scores} recorded, and what nobody can try ${accept}`;
  }
  for (const { rows, declined } of [all, known]) {
    if (declined <= DECLINED_SHARE_MAX * rows) continue;
    const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
    const of = `${percent(declined / rows)} of ${rows} scores of ${day}`;
    return `${id} would decline ${of}, and more than ${percent(DECLINED_SHARE_MAX)} ${accept}`;
  }
  return null;
}

/** Inputs of the rule set that the score of a row has not recorded. */
const lackingIn = ({ inputs }: CompiledRuleSet, { ruleInputs }: SampledRow) =>
  inputs.filter((key) => key !== CORRIDOR_KEY && ruleInputs?.[key] === undefined);
