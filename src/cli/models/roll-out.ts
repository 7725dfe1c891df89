/** `risk models promote`, `approve` and `rollback`: two people forward, one back. */
import { Failure } from '../../domain/failure.ts';
import { checkModel } from '../../models/registry/check-model.ts';
import {
  checkApproval,
  PROPOSED_STATES,
  type ProposedState,
  planPromotion,
  planRollback,
} from '../../models/rollout/rollout.ts';
import { listCorridors } from '../../store/corridors.ts';
import {
  type Decision,
  decideRollouts,
  findProposal,
  insertProposal,
  readRollouts,
  type StoredProposal,
} from '../../store/model-rollouts.ts';
import { readModel } from '../../store/models.ts';
import type { Query } from '../../store/pool.ts';
import { EXIT, UsageError } from '../command.ts';
import type { Request } from '../models.ts';
import { findKnown } from './find-known.ts';
import { readOfficer } from './officer.ts';
import { toText } from './rollout-rows.ts';

const ALL = 'all';

export async function promote({ words, options, database, context }: Request): Promise<number> {
  const to = readState(options.to);
  const corridor = readCorridor(options.corridor);
  const proposedBy = await readOfficer(database, context.config.RISK_API_KEY);
  const { model, modelId } = await findKnown(database, words[0]);
  const corridors = await corridorsOf(database, corridor);
  planPromotion(await readRollouts(database), corridors, { modelId, ...to });
  const proposal = { modelId, corridor, ...to, proposedBy };
  const proposalId = await insertProposal(database, proposal);
  context.output.value(
    { proposal_id: proposalId, model, corridor, to: toText(to), proposed_by: proposedBy },
    [
      `proposal ${proposalId}: ${model} to ${toText(to)} in ${corridor}`,
      `another risk officer puts it in force: risk models approve ${proposalId}`,
    ],
  );
  return EXIT.fine;
}

export async function approve({ words, database, context }: Request): Promise<number> {
  const approver = await readOfficer(database, context.config.RISK_API_KEY);
  const { modelId } = await findOpen(database, words[0]);
  // The version that approves may be another than the one that imported.
  const { artefact, manifest } = await readModel(database, modelId);
  checkModel(artefact, manifest);
  const decision = await decideRollouts(database, async (log, query) => {
    const proposal = await findOpen({ query }, words[0]);
    const { proposalId, proposedBy, proposedAt } = proposal;
    checkApproval({ ...proposal, proposedAtMs: proposedAt.getTime() }, approver, Date.now());
    const corridors = await corridorsOf({ query }, proposal.corridor);
    const rows = planPromotion(log, corridors, proposal);
    return { rows, proposalId, proposedBy, approvedBy: approver };
  });
  return report(context, decision);
}

export async function rollBack({ options, database, context }: Request): Promise<number> {
  const corridor = readCorridor(options.corridor);
  const proposedBy = await readOfficer(database, context.config.RISK_API_KEY);
  const decision = await decideRollouts(database, async (log, query) => {
    const rows = planRollback(log, await corridorsOf({ query }, corridor));
    return { rows, proposalId: null, proposedBy, approvedBy: null };
  });
  return report(context, decision);
}

function report({ output }: Request['context'], { rows }: Decision): number {
  output.table(
    [{ field: 'corridor' }, { field: 'to' }, { field: 'cause' }, { field: 'model_id' }],
    rows.map((row) => ({
      ...{ corridor: row.corridor, to: toText(row), cause: row.cause, model_id: row.modelId },
    })),
  );
  return EXIT.fine;
}

async function findOpen(database: { query: Query }, id = ''): Promise<StoredProposal> {
  const proposal = /^\d{1,18}$/.test(id) ? await findProposal(database, id) : undefined;
  if (proposal !== undefined) return proposal;
  throw new Failure('not-found', 'PROPOSAL_UNKNOWN', `there is no proposal ${id}`);
}

/** A corridor that is added later has no models until they are promoted there. */
async function corridorsOf(database: { query: Query }, corridor: string): Promise<string[]> {
  const known = await listCorridors(database);
  if (corridor === ALL) return known;
  if (known.includes(corridor)) return [corridor];
  throw new Failure('not-found', 'CORRIDOR_UNKNOWN', `there is no corridor ${corridor}`);
}

function readCorridor(text: string | undefined): string {
  if (text === undefined) throw new UsageError('--corridor is missing: a corridor, or all');
  return text;
}

function readState(text: string | undefined): { state: ProposedState; canaryPercent: number } {
  const [, name, percent] = /^([a-z]+)(?::([1-9]\d?))?$/.exec(text ?? '') ?? [];
  const state = PROPOSED_STATES.find((known) => known === name);
  if (state === undefined || (state === 'canary') !== (percent !== undefined)) {
    throw new UsageError('--to is shadow, canary:N with N from 1 to 99, or active');
  }
  return { state, canaryPercent: Number(percent ?? 0) };
}
