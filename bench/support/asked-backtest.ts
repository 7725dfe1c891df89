/** Asks for a backtest as a person does, and waits for its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Person, taken } from './person.ts';

const POLL_MS = 200;

/** @returns the backtest once it is done */
export async function askBacktest(
  person: Person,
  question: object,
  signal: AbortSignal,
): Promise<Answer['body']> {
  const { backtest_id: id } = taken(await person('POST', '/v1/backtests', question));
  for (;;) {
    const found = taken(await person('GET', `/v1/backtests/${String(id)}`));
    if (found['state'] === 'done') return found;
    if (found['ended_at'] !== null) throw new Error(`the backtest ended: ${JSON.stringify(found)}`);
    await delay(POLL_MS, undefined, { signal });
  }
}
