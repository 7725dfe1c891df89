/** Requests and cancels backtests. What decides is resolved at the request, so that a draft that changes later changes no report. */
import { canonicalJson } from '../../core/domain/metadata.ts';
import type { Api } from '../../core/room.ts';
import type { Models } from '../../core/score/judge.ts';
import { type CompiledRuleSet, compiling } from '../../core/score/rules/compile-rule-set.ts';
import { hashRuleSet } from '../../core/score/rules/rule-set-data.ts';
import { currentRuleSet, findBuiltIn } from '../../core/score/rules/rule-sets.ts';
import { SCORECARD } from '../../core/score/scorecard/judge-by-table.ts';
import { listWalkedMonths } from '../../core/store/partitions/month-slice.ts';
import { findDraftedSource, readRuleSetsInForce } from '../../core/store/rule-sets/rule-sets.ts';
import { corridorsNamed } from '../../core/store/transactions/transactions.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { inSlices } from '../../kit/process/pauses.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { detachedWithin } from '../../kit/words/page.ts';
import type { Officer } from '../../kit/words/principal.ts';
import {
  type NewBacktest,
  type Question,
  type StoredBacktest,
  type Version,
  versionText,
} from './backtest.ts';
import {
  cancelBacktest,
  countOpen,
  findBacktest,
  insertBacktest,
  lockBacktests,
  resumeBacktest,
} from './store/backtests.ts';

export type RequestParts = Pick<Api, 'databases' | 'models'>;

/** Backtests that wait or run; they run one at a time. */
const OPEN_MAX = 20;
/** Scores and labels of the last minute may be committed yet, and would move a report. */
const SETTLED_MS = 60_000;

/** Sources by their hash. */
type Sources = Record<string, object>;

export async function requestBacktest(
  { databases: { primary, now }, models }: RequestParts,
  asked: NewBacktest,
  by: Officer,
): Promise<StoredBacktest> {
  const settledMs = now() - SETTLED_MS;
  const knownMs = asked.known_by === undefined ? settledMs : Date.parse(asked.known_by);
  if (knownMs > settledMs) {
    const detail = `must be at least a minute ago, before '${new Date(settledMs).toISOString()}'`;
    throw new InvalidFields([{ pointer: '/known_by', detail }]);
  }
  if (asked.corridor !== undefined) await corridorsNamed(primary, asked.corridor);
  const times = { from: Date.parse(asked.from), to: Date.parse(asked.to) };
  await refuseDetachedWithin(primary, times);
  const sources: Sources = {};
  const resolve = { database: primary, models, sources };
  const { review_from: reviewFrom, decline_from: declineFrom } = asked;
  const bands =
    reviewFrom === undefined || declineFrom === undefined
      ? {}
      : { bands: { reviewFrom, declineFrom } };
  const question: Question = {
    from: new Date(times.from).toISOString(),
    to: new Date(times.to).toISOString(),
    known_by: new Date(knownMs).toISOString(),
    corridor: asked.corridor ?? null,
    subject: {
      ...(await resolveVersion(resolve, asked.rule_set ?? asked.source, asked.model)),
      ...bands,
    },
    against: await resolveVersion(resolve, asked.against_rule_set, asked.against_model),
  };
  return await primary.transaction(async (query) => {
    await lockForOne(query);
    const texts = [canonicalJson(question), canonicalJson(sources)] as const;
    const stored = await insertBacktest(query, ...texts, by.name, by.keyId);
    const { subject, against, ...about } = question;
    const after = { ...about, version: versionText(subject), against: versionText(against) };
    const { backtest_id: id } = stored;
    const change = { action: 'backtest.request', subject: id, before: null, after } as const;
    await recordChange(query, by, change);
    return stored;
  });
}

/** @throws Failure `conflict` where as many as may wait do */
async function lockForOne(query: Query): Promise<void> {
  await lockBacktests(query);
  if ((await countOpen(query)).open < OPEN_MAX) return;
  const why = `${OPEN_MAX} backtests wait already: cancel one, or wait`;
  throw new Failure('conflict', 'BACKTESTS_WAIT', why);
}

/** @throws Failure `conflict` where the report would lack rows */
export async function refuseDetachedWithin(
  database: Pick<Database, 'query'>,
  times: { readonly from: number; readonly to: number },
): Promise<void> {
  const { detached } = await listWalkedMonths(database, 'scores');
  const [month] = detachedWithin(detached, times);
  if (month === undefined) return;
  throw new Failure('conflict', 'MONTH_DETACHED', `${month} is detached: its rows cannot be read`);
}

type Resolve = {
  readonly database: Database;
  readonly models: Models;
  readonly sources: Sources;
};

/** @param ruleSet a name, a source, or undefined: those in force */
async function resolveVersion(
  { database, models, sources }: Resolve,
  ruleSet: string | object | undefined,
  model: string | undefined,
): Promise<Version> {
  const found = model === undefined || model === SCORECARD ? undefined : await models.find(model);
  if (found !== undefined && 'problem' in found) {
    throw new Failure('not-found', 'MODEL_UNKNOWN', `the model ${given(model)} ${found.problem}`);
  }
  const named = async (name: string) => {
    const source = findBuiltIn(name) ?? (await readSource(database, name));
    const sha256 = hashRuleSet(source);
    sources[sha256] = source;
    return { rule_set: name, sha256 };
  };
  const taken = async (source: object) => {
    const { id, sha256 } = await compileGiven(source);
    sources[sha256] = source;
    return { rule_set: id, sha256 };
  };
  const all =
    typeof ruleSet === 'object' ? await taken(ruleSet) : await named(ruleSet ?? currentRuleSet.id);
  const corridors: Record<string, typeof all> = {};
  if (ruleSet === undefined) {
    for (const [corridor, { active }] of await readRuleSetsInForce(database)) {
      if (active.id !== all.rule_set) corridors[corridor] = await named(active.id);
    }
  }
  return { ...all, corridors, model: found?.model.name ?? model ?? null };
}

async function readSource({ query }: Database, name: string): Promise<object> {
  const found = await findDraftedSource(query, name);
  if (found !== undefined) return JSON.parse(found.source) as object;
  throw new Failure('not-found', 'RULE_SET_UNKNOWN', `there is no rule set ${given(name)}`);
}

/** @throws InvalidFields */
async function compileGiven(source: object): Promise<CompiledRuleSet> {
  const made = await inSlices(compiling(source));
  if ('ruleSet' in made) return made.ruleSet;
  const problems = made.problems.map(({ pointer, detail }) => ({
    pointer: `/source${pointer}`,
    detail,
  }));
  throw new InvalidFields(problems);
}

export async function readBacktest({ query }: Pick<Database, 'query'>, id: string) {
  const found = await findBacktest(query, id);
  if (found !== undefined) return found;
  throw new Failure('not-found', 'BACKTEST_UNKNOWN', `there is no backtest ${id}`);
}

/** Cancels it, once or again. @throws Failure `conflict` for a backtest that has ended otherwise */
export async function cancel(
  database: Pick<Database, 'transaction'>,
  id: string,
  by: Officer,
): Promise<StoredBacktest> {
  return await database.transaction(async (query) => {
    const cancelled = await cancelBacktest(query, id, by.name);
    if (cancelled !== undefined) return await record(query, by, 'backtest.cancel', cancelled);
    const found = await readBacktest({ query }, id);
    if (found.state === 'cancelled') return found;
    const why = `the backtest has ended, and is ${found.state}`;
    throw new Failure('conflict', 'BACKTEST_ENDED', why);
  });
}

/** Resumes it, once or again. @throws Failure `conflict` for a backtest that is done */
export async function resume(
  { transaction }: Pick<Database, 'transaction'>,
  id: string,
  by: Officer,
): Promise<StoredBacktest> {
  return await transaction(async (query) => {
    const found = await readBacktest({ query }, id);
    if (found.state === 'queued' || found.state === 'running') return found;
    await lockForOne(query);
    const resumed = await resumeBacktest(query, id);
    if (resumed !== undefined) return await record(query, by, 'backtest.resume', resumed, found);
    throw new Failure('conflict', 'BACKTEST_ENDED', 'the backtest is done: read its report');
  });
}

async function record(
  query: Query,
  by: Officer,
  action: 'backtest.cancel' | 'backtest.resume',
  stored: StoredBacktest,
  found: StoredBacktest | null = null,
): Promise<StoredBacktest> {
  const { backtest_id: subject, state, rows_read: rowsRead } = stored;
  const before = found && { state: found.state, by: found.cancelled_by };
  await recordChange(query, by, { action, subject, before, after: { state, rowsRead } });
  return stored;
}
