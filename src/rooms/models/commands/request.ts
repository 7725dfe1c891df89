/** What every action of `risk models` is run with, and the options that it may be given. */
import type { CommandContext, parseArguments } from '../../../kit/command/command.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { TRAIN_OPTIONS } from './train-options.ts';

export const OPTIONS = {
  manifest: { type: 'string' },
  name: { type: 'string' },
  out: { type: 'string' },
  corridor: { type: 'string' },
  to: { type: 'string' },
  reason: { type: 'string' },
  now: { type: 'boolean' },
  at: { type: 'string' },
  ...TRAIN_OPTIONS,
} as const;

export type Request = {
  readonly words: readonly string[];
  readonly options: ReturnType<typeof parseArguments<typeof OPTIONS>>['values'];
  readonly database: Database;
  readonly context: CommandContext;
};
