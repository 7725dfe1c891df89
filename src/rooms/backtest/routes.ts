/** `/v1/backtests`: requests, progress, reports. */
import { z } from 'zod';
import { routesUnder } from '../../core/room.ts';
import type { Database } from '../../kit/database/pool.ts';
import { answer, bodyOf, change, list, read } from '../../kit/http/operation.ts';
import { inSlices } from '../../kit/process/pauses.ts';
import { Failure } from '../../kit/words/failure.ts';
import {
  BACKTEST_ID,
  backtestSchema,
  backtestWithReportSchema,
  newBacktestSchema,
  type Question,
  toBacktestJson,
} from './backtest.ts';
import {
  type BandsJson,
  type BandsQuery,
  bandsQuery,
  bandsSchema,
  createTally,
} from './count/bands.ts';
import { cancel, type RequestParts, readBacktest, requestBacktest, resume } from './request.ts';
import { compileAll } from './run.ts';
import { listBacktests } from './store/backtests.ts';
import { eachDay } from './store/days.ts';

/** Newest ones. */
const LISTED_MAX = 100;
/** As much as a rule set may have. */
const BODY_BYTES_MAX = 524_288;

const roles = ['analyst', 'risk_officer'] as const;
const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The backtest id.', example: BACKTEST_ID }),
});

const NEW_BACKTEST = { from: '2026-11-01', to: '2026-11-08', rule_set: 'careful@1' };

const operations = [
  change({
    at: '/v1/backtests',
    operationId: 'requestBacktest',
    summary: 'Ask what a version would have decided',
    description:
      'Workers run one at a time, on stored vectors with the labels known by a moment. What decides is fixed now.',
    roles,
    body: { ...bodyOf(newBacktestSchema, NEW_BACKTEST), bytesMax: BODY_BYTES_MAX },
    answers: { 202: answer('It waits.', backtestSchema) },
    problems: [404],
    run: async ({ body, by }, parts: RequestParts) =>
      toBacktestJson(await requestBacktest(parts, body, by)),
  }),
  list({
    at: '/v1/backtests',
    operationId: 'listBacktests',
    summary: 'Backtests, without their reports',
    roles,
    row: backtestSchema,
    says: `The newest ${LISTED_MAX}.`,
    rows: async (_, { databases: { primary } }: RequestParts) =>
      (await listBacktests(primary.query, LISTED_MAX)).map(toBacktestJson),
  }),
  read({
    at: '/v1/backtests/{id}',
    operationId: 'readBacktest',
    summary: 'A backtest, with its report once it is done',
    roles,
    path,
    answers: { 200: answer('The backtest as it is now.', backtestWithReportSchema) },
    run: async ({ path: { id } }, { databases: { primary } }: RequestParts) => {
      const found = await readBacktest(primary, id);
      const report = found.report === null ? null : JSON.parse(found.report);
      return { ...toBacktestJson(found), report };
    },
  }),
  read({
    at: '/v1/backtests/{id}/bands',
    operationId: 'readBacktestBands',
    summary: 'What other bands alone would have made of the rows',
    roles,
    path,
    query: bandsQuery,
    answers: { 200: answer('Exact bands, from counts a day and score.', bandsSchema) },
    problems: [409],
    run: async ({ path: { id }, query }, { databases: { primary } }: RequestParts) =>
      await readBands(primary, id, query),
  }),
  change({
    at: '/v1/backtests/{id}/cancel',
    operationId: 'cancelBacktest',
    'x-command': 'backtest cancel',
    summary: 'End a backtest that waits or runs',
    roles,
    path,
    answers: { 200: answer('The backtest, which has ended.', backtestSchema) },
    run: async ({ path: { id }, by }, { databases: { primary } }: RequestParts) =>
      toBacktestJson(await cancel(primary, id, by)),
  }),
  change({
    at: '/v1/backtests/{id}/resume',
    operationId: 'resumeBacktest',
    summary: 'Go on with a backtest that was cancelled or failed',
    description:
      'The question stays as it was. What was cancelled goes on behind the rows that it counted, what failed begins anew.',
    roles,
    path,
    answers: { 200: answer('It waits.', backtestSchema) },
    run: async ({ path: { id }, by }, { databases: { primary } }: RequestParts) =>
      toBacktestJson(await resume(primary, id, by)),
  }),
];

export const { document, open } = routesUnder(
  'backtests',
  'What a version of rules or a model would have decided.',
  operations,
);

/**
 * Other bands for a backtest that is done.
 * @throws Failure `conflict` where not all of its rows were counted a day
 */
async function readBands(
  { query }: Pick<Database, 'query'>,
  id: string,
  { corridor: only, ...asked }: BandsQuery,
): Promise<BandsJson> {
  const { state, question, sources, report } = await readBacktest({ query }, id);
  if (state !== 'done') {
    throw new Failure('conflict', 'BACKTEST_OPEN', `the backtest is ${state}, and not done`);
  }
  const { subject } = JSON.parse(question) as Question;
  const { ruleSetOf } = await compileAll(subject, JSON.parse(sources));
  const before = (corridor: string) => {
    const { id, shares, corridorVerdicts, verdicts } = ruleSetOf(corridor);
    if (shares !== undefined) {
      const why = `the bands of ${id} are by share, and other ones each day`;
      throw new Failure('conflict', 'BACKTEST_BY_SHARE', why);
    }
    return corridorVerdicts.get(corridor) ?? verdicts;
  };
  const isAsked = (corridor: string) => only === undefined || corridor === only;
  const after = (corridor: string) => (isAsked(corridor) ? asked : before(corridor));
  const tally = createTally(before, after);
  for await (const [day, counts] of eachDay(query, id)) await inSlices(tally.addDay(day, counts));
  const bands = tally.toJson();
  const counted = bands.before.confusion.reduce(
    (sum, { fraud, legitimate, unlabelled }) => sum + fraud + legitimate + unlabelled,
    0,
  );
  if (counted !== JSON.parse(report ?? '{}').rows) {
    const why = 'its counts a day are not whole, or have ended: run it again';
    throw new Failure('conflict', 'BACKTEST_UNCOUNTED', why);
  }
  return bands;
}
