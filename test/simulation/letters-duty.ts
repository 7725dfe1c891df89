/** The engine's own duty that closes dead letters of what was scored after all, over the stand-in for Postgres. */
import { closeScoredLetters } from '../../src/core/repair/dead-letter-duty.ts';
import type { Duty } from '../../src/kit/duties/run-duties.ts';
import { createLead } from './lead.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

const EVERY_MS = 900;

export function createLettersDuty(world: World, process: Process): Duty {
  const { postgres } = world;
  const lead = createLead(world, process, 'dead-letters');
  return {
    name: 'close-dead-letters',
    everyMs: EVERY_MS,
    run: (signal) =>
      lead((guarded) => {
        const list = (after?: string) =>
          process.ask('listScoredLetters', () => postgres.listDeadLettersOfScored(after));
        const close = async (ids: readonly string[]) => {
          if (ids.length === 0) return;
          const effect = guarded(() => postgres.closeDeadLettersOfScored(ids));
          await process.ask('closeScoredLetters', effect);
        };
        return closeScoredLetters(list, close, signal);
      }),
  };
}
