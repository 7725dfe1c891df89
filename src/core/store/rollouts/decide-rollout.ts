/**
 * Decisions of people about models and rule sets: two people promote, one person rolls back, and in an emergency one person acts
 * alone for a day. Every function throws a Failure for what may not be done now.
 */
import { holdPerson, refuseShared, refuseStale } from '../../../kit/access/identities.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import type { ProposedHolding, Rollout } from '../../score/rollout/holding.ts';
import {
  checkApproval,
  planConfirmation,
  planEmergency,
  planPromotion,
  planRollback,
} from '../../score/rollout/plan-rollout.ts';
import {
  lookAt,
  type Progress,
  progressOf,
  type StageJson,
  stageBefore,
  stageNumbered,
} from '../../score/rollout/stages.ts';
import { corridorsNamed, listCorridors } from '../transactions/transactions.ts';
import { readCounts } from './rollout-counts.ts';
import {
  type Decision,
  decideRollouts,
  insertProposal,
  type RolloutKind,
  readSettledRollouts,
  type StoredProposal,
  type StoredRollout,
} from './rollouts.ts';

export type Promotion = {
  readonly subject: string;
  /** A corridor or ALL_CORRIDORS. */
  readonly corridor: string;
  readonly to: ProposedHolding;
  /** Why it goes on before the dwell time and the gates of its stage. */
  readonly override?: string | undefined;
  readonly by: Officer;
};

type Queries = Pick<Database, 'query'>;

/** @returns the id of the proposal */
export async function proposeRollout(
  kind: RolloutKind,
  database: Database,
  { subject, corridor, to, override, by }: Promotion,
): Promise<string> {
  const corridors = await corridorsNamed(database, corridor);
  const log = await readSettledRollouts(kind, database, by.request);
  const rows = planPromotion(log, corridors, { subject, ...to }, kind.noun);
  if (override === undefined) await refuseEarly(database.query, log, rows, subject);
  return await database.transaction(async (query) => {
    await refuseStale({ query }, by.keyId);
    return await insertProposal(kind, query, { subject, corridor, ...to }, by, override);
  });
}

/** @param check throws where the subject may not be rolled out now */
export async function approveRollout(
  kind: RolloutKind,
  database: Database,
  id: string,
  by: Officer,
  check: (query: Query, subject: string) => Promise<unknown> = async () => undefined,
): Promise<Decision> {
  await readSettledRollouts(kind, database, by.request);
  return await decideRollouts(kind, database, async (log, query) => {
    const proposal = await findProposal(kind, query, id);
    const { proposed_by: proposedBy, proposal_id: proposalId } = proposal;
    await check(query, proposal.subject);
    checkApproval(proposal, by.name, Date.now());
    const isEmergency = log.some(
      (row) => row.proposal_id === proposalId && row.cause === 'emergency',
    );
    if (!isEmergency && !(await holdPerson(query, proposedBy))) {
      const why = `${proposedBy} proposed it and is revoked: propose it again`;
      throw new Failure('conflict', 'ROLLOUT_REFUSED', why);
    }
    await refuseShared({ query }, proposal.proposed_by_key, by.keyId, 'approve');
    const corridors = await corridorsNamed({ query }, proposal.corridor);
    const rows = isEmergency
      ? planConfirmation(log, proposalId)
      : planPromotion(log, corridors, proposal, kind.noun);
    const { reason, subject } = proposal;
    if (reason === null && !isEmergency) await refuseEarly(query, log, rows, subject);
    return { rows, proposalId, proposedBy, approvedBy: by.name, by, reason };
  });
}

/** Puts a subject in force for a day, and makes the proposal that another person may approve. */
export async function actAlone(
  kind: RolloutKind,
  database: Database,
  { subject, corridor, to, by }: Promotion,
  reason: string,
): Promise<Decision> {
  await readSettledRollouts(kind, database, by.request);
  return await decideRollouts(kind, database, async (log, query) => {
    await refuseStale({ query }, by.keyId);
    const corridors = await corridorsNamed({ query }, corridor);
    const rows = planEmergency(log, corridors, { subject, ...to }, kind.noun);
    const proposal = { subject, corridor, ...to };
    const proposalId = await insertProposal(kind, query, proposal, by, reason);
    return { rows, proposalId, proposedBy: by.name, approvedBy: null, by, reason };
  });
}

/** @param subject undefined: the newest decision of each corridor */
export async function rollBack(
  kind: RolloutKind,
  database: Database,
  corridor: string,
  by: Officer,
  subject?: string,
): Promise<Decision> {
  await readSettledRollouts(kind, database, by.request);
  return await decideRollouts(kind, database, async (log, query) => {
    await refuseStale({ query }, by.keyId);
    const rows = planRollback(log, await corridorsNamed({ query }, corridor), subject);
    return { rows, proposalId: null, proposedBy: by.name, approvedBy: null, by };
  });
}

/** @throws Failure `PROPOSAL_UNKNOWN` */
export async function findProposal(
  kind: RolloutKind,
  query: Query,
  id: string,
): Promise<StoredProposal> {
  const proposal = /^\d{1,18}$/.test(id) ? await kind.findProposal(query, id) : undefined;
  if (proposal !== undefined) return proposal;
  throw new Failure('not-found', 'PROPOSAL_UNKNOWN', `there is no proposal '${id}'`);
}

async function lookAtStage(
  { query }: Queries,
  subject: string,
  { deciding, since }: Progress,
  number: number,
) {
  const stage = stageNumbered(number);
  if (stage === undefined) return undefined;
  const start = since[number] ?? null;
  const counts =
    start === null ? [] : await readCounts(query, subject, [...deciding.keys()], start);
  return lookAt(stage, start, counts, Date.now());
}

/**
 * The stage of what is rolled out, by the log and by how it did, and the refusal of what comes before its time.
 * Null where a subject decides nothing.
 */
export async function readStage(
  database: Queries,
  log: readonly StoredRollout[],
  subject: string,
): Promise<StageJson | null> {
  const progress = progressOf(log, subject, await listCorridors(database));
  const since = progress.since[progress.stage];
  if (progress.stage === 0 || since == null) return null;
  const found = await lookAtStage(database, subject, progress, progress.stage);
  return {
    stage: stageNumbered(progress.stage)?.stage ?? 'all',
    since,
    ...(found ?? { ends_at: null, gates: [], refusal: null }),
  };
}

/** @throws Failure `ROLLOUT_REFUSED` where the stage before those rows was too short, or a gate of the stage does not hold */
async function refuseEarly(
  query: Query,
  log: readonly StoredRollout[],
  rows: readonly Rollout[],
  subject: string,
): Promise<void> {
  const progress = progressOf(log, subject, await listCorridors({ query }));
  const before = stageBefore(progress, rows, subject);
  if (before === undefined) return;
  const found = await lookAtStage({ query }, subject, progress, before);
  if (found === undefined || found.refusal === null) return;
  const why = `${found.refusal}. An override with a reason, approved by another person, goes on all the same`;
  throw new Failure('conflict', 'ROLLOUT_REFUSED', why);
}
