/** Tries a rule set on stored scores: its verdicts beside those of the version in force, and the health of each rule. */
import { FEATURE_LIST } from '../../core/domain/feature-schema.ts';
import type { Verdict } from '../../core/domain/score-record.ts';
import type { CompiledRule, CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { deriveRuleSet } from '../../core/score/rules/derived-rule-set.ts';
import { CORRIDOR_KEY } from '../../core/score/rules/generate-program.ts';
import { inputsOf } from '../../core/score/rules/rule-inputs.ts';
import { score } from '../../core/score/score.ts';
import { createPauses, type DaySample, type SampledRow } from './day-sample.ts';
import {
  DECLINED_SHARE_MAX,
  type FlipJson,
  type OutcomesJson,
  type PreviewJson,
  type RulePreviewJson,
} from './preview-record.ts';

/** Hits of a rule on which its removal is tried. More: rule sets of 200 rules take seconds. Fewer: rare changes are not seen. */
const REMOVED_HITS_MAX = 500;
/** Fewer hits may lie within those of another rule by chance. */
const OVERLAP_HITS_MIN = 20;
/** A rule that fires on this share is often looked at by people. */
const OFTEN_SHARE = 0.01;
/** Known labels of hits from which on a rule without a fraud is told: its precision is then below 3 %, with 95 % certainty. */
const LABELS_MIN = 100;
/** A day with fewer rows says nothing of a rule that is silent or always fires. */
const ROWS_MIN = 100;

type Label = 'fraud' | 'legitimate' | null;
const labelOf = ({ isFraud }: SampledRow): Label =>
  isFraud === null ? null : isFraud ? 'fraud' : 'legitimate';

const decide = (ruleSet: CompiledRuleSet, row: SampledRow): Verdict => {
  const { vector, opinion, ruleInputs } = row;
  return score({ vector, ruleSet, opinion, inputs: inputsOf(ruleSet, row, ruleInputs) }).verdict;
};

type Flips = Map<string, FlipJson>;

/** Counts a pair of verdicts, also of equal ones. */
function addFlip(flips: Flips, from: Verdict, to: Verdict, label: Label): void {
  const key = `${from} ${to}`;
  const { count, ...known } = flips.get(key) ?? { from, to, count: 0, fraud: 0, legitimate: 0 };
  const labelled = label === null ? {} : { [label]: known[label] + 1 };
  flips.set(key, { ...known, ...labelled, count: count + 1 });
}

/** Pairs that differ, the most frequent first. */
const changesIn = (flips: Flips): FlipJson[] =>
  [...flips.values()]
    .filter(({ from, to }) => from !== to)
    .sort((one, other) => other.count - one.count);

function sumsOf(flips: Flips, end: 'from' | 'to'): OutcomesJson {
  const none = () => ({ approve: 0, review: 0, decline: 0 });
  const sums = { all: none(), fraud: none(), legitimate: none() };
  for (const { count, fraud, legitimate, ...flip } of flips.values()) {
    const verdict = flip[end];
    sums.all[verdict] += count;
    sums.fraud[verdict] += fraud;
    sums.legitimate[verdict] += legitimate;
  }
  return sums;
}

/** Hits of one rule on the sample. */
type Tally = {
  readonly inScope: number;
  readonly hits: readonly SampledRow[];
  readonly fraud: number;
  readonly legitimate: number;
};

/**
 * @param inForce the rule set that is active in a corridor
 * @param signal aborted when nobody waits any more
 */
export async function previewRuleSet(
  ruleSet: CompiledRuleSet,
  sample: DaySample,
  inForce: (corridor: string) => CompiledRuleSet,
  signal?: AbortSignal,
): Promise<PreviewJson> {
  const pause = createPauses(signal);
  const { id, rules } = ruleSet;
  const rows = sample.rows.filter(
    ({ featureSchema, corridor }) =>
      featureSchema >= ruleSet.featureSchema && featureSchema >= inForce(corridor).featureSchema,
  );
  const flips: Flips = new Map();
  const decided = new Map<SampledRow, Verdict>();
  const without = new Map<string, number>();
  const known: Declines = { rows: 0, declined: 0 };
  for (const row of rows) {
    await pause();
    const verdict = decide(ruleSet, row);
    decided.set(row, verdict);
    const lacking = lackingIn(ruleSet, row);
    for (const key of lacking) without.set(key, (without.get(key) ?? 0) + 1);
    if (lacking.length === 0) {
      known.rows++;
      if (verdict === 'decline') known.declined++;
    }
    addFlip(flips, decide(inForce(row.corridor), row), verdict, labelOf(row));
  }
  const { hits, withinOf } = await findHits(ruleSet, rows, pause);
  const unrecorded = ruleSet.inputs.flatMap((input) => {
    const scores = without.get(input);
    return scores === undefined ? [] : { input, scores };
  });
  const missing = missingIn(rows, unrecorded);
  const remove = async ({ code }: CompiledRule, all: readonly SampledRow[]) => {
    const derived = deriveRuleSet(ruleSet, { without: [code], tightenedBy: 0, manualFrom: null });
    const tried = all.slice(0, REMOVED_HITS_MAX);
    const changes: Flips = new Map();
    for (const row of tried) {
      await pause();
      addFlip(changes, decided.get(row) as Verdict, decide(derived, row), labelOf(row));
    }
    return { hits: tried.length, flips: changesIn(changes) };
  };
  const previews: RulePreviewJson[] = [];
  for (const [at, rule] of rules.entries()) {
    const tally = tallyOf(rule, hits[at] ?? [], rows);
    const found = findingsOf(rule, tally, { missing, within: withinOf(at), rows: rows.length });
    previews.push({
      rule: rule.id,
      code: rule.code,
      hits: tally.hits.length,
      in_scope: tally.inScope,
      fraud: tally.fraud,
      legitimate: tally.legitimate,
      findings: found,
      without: found.length === 0 ? null : await remove(rule, tally.hits),
    });
  }
  const after = sumsOf(flips, 'to');
  const from = new Date(sample.fromMs).toISOString();
  const all = { rows: rows.length, declined: after.all.decline };
  return {
    rule_set: id,
    in_force: [...new Set(rows.map(({ corridor }) => inForce(corridor).id))].sort(),
    from,
    to: new Date(sample.toMs).toISOString(),
    corridor: sample.corridor ?? null,
    scores: sample.scores,
    sampled: rows.length,
    labelled: rows.filter(({ isFraud }) => isFraud !== null).length,
    by_model: rows.filter(({ opinion }) => opinion !== null).length,
    before: sumsOf(flips, 'from'),
    after,
    unrecorded,
    refusal: refusalOf(id, from.slice(0, 10), all, known, unrecorded),
    flips: changesIn(flips),
    rules: previews,
  };
}

type Declines = { rows: number; declined: number };

/**
 * A slip of a comparison declines everybody, so many declines, and unknown ones, take a word of their own.
 * @param known of the scores that recorded all that the rule set reads
 */
function refusalOf(
  id: string,
  day: string,
  all: Declines,
  known: Declines,
  unrecorded: PreviewJson['unrecorded'],
): string | null {
  if (all.rows < ROWS_MIN) return null;
  const accept = 'takes accept_declines=true (--accept-declines)';
  if (known.rows < ROWS_MIN) {
    const scores =
      known.rows === 0
        ? `no score of ${day} has`
        : `only ${known.rows} of ${all.rows} scores of ${day} have`;
    const inputs = unrecorded.map(({ input }) => input).join(', ');
    return `${id} reads ${inputs}, which ${scores} recorded, and what nobody can try ${accept}`;
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

/** Rows on which each rule fires, and the first other rule that fires on each of a rule's rows. */
async function findHits(
  ruleSet: CompiledRuleSet,
  rows: readonly SampledRow[],
  pause: () => Promise<void>,
) {
  const { rules, program } = ruleSet;
  const hits = rules.map((): SampledRow[] => []);
  const both = new Uint32Array(rules.length ** 2);
  for (const row of rows) {
    await pause();
    const probability = row.opinion?.probability ?? Number.NaN;
    const count = program.decide(row.vector, inputsOf(ruleSet, row, row.ruleInputs), probability);
    const fired = program.fired.subarray(0, count);
    for (const one of fired) {
      hits[one]?.push(row);
      for (const other of fired) {
        const at = one * rules.length + other;
        both[at] = (both[at] as number) + 1;
      }
    }
  }
  const withinOf = (at: number) =>
    rules.find((_, other) => {
      // Everything lies within a rule that always fires.
      const isOther = other !== at && (hits[other]?.length ?? 0) < rows.length;
      return isOther && both[at * rules.length + other] === hits[at]?.length;
    });
  return { hits, withinOf };
}

function tallyOf(
  { data }: CompiledRule,
  hits: readonly SampledRow[],
  rows: readonly SampledRow[],
): Tally {
  const { corridors } = data;
  const isInScope = ({ corridor }: SampledRow) => corridors?.includes(corridor) ?? true;
  const countOf = (label: Label) => hits.filter((row) => labelOf(row) === label).length;
  return {
    hits,
    inScope: corridors === undefined ? rows.length : rows.filter(isInScope).length,
    fraud: countOf('fraud'),
    legitimate: countOf('legitimate'),
  };
}

/** Features and inputs that no row has. */
function missingIn(
  rows: readonly SampledRow[],
  unrecorded: PreviewJson['unrecorded'],
): ReadonlySet<string> {
  const isMissing = (at: number) =>
    rows.every(({ vector }) => Number.isNaN(vector[at] ?? Number.NaN));
  return new Set([
    ...unrecorded.flatMap(({ input, scores }) => (scores === rows.length ? input : [])),
    ...FEATURE_LIST.flatMap(({ name }, at) => (isMissing(at) ? name : [])),
  ]);
}

type Context = {
  readonly missing: ReadonlySet<string>;
  /** A rule that fires on every hit as well. */
  readonly within: CompiledRule | undefined;
  readonly rows: number;
};

function findingsOf(
  rule: CompiledRule,
  { hits: { length: hits }, inScope, fraud, legitimate }: Tally,
  { missing, within, rows }: Context,
): RulePreviewJson['findings'] {
  if (rows < ROWS_MIN) return [];
  const unread = [...rule.features, ...rule.inputs].filter((name) => missing.has(name));
  const labelled = fraud + legitimate;
  const findings: readonly (readonly [boolean, RulePreviewJson['findings'][number]])[] = [
    [hits === 0, { kind: 'never', detail: `It fires on none of ${inScope} scores.` }],
    [hits > 0 && hits === inScope, { kind: 'always', detail: `It fires on all ${hits} scores.` }],
    [
      hits >= OFTEN_SHARE * inScope && labelled >= LABELS_MIN && fraud === 0,
      { kind: 'no-fraud', detail: `None of ${labelled} hits with a label is a fraud.` },
    ],
    [
      hits >= OVERLAP_HITS_MIN && within !== undefined,
      { kind: 'overlap', detail: `${within?.id} fires on each of its ${hits} hits.` },
    ],
    [
      unread.length > 0,
      { kind: 'missing', detail: `No score has a value of ${unread.join(', ')}.` },
    ],
  ];
  return findings.flatMap(([holds, finding]) => (holds ? finding : []));
}
