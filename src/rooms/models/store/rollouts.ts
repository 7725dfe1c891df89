/** Proposals and rollouts of models: appended, never changed; the newest row of a model in a corridor holds. */

import type {
  LoggedRollout,
  ProposedHolding,
  Rollout,
} from '../../../core/score/rollout/holding.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Actor, Officer } from '../../../kit/words/principal.ts';

type Queries = Pick<Database, 'query'>;

type NewProposal = ProposedHolding & {
  readonly subject: string;
  /** A corridor or ALL_CORRIDORS. */
  readonly corridor: string;
};
export type StoredProposal = NewProposal & {
  readonly proposedBy: string;
  /** Null for a proposal that was made before keys were recorded. */
  readonly proposedByKey: string | null;
  readonly proposalId: string;
  readonly proposedAt: Date;
  readonly isApproved: boolean;
};

export type StoredRollout = LoggedRollout & {
  readonly proposedBy: string;
  readonly approvedBy: string | null;
  /** Why the engine rolled back, or one person acted alone; null for a decision of two people. */
  readonly reason: string | null;
  /** When an emergency ends; null for every other row. */
  readonly endsAt: Date | null;
  readonly createdAt: Date;
};

/** Far more rows than people will decide in decades. */
const ROLLOUTS_MAX = 100_000;
/** Open proposals that are shown, newest first. */
const PROPOSALS_MAX = 50;

const insertProposalStatement: Statement = {
  name: 'insert-model-proposal',
  text: `insert into market.model_proposals (model_id, corridor, state, canary_percent, proposed_by, proposed_by_key)
         values ($1, $2, $3, $4, $5, $6) returning proposal_id as "proposalId"`,
};

/** @returns the id of the proposal, which its approval names */
export async function insertProposal(
  query: Query,
  proposal: NewProposal,
  by: Officer,
): Promise<string> {
  const { subject: modelId, ...rest } = proposal;
  const values = [modelId, rest.corridor, rest.state, rest.canaryPercent, by.name, by.keyId];
  const rows = await query<{ proposalId: string }>(insertProposalStatement, values);
  const subject = rows[0]?.proposalId ?? '';
  const change = {
    action: 'rollout.propose',
    subject,
    before: null,
    after: { modelId, ...rest },
  } as const;
  await recordChange(query, by, change);
  return subject;
}

const PROPOSALS = `
    select p.*, exists (select from market.model_rollouts r
                         where r.proposal_id = p."proposalId" and r.cause = 'approval') as "isApproved"
      from (select proposal_id as "proposalId", model_id as "subject", corridor, state, canary_percent as "canaryPercent",
                   proposed_by as "proposedBy", proposed_by_key as "proposedByKey", proposed_at as "proposedAt"
              from market.model_proposals) p`;

const findProposalStatement: Statement = {
  name: 'find-model-proposal',
  text: `${PROPOSALS} where "proposalId" = $1`,
};

export async function findProposal(
  database: Queries,
  proposalId: string,
): Promise<StoredProposal | undefined> {
  const [row] = await database.query<StoredProposal>(findProposalStatement, [proposalId]);
  return row;
}

const listOpenStatement: Statement = {
  name: 'list-open-model-proposals',
  text: `select * from (${PROPOSALS}) p where ($1::text is null or "subject" = $1) and "proposedAt" >= $2 and not "isApproved"
            and exists (select from market.identities where identity = "proposedBy" and revoked_at is null)
          order by "proposalId" desc limit $3`,
};

/** Proposals made since a time that are not approved and whose proposers are not revoked. @param subject null: of all models */
export async function listOpenProposals(
  database: Queries,
  subject: string | null,
  sinceMs: number,
): Promise<StoredProposal[]> {
  const values = [subject, new Date(sinceMs), PROPOSALS_MAX];
  return await database.query<StoredProposal>(listOpenStatement, values);
}

const newestStatement: Statement = {
  name: 'read-newest-model-rollout',
  text: `select max(rollout_id) || coalesce('+' || nullif((select count(*) from market.model_rollouts where ends_at <= now()), 0), '')
                as newest
           from market.model_rollouts`,
};

/**
 * Version of the log: it changes when a row is appended or an emergency ends; null for an empty log. Rows are appended one
 * decision at a time, so the largest id is the newest.
 */
export async function readNewestRollout(database: Queries): Promise<string | null> {
  const [row] = await database.query<{ newest: string | null }>(newestStatement);
  return row?.newest ?? null;
}

const readStatement: Statement = {
  name: 'read-model-rollouts',
  text: `select corridor, model_id as "subject", state, canary_percent as "canaryPercent", cause,
                proposal_id as "proposalId", proposed_by as "proposedBy", approved_by as "approvedBy",
                reason, created_at as "createdAt", ends_at as "endsAt",
                coalesce(ends_at <= now(), false) as "hasLapsed"
           from market.model_rollouts order by rollout_id limit $1`,
};

/** All rows, oldest first. */
export async function readRollouts(database: Queries): Promise<StoredRollout[]> {
  const rows = await database.query<StoredRollout>(readStatement, [ROLLOUTS_MAX + 1]);
  if (rows.length <= ROLLOUTS_MAX) return rows;
  const why = `more than ${ROLLOUTS_MAX} rows of model_rollouts`;
  throw new Failure('permanent', 'ROLLOUTS_MAX', why);
}

const lockStatement: Statement = {
  name: 'lock-model-rollouts',
  text: 'lock table market.model_rollouts in share row exclusive mode',
};
const appendStatement: Statement = {
  name: 'append-model-rollouts',
  text: `insert into market.model_rollouts (corridor, model_id, state, canary_percent, cause, proposal_id, proposed_by,
             approved_by, reason, decided_by_key, ends_at)
         select r.corridor, r."subject", r.state, r."canaryPercent", r.cause,
                case when r.cause in ('approval', 'emergency') then $2::bigint end, $3, $4, $5, $6,
                case r.cause when 'emergency' then now() + interval '1 day' end
           from jsonb_to_recordset($1::jsonb)
                as r (corridor text, "subject" text, state text, "canaryPercent" smallint, cause text)`,
};

export type Decision = {
  readonly rows: readonly Rollout[];
  /** Null for a rollback. */
  readonly proposalId: string | null;
  readonly proposedBy: string;
  readonly approvedBy: string | null;
  readonly by: Actor;
  readonly reason?: string;
};

/**
 * Appends the rows that `decide` returns for the log, one decision at a time: nobody else appends between its
 * read and its write. If `decide` throws, nothing is written.
 */
export async function decideRollouts(
  database: Database,
  decide: (log: readonly StoredRollout[], query: Query) => Promise<Decision>,
): Promise<Decision> {
  return await database.transaction(async (query) => {
    await query(lockStatement);
    const log = await readRollouts({ query });
    const decision = await decide(log, query);
    const { rows, proposalId, proposedBy, approvedBy, by, reason = null } = decision;
    if (rows.length === 0) return decision;
    const names = [proposedBy, approvedBy, reason, by.keyId];
    await query(appendStatement, [JSON.stringify(rows), proposalId, ...names]);
    await recordChange(query, by, changeOf(log, decision));
    return decision;
  });
}

/** For the audit log; `before` holds the models' newest rows in the corridors of the decision. */
function changeOf(log: readonly StoredRollout[], { rows, proposalId, reason }: Decision) {
  const holdingOf = ({ corridor, subject, state, canaryPercent }: Rollout) => ({
    corridor,
    model_id: subject,
    state,
    canary_percent: canaryPercent,
  });
  const before = rows.flatMap(
    ({ corridor, subject }) =>
      log.findLast((row) => row.corridor === corridor && row.subject === subject) ?? [],
  );
  const isEmergency = rows.some(({ cause }) => cause === 'emergency');
  const decided = proposalId === null ? 'rollout.rollback' : 'rollout.approve';
  const corridors = [...new Set(rows.map(({ corridor }) => corridor))];
  return {
    action: isEmergency ? 'rollout.emergency' : decided,
    subject: proposalId ?? corridors.join(' '),
    before: { holdings: before.map(holdingOf) },
    after: { holdings: rows.map(holdingOf), reason: reason ?? null },
  } as const;
}
