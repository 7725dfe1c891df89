/**
 * Decisions of people about models and rule sets: two people promote, one person rolls back, and in an emergency one person acts
 * alone for a day. Every function throws a Failure for what may not be done now.
 */
import { z } from 'zod';
import { refuseStale } from '../../../kit/access/identities.ts';
import type { Approval } from '../../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../../kit/approvals/approvals.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import {
  holdingText,
  PROPOSED_STATES,
  type ProposedHolding,
  type Rollout,
} from '../../score/rollout/holding.ts';
import {
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
  decideIn,
  decideRollouts,
  type RolloutKind,
  readSettledRollouts,
  type StoredRollout,
} from './rollouts.ts';

export type Promotion = {
  readonly subject: string;
  /** The subject as people name it. */
  readonly name: string;
  /** A corridor or ALL_CORRIDORS. */
  readonly corridor: string;
  readonly to: ProposedHolding;
  /** Why it goes on before the dwell time and the gates of its stage. */
  readonly override?: string | undefined;
  readonly by: Officer;
};

type Queries = Pick<Database, 'query'>;

const askedSchema = z.object({
  corridor: z.string(),
  state: z.enum(PROPOSED_STATES),
  canary_percent: z.int(),
});

const askedOf = (kind: RolloutKind, { subject, name, corridor, to }: Promotion) => ({
  kind: kind.approvals,
  subject: `${name} ${corridor}`,
  detail: { [kind.column]: subject, corridor, ...to, to: holdingText(to) },
});

export async function proposeRollout(
  kind: RolloutKind,
  database: Database,
  promotion: Promotion,
): Promise<Approval> {
  const { subject, corridor, to, override, by } = promotion;
  const corridors = await corridorsNamed(database, corridor);
  const log = await readSettledRollouts(kind, database, by.request);
  const rows = planPromotion(log, corridors, { subject, ...to }, kind.noun);
  if (override === undefined) await refuseEarly(database.query, log, rows, subject);
  return await database.transaction(async (query) => {
    await refuseStale({ query }, by.keyId);
    return await propose(query, { ...askedOf(kind, promotion), reason: override }, by);
  });
}

/**
 * Puts in force what another person confirms.
 * @param check throws where the subject may not be rolled out now
 */
export const executeRollout =
  (
    kind: RolloutKind,
    check: (query: Query, subject: string) => Promise<unknown>,
  ): Execute<unknown> =>
  async (query, { detail, reason, approval_id: approvalId, proposed_by: proposedBy }, by) => {
    const subject = String(detail[kind.column]);
    const asked = { ...askedSchema.parse(detail), subject };
    await check(query, subject);
    const { rows } = await decideIn(kind, query, async (log) => {
      const isEmergency = log.some(
        (row) => row.approval_id === approvalId && row.cause === 'emergency',
      );
      const rows = isEmergency
        ? planConfirmation(log, approvalId)
        : planPromotion(log, await corridorsNamed({ query }, asked.corridor), asked, kind.noun);
      if (reason === null) await refuseEarly(query, log, rows, subject);
      return { rows, approvalId, proposedBy, by, reason };
    });
    return decidedOf(kind, rows);
  };

/** The rows that a decision appended, in the form of the API. */
export const decidedOf = ({ column }: RolloutKind, rows: readonly Rollout[]) => ({
  items: rows.map((row) => ({
    corridor: row.corridor,
    to: holdingText(row),
    cause: row.cause,
    [column]: row.subject,
  })),
});

/** Puts a subject in force for a day, and proposes what another person may confirm. */
export async function actAlone(
  kind: RolloutKind,
  database: Database,
  promotion: Promotion,
  reason: string,
): Promise<Decision> {
  const { subject, corridor, to, by } = promotion;
  return await decideRollouts(kind, database, async (log, query) => {
    await refuseStale({ query }, by.keyId);
    const corridors = await corridorsNamed({ query }, corridor);
    const rows = planEmergency(log, corridors, { subject, ...to }, kind.noun);
    const asked = askedOf(kind, promotion);
    const emergency = { ...asked, subject: `${asked.subject} emergency`, reason };
    const { approval_id: approvalId } = await propose(query, emergency, by);
    return { rows, approvalId, proposedBy: by.name, by, reason };
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
  return await decideRollouts(kind, database, async (log, query) => {
    await refuseStale({ query }, by.keyId);
    const rows = planRollback(log, await corridorsNamed({ query }, corridor), subject);
    return { rows, approvalId: null, proposedBy: by.name, by };
  });
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
  const why = `${found.refusal}. An override with a reason, confirmed by another person, goes on all the same`;
  throw new Failure('conflict', 'ROLLOUT_REFUSED', why);
}
