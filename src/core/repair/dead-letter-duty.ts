/** The end of dead letters whose transaction was scored after all, as a duty of one worker. */
import type { Database } from '../../kit/database/pool.ts';
import type { Leadership } from '../../kit/duties/leadership.ts';
import {
  closeDeadLettersOfScored,
  listDeadLettersOfScored,
} from '../store/dead-letters/dead-letters.ts';
import { closeScoredLetters } from './close-scored-letters.ts';

/** A check is one probe of an empty index where no dead letter is open, which is usual. */
const CLOSE_EVERY_MS = 10_000;

export function bindDeadLetters(database: Pick<Database, 'query'>, leadership: Leadership) {
  const lead = leadership.of('repair');
  const list = (after?: string) => listDeadLettersOfScored(database, after);
  const close = (transactionIds: readonly string[]) =>
    closeDeadLettersOfScored(lead.writes, transactionIds);
  return {
    name: 'close-dead-letters',
    everyMs: CLOSE_EVERY_MS,
    run: async (signal: AbortSignal) => {
      await lead.run(() => closeScoredLetters(list, close, signal));
    },
  };
}
