/** Options of `risk review`, and what each of its actions gets. */
import type { ActionRequest, ApiAction } from '../../../kit/command/api-action.ts';
import { type parseArguments, UsageError } from '../../../kit/command/command.ts';

export const OPTIONS = {
  priority: { type: 'string' },
  corridor: { type: 'string' },
  state: { type: 'string' },
  assignee: { type: 'string' },
  reason: { type: 'string' },
  note: { type: 'string' },
  officers: { type: 'string' },
  transactions: { type: 'string' },
  'auto-clear': { type: 'string' },
  'reviews-per-hour': { type: 'string' },
  growth: { type: 'string' },
  limit: { type: 'string' },
  url: { type: 'string' },
} as const;

export type Options = ReturnType<typeof parseArguments<typeof OPTIONS>>['values'];
export type Action = ApiAction<Options>;
export type Request = ActionRequest<Options>;

/** Why a step is done. */
export function reasonOf({ reason }: Options): string {
  if (reason === undefined) throw new UsageError('--reason is missing');
  return reason;
}
