/**
 * Runs one backtest in bounded pages: read, judge, fold, rest. Counts are stored with their cursor about once a second, so a
 * run that was killed goes on from there, and gives the same report as a run in one go.
 */

import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalJson } from '../../core/domain/metadata.ts';
import type { JudgingModel, Models } from '../../core/score/judge.ts';
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { withBands } from '../../core/score/rules-in-force.ts';
import { judgedVector, SCORECARD } from '../../core/score/scorecard/judge-by-table.ts';
import { clipTo, listMonths } from '../../core/store/partitions/month-slice.ts';
import { compileStored } from '../../core/store/rule-sets/rule-sets.ts';
import { createFindTable, findTables } from '../../core/store/scorecards/find-tables.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import { logistic } from '../../kit/elementary-functions.ts';
import { Failure, isUnavailable } from '../../kit/words/failure.ts';
import { type Question, type Version, versionText } from './backtest.ts';
import { createFold, type Judged, type RuleSetOf } from './count/fold-rows.ts';
import { reportOf } from './count/report.ts';
import { type Counts, type Days, noCounts } from './count/report-schema.ts';
import { refuseDetachedWithin } from './request.ts';
import { endBacktest, type NextBacktest, storeCounts } from './store/backtests.ts';
import { daysText, readDay } from './store/days.ts';
import { PAGE_ROWS, readRows, type StoredRow } from './store/read-rows.ts';

/** How soon a cancellation is seen, and how much a killed run repeats. */
const STORE_EVERY_MS = 1000;
/** Rest after a page, as a multiple of the time that it took: with less, ingest and scoring have less of the processor. */
const REST_SHARE = 1;

type Run = {
  readonly databases: Databases;
  readonly models: Models;
  readonly writes: Writes;
  readonly signal: AbortSignal;
  /** The run goes on later, by performance.now(). */
  readonly untilMs: number;
};

/** Stores how far it is where its time is over or the signal says so, and ends where the backtest was cancelled. */
export async function runBacktest(
  { databases, models, writes, signal, untilMs }: Run,
  { id, question: asked, sources: texts, cursor, counts: kept, rowsRead }: NextBacktest,
): Promise<void> {
  const question = JSON.parse(asked) as Question;
  const { subject, against, corridor } = question;
  const sources = JSON.parse(texts) as Record<string, object>; // The engine wrote both when the backtest was asked for.
  const counts: Counts = kept === null ? noCounts() : JSON.parse(kept);
  const days: Days = await readDay(writes.query, id, cursor);
  const ofSubject = await compileAll(subject, sources);
  const ofAgainst = await compileAll(against, sources);
  const fold = createFold(counts, [ofSubject.ruleSetOf, ofAgainst.ruleSetOf], days);
  const judge = createJudge(models);
  const findTable = createFindTable(databases.primary.query);
  const countPage = async (rows: readonly StoredRow[]) => {
    const tables = await findTables(findTable, rows);
    const judged = await judge(rows, tables, subject);
    const isSame = subject.model === against.model && subject.bands === undefined;
    const judgedAgainst = isSame ? judged : await judge(rows, tables, against);
    for (const [at, row] of rows.entries()) {
      fold(row, [judged[at] ?? null, judgedAgainst[at] ?? null], tables.get(row.scorecard));
    }
  };
  const knownMs = Date.parse(question.known_by);
  const wanted = { knownBy: question.known_by, corridor };
  const times = { from: Date.parse(question.from), to: Date.parse(question.to) };
  let [after, rows, storedMs] = [cursor, Number(rowsRead), performance.now()];
  const store = async (): Promise<boolean> => {
    storedMs = performance.now();
    if (after === null) return true;
    const texts = [JSON.stringify(counts), rows, daysText(days)] as const;
    if ((await storeCounts(writes.query, id, after, ...texts)) === undefined) return false;
    // Rows come in the order of time, so only the last day gets more.
    for (const day of [...days.keys()].slice(0, -1)) days.delete(day);
    return true;
  };
  await refuseDetachedWithin(databases.primary, times);
  const months = await listMonths(databases.primary, 'scores');
  for (const part of clipTo(months, times.from, times.to).reverse()) {
    for (let isWhole = false; !isWhole; ) {
      const beganMs = performance.now();
      const from = after;
      const page = await readFrom(databases, knownMs, ({ query }) =>
        readRows(query, part, from, wanted),
      );
      await countPage(page.rows);
      after = page.last ?? after;
      rows += page.seen;
      isWhole = page.seen < PAGE_ROWS;
      const tookMs = performance.now() - beganMs;
      const nowMs = performance.now();
      const isOver = !isWhole && (signal.aborted || nowMs >= untilMs);
      const isDue = isOver || nowMs - storedMs >= STORE_EVERY_MS;
      if (isDue && !(await store())) return;
      if (isOver) return;
      await sleep(tookMs * REST_SHARE, undefined, { signal }).catch(() => undefined);
    }
  }
  if (!(await store())) return;
  // A month that was detached meanwhile may have given fewer rows than it has.
  await refuseDetachedWithin(databases.primary, times);
  const names = [versionText(subject), versionText(against)] as const;
  const report = canonicalJson(reportOf(counts, ofSubject.rules, names));
  await endBacktest(writes.query, id, rows, report, hash('sha256', report));
}

export async function compileAll(version: Version, sources: Readonly<Record<string, object>>) {
  const compile = ({ rule_set: ruleSet, sha256 }: Pick<Version, 'rule_set' | 'sha256'>) =>
    compileStored({ ruleSet, sha256, source: JSON.stringify(sources[sha256]) });
  const all = await compile(version);
  const own = new Map<string, CompiledRuleSet>();
  for (const [corridor, ruleSet] of Object.entries(version.corridors))
    own.set(corridor, await compile(ruleSet));
  const ruleSetOf: RuleSetOf = (corridor, of) => withBands(own.get(corridor) ?? all, of);
  const rules = new Map(
    [all, ...own.values()].flatMap((ruleSet) => ruleSet.rules.map((rule) => [rule.id, rule])),
  );
  return { ruleSetOf, rules: [...rules.values()] };
}

/** Judges the rows of a page by a named model, or each by the model that judged it; the scorecard by the margin stored with the row. */
function createJudge(models: Models) {
  const found = new Map<string, JudgingModel | null>();
  const find = async (name: string) => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const ruleSet = await models.find(name);
    const model = 'model' in ruleSet ? ruleSet.model : null;
    found.set(name, model);
    return model;
  };
  return async (
    rows: readonly StoredRow[],
    tables: Awaited<ReturnType<typeof findTables>>,
    { model: named, bands }: Pick<Version, 'model' | 'bands'>,
  ): Promise<Judged[]> => {
    if (named === SCORECARD) {
      return rows.map(({ margin }) =>
        margin === null
          ? { lacking: SCORECARD }
          : { probability: logistic(margin), bands: bands ?? null },
      );
    }
    const judged: Judged[] = [];
    const vectors = rows.map(({ vector, scorecard, createdAtMs }) =>
      judgedVector(vector, tables.get(scorecard), createdAtMs),
    );
    const groups = Map.groupBy(rows.keys(), (at) => named ?? rows[at]?.model ?? null);
    for (const [name, indices] of groups) {
      if (name === null) continue;
      const model = await find(name);
      const own = indices.flatMap((at) => vectors[at] ?? []);
      const opinions = model === null ? undefined : judgeAll(model, own);
      for (const [nth, at] of indices.entries()) judged[at] = opinions?.[nth] ?? { lacking: name };
    }
    return judged;
  };
}

/** Undefined where the model gives what is no probability. */
function judgeAll({ judge }: JudgingModel, rows: Parameters<JudgingModel['judge']>[0]) {
  try {
    return judge(rows);
  } catch (error) {
    if (isUnavailable(error) || !(error instanceof Failure)) throw error;
    return undefined;
  }
}
