/** A rule set as data, as people edit it: rules with their effects, and what is wrong by field. Pure. */
import type { CatalogueName, CheckedRuleSet } from '../../../../src/kit/client/api-types.ts';

export const FORCED = ['block', 'allow', 'decline', 'review', 'approve'] as const;
export type Band = { readonly from: number; readonly weight: number };
export type CodeMeasure = {
  readonly code: string;
  readonly bounds: Readonly<Record<string, number>>;
};
export type RuleSource = {
  readonly id: string;
  readonly sentence: string;
  readonly code: string;
  readonly when?: string;
  readonly weight?: number;
  readonly measure?: string | CodeMeasure;
  readonly bands?: readonly Band[];
  readonly verdict?: (typeof FORCED)[number];
  readonly corridors?: readonly string[];
  readonly state?: 'on' | 'off';
  readonly policy?: boolean;
  readonly detail?: string;
};
export type Thresholds = { readonly review: number; readonly decline: number };
export type Source = {
  readonly version: number;
  readonly id: string;
  readonly feature_schema: number;
  /** Type of each metadata field that rules read. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly rules: readonly RuleSource[];
  readonly verdicts: {
    readonly all: Thresholds;
    readonly corridors?: Readonly<Record<string, Thresholds>>;
    /** Largest shares of payments that are stopped; each night sets the bands by them. */
    readonly shares?: Thresholds;
  };
};

/** As requests take it: the API's document says of rules and verdicts no more than that they are objects. */
export const bodyOf = (source: Source) => source as unknown as SourceBody;
type SourceBody = {
  readonly version: number;
  readonly id: string;
  readonly feature_schema: number;
  readonly rules: readonly Readonly<Record<string, unknown>>[];
  readonly verdicts: Readonly<Record<string, unknown>>;
};

const FIELD = /\bmetadata\.(\w+)/g;

/** The source with other rules, and with the types of the metadata fields that they read. */
export function withRules(
  source: Source,
  rules: readonly RuleSource[],
  names: readonly CatalogueName[],
): Source {
  const { metadata: known = {}, ...rest } = source;
  const texts = rules.flatMap(({ when, measure, detail }) => [when, measure, detail].join(' '));
  const read = new Set([...texts.join(' ').matchAll(FIELD)].map(([, field = '']) => field));
  const types = [...read].sort().flatMap((field) => {
    const type = names.find(({ name }) => name === `metadata.${field}`)?.type ?? known[field];
    return type === undefined ? [] : [[field, type]];
  });
  return types.length === 0
    ? { ...rest, rules }
    : { ...rest, metadata: Object.fromEntries(types), rules };
}

export const EFFECTS = [
  ['weight', 'Points'],
  ['bands', 'Bands of a number'],
  ['verdict', 'A verdict'],
] as const;
export type Effect = (typeof EFFECTS)[number][0];

export function effectOf({ verdict, measure }: RuleSource): Effect {
  if (verdict !== undefined) return 'verdict';
  return measure === undefined ? 'weight' : 'bands';
}

/** The rule with another kind of effect, which has its smallest form. */
export function withEffect(rule: RuleSource, effect: Effect): RuleSource {
  const { weight: _, measure: __, bands: ___, verdict: ____, ...rest } = rule;
  if (effect === 'verdict') return { ...rest, verdict: 'review' };
  if (effect === 'weight') return { ...rest, weight: 0.1 };
  return { ...rest, measure: '', bands: [{ from: 1, weight: 0.1 }] };
}

/** The rule without members that are empty: an absent member is the default. */
export function changeRule(
  rule: RuleSource,
  change: { readonly [Name in keyof RuleSource]?: RuleSource[Name] | undefined },
): RuleSource {
  const all = Object.entries({ ...rule, ...change }).filter(([, value]) => value !== undefined);
  // Entries of a rule, whose types `fromEntries` does not keep.
  return Object.fromEntries(all) as unknown as RuleSource;
}

const POINTS = 1000;
/** Points of a score on which nothing else fires; weights have at most six decimals. */
export const toPoints = (weight: number) => Number((weight * POINTS).toFixed(3));
export const toWeight = (points: number) => Number((points / POINTS).toFixed(6));

export const codeOf = (id: string) => id.toUpperCase().replaceAll('-', '_');

/** A new rule, whose name no other one has. */
export function newRule(rules: readonly RuleSource[]): RuleSource {
  const taken = new Set(rules.flatMap(({ id, code }) => [id, code]));
  let id = 'new-rule';
  for (let nth = 2; taken.has(id) || taken.has(codeOf(id)); nth++) id = `new-rule-${nth}`;
  return { id, sentence: 'Say what abuse it catches.', code: codeOf(id), when: '', weight: 0.1 };
}

export type Problem = CheckedRuleSet['problems'][number];

/** Problems of one field, or of all fields of a rule. */
export const problemsAt = (problems: readonly Problem[], pointer: string) =>
  problems.filter((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`));

/** Problems of a rule, by pointers that begin with the name of a field. */
export const problemsOfRule = (problems: readonly Problem[], at: number): Problem[] =>
  problemsAt(problems, `/rules/${at}`).map((one) => ({
    ...one,
    pointer: one.pointer.slice(`/rules/${at}`.length),
  }));

/** Problems beside the rules. */
export const otherProblems = (problems: readonly Problem[]) =>
  problems.filter(({ pointer }) => !/^\/rules\/\d/.test(pointer));

export function effectText(rule: RuleSource): string {
  const { verdict, bands = [], weight = 0 } = rule;
  if (verdict !== undefined) return verdict;
  const [least = 0, most = 0] = [bands[0]?.weight ?? weight, bands.at(-1)?.weight ?? weight];
  const [low, high] = [toPoints(least), toPoints(most)];
  return low === high ? `${low}` : `${low}–${high}`;
}
