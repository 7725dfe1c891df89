/** `risk models promote`, `approve`, `emergency` and `rollback`. */
import { EXIT, UsageError } from '../../../kit/command/command.ts';
import {
  ALL_CORRIDORS,
  type DecidedRolloutsJson,
  holdingText,
  type ProposedHolding,
  readHolding,
  reasonText,
} from '../model-record.ts';
import {
  actAlone,
  approveRollout,
  proposeRollout,
  takeRolloutBack,
} from '../rollout/decide-rollout.ts';
import { readOfficer } from './officer.ts';
import type { Request } from './request.ts';

export async function promote(request: Request): Promise<number> {
  const promotion = await readPromotion(request, 'promote');
  const { model, proposal } = await proposeRollout(request.database, promotion);
  const { proposal_id: id, corridor, to, proposed_by } = proposal;
  request.context.output.value({ proposal_id: id, model, corridor, to, proposed_by }, [
    `proposal ${id}: ${model} to ${to} in ${corridor}`,
    `another risk officer puts it in force: risk models approve ${id}`,
  ]);
  return EXIT.fine;
}

export async function emergency(request: Request): Promise<number> {
  const reason = reasonText.safeParse(request.options.reason);
  if (!reason.success) throw new UsageError('--reason says why it cannot wait');
  const promotion = await readPromotion(request, 'emergency');
  const decided = await actAlone(request.database, promotion, reason.data);
  request.context.output.value(decided, [
    `in force for a day: ${holdingText(promotion.to)} in ${promotion.corridor}`,
    `it ends by itself unless another risk officer confirms it: risk models approve ${decided.proposal_id}`,
  ]);
  return EXIT.fine;
}

export async function approve(request: Request): Promise<number> {
  const { words, database } = request;
  const by = await readOfficer(request, 'approve');
  return report(request, await approveRollout(database, words[0] ?? '', by));
}

export async function rollBack(request: Request): Promise<number> {
  const corridor = readCorridor(request);
  const by = await readOfficer(request, 'rollback');
  return report(request, await takeRolloutBack(request.database, corridor, by));
}

function report({ context }: Request, { items }: DecidedRolloutsJson): number {
  const columns = ['corridor', 'to', 'cause', 'model_id'].map((field) => ({ field }));
  context.output.table(columns, items);
  return EXIT.fine;
}

async function readPromotion(request: Request, action: string) {
  const to = readTo(request);
  const corridor = readCorridor(request);
  const by = await readOfficer(request, action);
  return { reference: request.words[0] ?? '', corridor, to, by };
}

function readTo({ options: { to: text = '' } }: Request): ProposedHolding {
  const to = readHolding(text);
  if (to !== undefined) return to;
  throw new UsageError(
    `--to must be shadow, canary:N with N from 1 to 99, or active, not '${text}'`,
  );
}

function readCorridor({ options: { corridor } }: Request): string {
  if (corridor !== undefined) return corridor;
  throw new UsageError(`--corridor is missing: a corridor, or ${ALL_CORRIDORS}`);
}
