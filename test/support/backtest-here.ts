/** Backtests of all that is scored, in this process. */
import type { Database } from '../../src/kit/database/pool.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import type { NewBacktest } from '../../src/rooms/backtest/backtest.ts';
import { readBacktest, requestBacktest } from '../../src/rooms/backtest/request.ts';
import { runBacktest } from '../../src/rooms/backtest/run.ts';
import { findNext } from '../../src/rooms/backtest/store/backtests.ts';
import { openModels } from '../../src/rooms/models/open-models.ts';
import type { TestDatabase } from './database.ts';
import { makeOfficer } from './rooms/rules/officers.ts';

type Asked = { readonly fromDay: number; readonly toDay: number } & Pick<
  NewBacktest,
  'rule_set' | 'model'
>;

/** Dates scores as their payments. Resolves to the id, and the figures of the rule set. */
export async function backtestHere(
  { sql }: Pick<TestDatabase, 'sql'>,
  primary: Database,
  { fromDay, toDay, ...asked }: Asked,
) {
  await sql(`alter table scores disable trigger user; update scores set scored_at = created_at`);
  const databases = { primary, replica: null, now: Date.now };
  const models = await openModels(databases);
  const timeOf = (day: number) => new Date(day * DAY_MS).toISOString();
  const [from, to] = [timeOf(fromDay), timeOf(toDay)];
  const question = { from, to, known_by: to, ...asked };
  await requestBacktest({ databases, models }, question, await makeOfficer({ sql }, 'Asks'));
  const next = await findNext(primary.query);
  if (next === undefined) throw new Error('nothing waits');
  const { signal } = new AbortController();
  await runBacktest({ databases, models, writes: primary, signal, untilMs: Infinity }, next);
  const { subject } = JSON.parse((await readBacktest(primary, next.id)).report ?? 'null');
  return { id: next.id, subject };
}
