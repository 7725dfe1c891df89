/** Other bands for a backtest that is done. */
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Question } from './backtest.ts';
import { type BandsJson, type BandsQuery, createTally } from './count/bands.ts';
import { readBacktest } from './request.ts';
import { compileAll } from './run.ts';
import { eachDay } from './store/days.ts';

/** @throws Failure `conflict` where not all of its rows were counted a day */
export async function readBands(
  { query }: Pick<Database, 'query'>,
  id: string,
  { corridor: only, ...asked }: BandsQuery,
): Promise<BandsJson> {
  const { state, question, sources, report } = await readBacktest({ query }, id);
  if (state !== 'done') {
    throw new Failure('conflict', 'BACKTEST_OPEN', `the backtest is ${state}, and not done`);
  }
  const { subject } = JSON.parse(question) as Question;
  const { ruleSetOf } = compileAll(subject, JSON.parse(sources));
  const before = (corridor: string) => {
    const { corridorVerdicts, verdicts } = ruleSetOf(corridor);
    return corridorVerdicts.get(corridor) ?? verdicts;
  };
  const isAsked = (corridor: string) => only === undefined || corridor === only;
  const after = (corridor: string) => (isAsked(corridor) ? asked : before(corridor));
  const tally = createTally(before, after);
  for await (const [day, counts] of eachDay(query, id)) tally.addDay(day, counts);
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
