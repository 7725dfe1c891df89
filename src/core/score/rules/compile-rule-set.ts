/**
 * The one way from a rule set's data to what decides: save, check, test, live, shadow, backtest and replay compile here. What
 * is wrong is told all at once, as values.
 */
import { atOnce, type Sliced } from '../../../kit/process/pauses.ts';
import { DESCRIBED } from '../../../kit/words/describe-issue.ts';
import { type FieldError, fieldErrors, jsonPointer } from '../../../kit/words/field-errors.ts';
import type { ManualFrom } from '../../domain/control.ts';
import type { FeatureName } from '../../domain/feature-schema.ts';
import { isOfLabels } from '../../domain/label.ts';
import { metadataProblem } from '../../domain/metadata.ts';
import {
  ANYTHING_DECLARED,
  type Catalogue,
  createCatalogue,
  type Declared,
  fieldNames,
  listOfKey,
} from './expression/catalogue.ts';
import { checkExpression } from './expression/check-expression.ts';
import { type Expression, type Read, readsOf, type ValueType } from './expression/expression.ts';
import type { ExpressionProblem } from './expression/parse-expression.ts';
import {
  type CheckedRule,
  CORRIDOR_KEY,
  checkDetail,
  type DetailPart,
  generateProgram,
  type Program,
} from './generate-program.ts';
import { type Bounds, CODE_MEASURES } from './measures.ts';
import {
  type Band,
  exampleProblems,
  type ForcedVerdict,
  hashRuleSet,
  RULES_MAX,
  type RuleData,
  type RuleSetData,
  ruleSchema,
  ruleSetSchema,
  type Thresholds,
} from './rule-set-data.ts';

/** A rule set ready to score with. */
export type CompiledRuleSet = {
  /** `name@version`, or the name of a derived one. */
  readonly id: string;
  /** Hash of the data; a derived rule set has the hash of its base. */
  readonly sha256: string;
  readonly featureSchema: number;
  /** Rules that are on, in the order in which they combine. */
  readonly rules: readonly CompiledRule[];
  /** Keys of the inputs that a row needs beside its vector, in their order. */
  readonly inputs: readonly string[];
  /** Lists that its rules ask. */
  readonly lists: readonly string[];
  readonly verdicts: Thresholds;
  readonly corridorVerdicts: ReadonlyMap<string, Thresholds>;
  /** By which a table has bands in place of the thresholds; undefined: the thresholds decide. */
  readonly shares: RuleSetData['verdicts']['shares'];
  /** Points by which thresholds were lowered, as a model's bands are. */
  readonly tightenedBy: number;
  /** The amount from which payments are not approved; null: there is no bound. */
  readonly manualFrom: ManualFrom | null;
  readonly program: Program;
  /** The rule that each index of the program stands for; undefined: a derived rule set is without the rule. */
  readonly programRules: readonly (CompiledRule | undefined)[];
};

export type CompiledRule = {
  readonly id: string;
  readonly code: string;
  readonly sentence: string;
  /** Every feature that the rule reads, features of its value first. */
  readonly features: readonly FeatureName[];
  readonly readsLabels: boolean;
  /** Keys of the inputs that the rule reads. */
  readonly inputs: readonly string[];
  readonly data: RuleData;
  /** Empty where the rule has no measured value. */
  readonly bands: readonly Band[];
  readonly verdict: ForcedVerdict | null;
  readonly isPolicy: boolean;
  readonly detail: Program['details'][number];
};

/** A field of the data, and where its expression is wrong. */
type RuleSetProblem = FieldError & { readonly at?: ExpressionProblem };
export type Compiled =
  | { readonly ruleSet: CompiledRuleSet }
  | { readonly problems: readonly RuleSetProblem[] };

/** Room for 200 rules with their sentences. */
const DATA_BYTES_MAX = 262_144;
/** More problems than anybody reads at once. */
const PROBLEMS_MAX = 100;

export const compileRuleSet = (source: unknown, declared?: Declared): Compiled =>
  atOnce(compiling(source, declared));

/**
 * Compiles rule by rule, as a whole rule set takes a tenth of a second.
 * @param source of anybody: nothing of it is trusted
 */
export function* compiling(source: unknown, declared = ANYTHING_DECLARED): Sliced<Compiled> {
  const detail = metadataProblem(source, DATA_BYTES_MAX);
  if (detail !== undefined) return { problems: [{ pointer: '', detail }] };
  const parsed = ruleSetSchema.safeParse(source, DESCRIBED);
  yield;
  if (parsed.success) return yield* compileData(parsed.data, declared);
  const problems = [
    ...fieldErrors(ruleSetSchema, parsed.error),
    ...(yield* problemsOfRules(Object(source), declared)),
  ];
  return { problems: problems.slice(0, PROBLEMS_MAX) };
}

/** Problems within rules of a right shape, where another part of the source is of a wrong one. */
function* problemsOfRules(
  { metadata, rules, feature_schema }: Readonly<Record<string, unknown>>,
  { lists }: Declared,
): Sliced<readonly RuleSetProblem[]> {
  const { data: read } = ruleSetSchema.shape.metadata.safeParse(metadata);
  if (!Array.isArray(rules)) return [];
  const catalogue = createCatalogue(fieldNames(read), lists, feature_schema);
  const check: Check = { catalogue, problems: [] };
  for (const [index, rule] of rules.slice(0, RULES_MAX).entries()) {
    const { data } = ruleSchema.safeParse(rule);
    if (data !== undefined) checkRule(data, `/rules/${index}`, check);
    yield;
  }
  return check.problems;
}

function* compileData(data: RuleSetData, { lists, fields }: Declared): Sliced<Compiled> {
  const read = Object.entries(data.metadata ?? {});
  const undeclared = read.filter(([field, type]) => fields !== null && fields.get(field) !== type);
  const check: Check = {
    catalogue: createCatalogue(fieldNames(data.metadata), lists, data.feature_schema),
    problems: undeclared.map(([field, type]) => ({
      pointer: jsonPointer(['metadata', field]),
      detail: `must be a metadata field of the market with its type: ${sayFields(fields)}, not ${type}`,
    })),
  };
  const checked: (CheckedReads | undefined)[] = [];
  for (const [index, rule] of data.rules.entries()) {
    checked.push(checkRule(rule, `/rules/${index}`, check));
    yield;
  }
  if (check.problems.length > 0) return { problems: check.problems.slice(0, PROBLEMS_MAX) };
  const on = data.rules.flatMap((rule, index) => {
    const checkedRule = checked[index];
    return checkedRule === undefined || rule.state === 'off' ? [] : [{ rule, ...checkedRule }];
  });
  const corridorVerdicts = new Map(Object.entries(data.verdicts.corridors ?? {}));
  const hasCorridors = corridorVerdicts.size > 0 || on.some(({ corridors }) => corridors !== null);
  const keys = on.flatMap(({ keys }) => keys);
  const inputs = [...new Set(hasCorridors ? [CORRIDOR_KEY, ...keys] : keys)].sort();
  const program = generateProgram(on, inputs);
  yield;
  const rules = on.map(({ rule, features, keys }, index) => ({
    id: rule.id,
    code: rule.code,
    sentence: rule.sentence,
    features,
    readsLabels: features.some(isOfLabels),
    inputs: keys,
    data: rule,
    bands: rule.bands ?? [],
    verdict: rule.verdict ?? null,
    isPolicy: rule.policy ?? false,
    detail: program.details[index] as CompiledRule['detail'],
  }));
  return {
    ruleSet: {
      id: data.id,
      sha256: hashRuleSet(data),
      featureSchema: data.feature_schema,
      rules,
      inputs,
      lists: inputs.flatMap((key) => listOfKey(key) ?? []),
      verdicts: data.verdicts.all,
      corridorVerdicts,
      shares: data.verdicts.shares,
      tightenedBy: 0,
      manualFrom: null,
      program,
      programRules: rules,
    },
  };
}

const sayFields = (fields: Declared['fields']) =>
  fields === null || fields.size === 0
    ? 'it declares none'
    : [...fields].map(([name, type]) => `${name} is ${type}`).join(', ');

type Check = { readonly catalogue: Catalogue; readonly problems: RuleSetProblem[] };

type CheckedReads = CheckedRule & {
  /** Keys of the inputs that the rule reads. */
  readonly keys: readonly string[];
  readonly features: readonly FeatureName[];
};

/** @returns undefined after a problem was noted */
function checkRule(rule: RuleData, pointer: string, check: Check): CheckedReads | undefined {
  const { when: condition, measure: measured, bands, corridors = null } = rule;
  const before = check.problems.length;
  // Each problem looks for the nearest name, so that more of them would cost more than anybody reads.
  if (before >= PROBLEMS_MAX) return undefined;
  const when =
    condition === undefined ? null : checkText(condition, ['boolean'], `${pointer}/when`, check);
  const measure =
    typeof measured === 'string'
      ? checkText(measured, ['number'], `${pointer}/measure`, check)
      : measured && findMeasure(measured, `${pointer}/measure`, check);
  const detail = checkSentence(rule, pointer, check);
  check.problems.push(...exampleProblems(rule, pointer, check.catalogue, PROBLEMS_MAX));
  if (check.problems.length > before || when === undefined || detail === undefined)
    return undefined;
  const ofCode = typeof measure === 'object' && 'features' in measure ? measure : undefined;
  const value = ofCode === undefined ? (measure as Expression | undefined) : ofCode.run;
  const effect =
    value === undefined || bands === undefined
      ? { weight: rule.weight ?? 0 }
      : { measure: value, bands };
  const reads: readonly Read[] = [
    ...(typeof value === 'object' ? readsOf(value) : []),
    ...(when === null ? [] : readsOf(when)),
    ...detail.flatMap((part) =>
      typeof part === 'string' || part.value === 'measure' ? [] : readsOf(part.value),
    ),
  ];
  const names = reads.flatMap(({ source, name }) => (source.at === 'feature' ? name : []));
  const features = [...new Set([...(ofCode?.features ?? []), ...(names as FeatureName[])])];
  const keys = new Set(reads.flatMap(({ source }) => (source.at === 'input' ? source.key : [])));
  return { when, effect, corridors, detail, keys: [...keys], features };
}

function checkText(
  text: string,
  types: readonly ValueType[],
  pointer: string,
  check: Check,
): Expression | undefined {
  const checked = checkExpression(text, check.catalogue, types);
  if ('expression' in checked) return checked.expression;
  check.problems.push(...checked.problems.map((problem) => toProblem(pointer, problem)));
  return undefined;
}

function toProblem(pointer: string, at: ExpressionProblem): RuleSetProblem {
  const { line, column, found, allowed } = at;
  const detail = `must have ${allowed} at line ${line}, column ${column}, not ${found}`;
  return { pointer, detail, at };
}

function checkSentence(
  { detail, sentence, measure }: RuleData,
  pointer: string,
  check: Check,
): readonly DetailPart[] | undefined {
  if (detail === undefined) return [sentence];
  const checked = checkDetail(detail, check.catalogue, measure !== undefined);
  if ('parts' in checked) return checked.parts;
  check.problems.push(
    ...checked.problems.map((problem) => toProblem(`${pointer}/detail`, problem)),
  );
  return undefined;
}

/** The code of a measure with its bounds, or undefined after a problem was noted. */
function findMeasure(
  { code, bounds }: { readonly code: string; readonly bounds: Bounds },
  pointer: string,
  { problems }: Check,
) {
  const found = CODE_MEASURES.get(code);
  const say = (detail: string) => {
    problems.push({ pointer, detail });
    return undefined;
  };
  if (found === undefined) {
    return say(`must have a code of ${[...CODE_MEASURES.keys()].join(', ')}`);
  }
  const wanted = Object.keys(found.bounds).sort().join();
  const given = Object.keys(bounds).sort().join();
  if (given !== wanted) return say(`must have the bounds (${wanted}), not (${given})`);
  return { features: found.features, run: found.measureBy(bounds) };
}

/** A rule set of this build. */
export function compileOwn(data: RuleSetData): CompiledRuleSet {
  const compiled = compileRuleSet(data);
  if ('ruleSet' in compiled) return compiled.ruleSet;
  const problems = compiled.problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
  throw new Error(`rule set ${data.id}: ${problems.join('; ')}`);
}
