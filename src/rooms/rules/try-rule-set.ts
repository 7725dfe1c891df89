/** Checks a rule set, and tries it on one transaction or vector. Both write nothing. */
import { z } from 'zod';
import { explanationParts } from '../../core/domain/explanation.ts';
import { FEATURE_LIST } from '../../core/domain/feature-schema.ts';
import { scoreSchema } from '../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { explain } from '../../core/score/explain.ts';
import type { Models } from '../../core/score/judge.ts';
import {
  type Compiled,
  type CompiledRuleSet,
  compiling,
} from '../../core/score/rules/compile-rule-set.ts';
import { type Declared, listOfKey } from '../../core/score/rules/expression/catalogue.ts';
import { inputsOf, knownInputs } from '../../core/score/rules/rule-inputs.ts';
import { currentRuleSet, findRuleSet } from '../../core/score/rules/rule-sets.ts';
import { withBands } from '../../core/score/rules-in-force.ts';
import { score } from '../../core/score/score.ts';
import { judgedVector } from '../../core/score/scorecard/judge-by-table.ts';
import type { DatedTable } from '../../core/score/scorecard/policy.ts';
import { readFields } from '../../core/store/metadata-fields/metadata-fields.ts';
import { compileStored } from '../../core/store/rule-sets/rule-sets.ts';
import { findTableOf } from '../../core/store/scorecards/find-tables.ts';
import { readScoreRecord } from '../../core/store/scores/read-scores.ts';
import { loadTransactions } from '../../core/store/transactions/read-transactions.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { atOnce, inSlices, type Sliced } from '../../kit/process/pauses.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { findKnown } from './rule-set-change.ts';
import { sourceExample, sourceSchema } from './rule-set-record.ts';
import { countHits, type ReadYesterday, type SampledRow } from './yesterday.ts';

type KnownList = { readonly name: string; readonly effect: string };

/** Lists that rules may ask, of the market and of every market. */
const readKnownLists = rowsOf<KnownList>(
  'read-known-lists',
  `select name, effect from market.lists union all select name, effect from shared.reference_lists order by name`,
);

/** More than the compiler takes; what it refuses is named by field. */
export const BODY_BYTES_MAX = 524_288;

export const checkedSchema = z
  .object({
    sha256: z.string().nullable().meta({ description: 'Null where there are problems.' }),
    problems: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'The field, as a JSON pointer.' }),
          detail: z.string(),
          line: z.int().nullable().meta({ description: 'In the expression, from 1.' }),
          column: z.int().nullable(),
          found: z.string().nullable(),
          allowed: z.string().nullable(),
        }),
      )
      .meta({ description: 'Empty where the rule set would be accepted.' }),
    yesterday: z
      .object({
        sampled: z.int().meta({ description: 'Scores of yesterday (UTC) that it was tried on.' }),
        rules: z
          .array(z.object({ rule: z.string(), hits: z.int() }))
          .meta({ description: 'Rules that are on, in their order.' }),
      })
      .nullable()
      .meta({ description: 'Null where there are problems.' }),
  })
  .meta({ id: 'CheckedRuleSet' });
type CheckedJson = z.infer<typeof checkedSchema>;

export async function check(
  query: Query,
  readYesterday: ReadYesterday,
  source: unknown,
): Promise<CheckedJson> {
  const made = await checkSource(query, source);
  if ('ruleSet' in made) {
    const yesterday = await countHits(made.ruleSet, await readYesterday());
    return { sha256: made.ruleSet.sha256, problems: [], yesterday };
  }
  return {
    sha256: null,
    problems: made.problems.map(({ pointer, detail, at }) => ({
      pointer,
      detail,
      line: at?.line ?? null,
      column: at?.column ?? null,
      found: at?.found ?? null,
      allowed: at?.allowed ?? null,
    })),
    yesterday: null,
  };
}

/** @throws InvalidFields */
export async function compileGiven(
  query: Query,
  source: unknown,
  at = '',
): Promise<CompiledRuleSet> {
  const made = await checkSource(query, source);
  if ('ruleSet' in made) return made.ruleSet;
  throw new InvalidFields(
    made.problems.map(({ pointer, detail }) => ({ pointer: `${at}${pointer}`, detail })),
  );
}

export const trialSchema = z
  .strictObject({
    rule_set: z.string().max(128).optional().meta({ description: 'Name of one that exists.' }),
    source: sourceSchema.optional().meta({ description: 'In place of `rule_set`.' }),
    transaction_id: z
      .uuid()
      .optional()
      .meta({ description: 'A scored transaction: its vector, corridor and model.' }),
    features: z
      .record(z.string(), z.number())
      .optional()
      .meta({ description: 'In place of `transaction_id`; the features left out are missing.' }),
    corridor: z.string().max(16).optional().meta({ description: 'With `features`.' }),
  })
  .superRefine(({ rule_set, source, transaction_id, features }, context) => {
    const say = (message: string) => context.addIssue({ code: 'custom', message });
    if ((rule_set === undefined) === (source === undefined)) say('must have rule_set or source');
    if ((transaction_id === undefined) === (features === undefined))
      say('must have transaction_id or features');
  })
  .meta({ id: 'RuleSetTrial' });
export const trialExample = {
  source: sourceExample,
  features: { count_1h: 12, usual_1h: 0.6 },
  corridor: 'US-EG',
};

const decisionSchema = scoreSchema.pick({ score: true, risk: true, verdict: true, reasons: true });
export const triedSchema = decisionSchema
  .extend({
    rule_set: z.string(),
    rules: explanationParts.rules,
    stored: decisionSchema
      .nullable()
      .meta({ description: 'The stored score; null where there is none.' }),
  })
  .meta({ id: 'TriedRuleSet' });
type TriedJson = z.infer<typeof triedSchema>;
type Made = ReturnType<typeof score>;
/** A row that a rule set is tried on. */
type Case = SampledRow & {
  readonly stored: TriedJson['stored'];
  readonly judged?: DatedTable;
};

export async function tryRuleSet(
  database: Database,
  models: Models,
  trial: z.output<typeof trialSchema>,
): Promise<TriedJson> {
  const { rule_set: name = '', source } = trial;
  const fixed =
    source === undefined
      ? (findRuleSet(name) ?? (await compileStored(await findKnown(database.query, name))))
      : await compileGiven(database.query, source, '/source');
  const row = await readCase(database, models, trial);
  const { vector, opinion } = row;
  const ruleSet = withBands(fixed, row.judged);
  const inputs = inputsOf(ruleSet, row, row.ruleInputs);
  const made = score({ vector, ruleSet, opinion, inputs });
  const { probability } = made;
  const { rules } = explain({ features: vector, probability, inputs }, ruleSet);
  return { rule_set: ruleSet.id, ...decisionOf(made), rules, stored: row.stored };
}

const decisionOf = (made: Pick<Made, 'score' | 'risk' | 'verdict' | 'reasons'>) => {
  const { score: points, risk, verdict, reasons } = made;
  return { score: points, risk, verdict, reasons: [...reasons] };
};

async function readCase(
  database: Database,
  models: Models,
  { transaction_id: id, features = {}, corridor = '' }: z.output<typeof trialSchema>,
): Promise<Case> {
  if (id === undefined) {
    const vector = vectorOf(features);
    return { vector, corridor, ruleInputs: null, opinion: null, stored: null };
  }
  const createdAtMs = createdAtMsOf(id);
  const record =
    createdAtMs === undefined ? undefined : await readScoreRecord(database, id, createdAtMs);
  if (record === undefined) {
    throw new Failure('not-found', 'SCORE_UNKNOWN', `no score is stored of ${id}`);
  }
  const found = record.model === null ? undefined : await models.find(record.model);
  if (found !== undefined && 'problem' in found) {
    const why = `the score was made by ${record.model}, which ${found.problem}`;
    throw new Failure('conflict', 'UNKNOWN_MODEL', why);
  }
  const { ruleInputs } = record;
  const table = await findTableOf(database.query, record.scorecard);
  const judged = judgedVector(record.features, table, record.createdAtMs);
  const [transaction] = await loadTransactions(database, [id]);
  return {
    vector: record.features,
    corridor: record.corridor,
    ruleInputs: transaction ? knownInputs(ruleInputs, transaction.currency) : ruleInputs,
    opinion: found?.model.judge([judged])[0] ?? null,
    stored: decisionOf(record),
    judged,
  };
}

/** @throws InvalidFields for a name that is no feature */
function vectorOf(features: Readonly<Record<string, number>>) {
  const names = FEATURE_LIST.map(({ name }) => name as string);
  const wrong = Object.keys(features).filter((name) => !names.includes(name));
  if (wrong.length > 0) {
    const detail = 'must be a feature of GET /v1/features';
    throw new InvalidFields(
      wrong.map((name) => ({ pointer: `/features/${name.slice(0, 128)}`, detail })),
    );
  }
  return Float64Array.from(names, (name) => features[name] ?? Number.NaN);
}

const familyOf = (id: string) => id.split('@')[0] ?? '';
const OF_BUILD = familyOf(currentRuleSet.id);

/**
 * Checks a rule set of people by the compiler, and by what the compiler does not ask for.
 * @param source of anybody
 */
export async function checkSource(query: Query, source: unknown): Promise<Compiled> {
  return await inSlices(checking(await readKnownLists(query), await readFields(query), source));
}

export const checkAmong = (...asked: Parameters<typeof checking>): Compiled =>
  atOnce(checking(...asked));

/** @param lists null, as `fields`: any may be named, where no database can be asked */
function* checking(
  lists: readonly KnownList[] | null,
  fields: Declared['fields'],
  source: unknown,
): Sliced<Compiled> {
  const known = lists === null ? null : lists.map(({ name }) => name);
  const made = yield* compiling(source, { fields, lists: known });
  if ('problems' in made) return made;
  const { ruleSet } = made;
  if (familyOf(ruleSet.id) === OF_BUILD) {
    const detail = `must have a name that the build leaves free, not ${OF_BUILD}`;
    return { problems: [{ pointer: '/id', detail }] };
  }
  if (lists === null) return made;
  const allowing = new Set(lists.flatMap(({ name, effect }) => (effect === 'allow' ? name : [])));
  const problems = ruleSet.rules.flatMap(({ id, verdict, inputs }) => {
    const read = inputs.flatMap((key) => listOfKey(key) ?? []);
    const other = read.find((list) => !allowing.has(list));
    if ((verdict !== 'allow' && verdict !== 'approve') || other === undefined) return [];
    // Any other list is changed by one person, who would approve payments alone.
    const detail = `must ask lists that allow, and no others, where ${id} forces ${verdict}, not ${other}`;
    return [{ pointer: '/rules', detail }];
  });
  return problems.length > 0 ? { problems } : made;
}
