/** The table of a day between the days of a replay: its payments are judged by what was known at 00:00, as they were then. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CommandContext } from '../../kit/command/command.ts';
import { STALE_MS } from '../../kit/database/follow-changes.ts';
import type { Database } from '../../kit/database/pool.ts';
import { anyOf } from '../../kit/database/statement.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { DAY_MS } from '../../kit/words/range.ts';

const LAUNCHER = fileURLToPath(new URL('../../../bin/risk', import.meta.url));
const hasTable = anyOf<[day: string]>('has-scorecard', 'from market.scorecards where day = $1');
/** A night learns from no older payments. */
const LEARNT_DAYS = 180;
const hasScores = anyOf<[from: string, to: string]>(
  'has-scores-before',
  'from market.scores where created_at >= $1 and created_at < $2',
);
const run = promisify(execFile);

/**
 * Resolves once workers judge by the table. A day gets none if it has a table, is still to come, or nothing before it is scored.
 * @param day since 1970
 */
export async function buildTable(
  { query }: Pick<Database, 'query'>,
  day: number,
  { environment, output, signal }: Pick<CommandContext, 'environment' | 'output' | 'signal'>,
): Promise<void> {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
  if (day * DAY_MS > Date.now() || (await hasTable(query, date))) return;
  const [from, to] = [day - LEARNT_DAYS, day].map((at) => new Date(at * DAY_MS).toISOString());
  if (!(await hasScores(query, from as string, to as string))) return;
  output.progress(`building the table of ${date}`);
  try {
    const words = [LAUNCHER, 'scorecard', 'build', '--day', date];
    await run('/bin/sh', words, { env: environment, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    // A worker may have built the table meanwhile.
    if (await hasTable(query, date)) return;
    throw new Failure('permanent', 'SCORECARD_FAILED', toError(error).message.trim());
  }
  await sleep(STALE_MS, undefined, { signal });
}
