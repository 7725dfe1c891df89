/** `risk models promote`, `approve` and `rollback`. */
import {
  ALL_CORRIDORS,
  type ProposedHolding,
  readHolding,
  reasonText,
} from '../../../core/domain/model-record.ts';
import type { Decision } from '../../../core/store/models/model-rollouts.ts';
import { EXIT, UsageError } from '../../../kit/command/command.ts';
import {
  actAlone,
  approveRollout,
  proposeRollout,
  takeRolloutBack,
} from '../change/decide-rollout.ts';
import { toDecidedRows, toText } from '../change/rollout-rows.ts';
import { readOfficer } from './officer.ts';
import type { Request } from './request.ts';

export async function promote({ words, options, database, context }: Request): Promise<number> {
  const to = readTo(options.to);
  const corridor = readCorridor(options.corridor);
  const by = await readOfficer(database, context.config.RISK_API_KEY, 'risk models promote');
  const promotion = { reference: words[0] ?? '', corridor, to, by };
  const { proposalId, model } = await proposeRollout(database, promotion);
  context.output.value(
    { proposal_id: proposalId, model, corridor, to: toText(to), proposed_by: by.name },
    [
      `proposal ${proposalId}: ${model} to ${toText(to)} in ${corridor}`,
      `another risk officer puts it in force: risk models approve ${proposalId}`,
    ],
  );
  return EXIT.fine;
}

export async function emergency({ words, options, database, context }: Request): Promise<number> {
  const to = readTo(options.to);
  const corridor = readCorridor(options.corridor);
  const reason = reasonText.safeParse(options.reason);
  if (!reason.success) throw new UsageError('--reason says why it cannot wait');
  const by = await readOfficer(database, context.config.RISK_API_KEY, 'risk models emergency');
  const promotion = { reference: words[0] ?? '', corridor, to, by };
  const decision = await actAlone(database, promotion, reason.data);
  const { proposalId } = decision;
  context.output.value({ proposal_id: proposalId, items: toDecidedRows(decision) }, [
    `in force for a day: ${toText(to)} in ${corridor}`,
    `it ends by itself unless another risk officer confirms it: risk models approve ${proposalId}`,
  ]);
  return EXIT.fine;
}

export async function approve({ words, database, context }: Request): Promise<number> {
  const by = await readOfficer(database, context.config.RISK_API_KEY, 'risk models approve');
  return report(context, await approveRollout(database, words[0] ?? '', by));
}

export async function rollBack({ options, database, context }: Request): Promise<number> {
  const corridor = readCorridor(options.corridor);
  const by = await readOfficer(database, context.config.RISK_API_KEY, 'risk models rollback');
  return report(context, await takeRolloutBack(database, corridor, by));
}

function report({ output }: Request['context'], decision: Decision): number {
  output.table(
    [{ field: 'corridor' }, { field: 'to' }, { field: 'cause' }, { field: 'model_id' }],
    toDecidedRows(decision),
  );
  return EXIT.fine;
}

function readTo(text = ''): ProposedHolding {
  const to = readHolding(text);
  if (to !== undefined) return to;
  throw new UsageError(
    `--to must be shadow, canary:N with N from 1 to 99, or active, not '${text}'`,
  );
}

function readCorridor(text: string | undefined): string {
  if (text === undefined)
    throw new UsageError(`--corridor is missing: a corridor, or ${ALL_CORRIDORS}`);
  return text;
}
