/** `--consistency-token TOKEN` of commands that read: the token of a write that their rows have to include. */
import { VISIBLE_ASCII } from '../words/visible-ascii.ts';
import { UsageError } from './command.ts';

export function tokenOption(token: string | undefined): string | undefined {
  if (token === undefined || VISIBLE_ASCII.test(token)) return token;
  throw new UsageError('--consistency-token must be visible ASCII characters');
}
