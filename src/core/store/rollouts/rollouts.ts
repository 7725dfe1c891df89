/**
 * Proposals and rollouts of models and of rule sets: appended, never changed; the newest row of a subject in a corridor holds.
 * A row is of a model or of a rule set.
 */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Actor, ENGINE, engineOf, type Officer } from '../../../kit/words/principal.ts';
import {
  holdingText,
  type LoggedRollout,
  type ProposedHolding,
  type Rollout,
} from '../../score/rollout/holding.ts';
import {
  holdingsIn,
  PROPOSAL_MS_MAX,
  planLapses,
  planRemoval,
} from '../../score/rollout/plan-rollout.ts';
import { isoTime } from '../partitions/month-slice.ts';
import { forgetCounts } from './rollout-counts.ts';

type Queries = Pick<Database, 'query'>;

export type NewProposal = ProposedHolding & {
  readonly subject: string;
  /** A corridor or ALL_CORRIDORS. */
  readonly corridor: string;
};
export type StoredProposal = NewProposal & {
  readonly proposed_by: string;
  readonly proposed_by_key: string;
  readonly proposal_id: string;
  readonly proposed_at: string;
  /** Why it goes on before the dwell time and the gates of its stage, or one person acted alone; null: neither. */
  readonly reason: string | null;
  readonly isApproved: boolean;
};

export type StoredRollout = LoggedRollout & {
  readonly proposed_by: string;
  readonly approved_by: string | null;
  /** Why the engine rolled back, one person acted alone, or two went on before the end of a stage; else null. */
  readonly reason: string | null;
  /** When an emergency ends; null for every other row. */
  readonly ends_at: string | null;
  readonly created_at: string;
};

/** Far more rows than people will decide in decades. */
const ROLLOUTS_MAX = 100_000;
/** Open proposals that are shown, newest first. */
const PROPOSALS_MAX = 50;

const BY_ENGINE = { proposalId: null, proposedBy: ENGINE, approvedBy: null };
const LAPSED = 'an emergency that nobody confirmed within its day';

/** A kind of what is rolled out has its noun, and the column of its subject. */
function kindOf(noun: string, column: 'model_id' | 'rule_set') {
  const proposals = `
    select p.*, exists (select from market.rollouts r
                         where r.proposal_id = p.proposal_id and r.cause = 'approval') as "isApproved"
      from (select proposal_id, ${column} as subject, corridor, state, canary_percent,
                   proposed_by, proposed_by_key, ${timeText('proposed_at')} as proposed_at, reason
              from market.rollout_proposals where ${column} is not null) p`;
  const nameOf = (verb: string, what = 'rollouts') =>
    `${verb}-${what}-of-${noun.replace(' ', '-')}s`;
  return {
    noun,
    column,
    insertProposal: onlyOf<
      { proposal_id: string },
      [
        ...content: [string, string, string, number],
        by: string,
        key: string | null,
        reason?: string,
      ]
    >(
      nameOf('insert', 'proposal'),
      `insert into market.rollout_proposals (${column}, corridor, state, canary_percent, proposed_by, proposed_by_key, reason)
       values ($1, $2, $3, $4, $5, $6, $7) returning proposal_id`,
    ),
    findProposal: firstOf<StoredProposal, [proposalId: string]>(
      nameOf('find', 'proposal'),
      `${proposals} where p.proposal_id = $1`,
    ),
    listOpen: rowsOf<StoredProposal, [subject: string | null, since: string, rowsMax: number]>(
      nameOf('list-open', 'proposals'),
      `select * from (${proposals}) p where ($1::text is null or subject = $1) and proposed_at >= $2 and not "isApproved"
          and exists (select from market.identities where identity = p.proposed_by and revoked_at is null)
        order by proposal_id desc limit $3`,
    ),
    /**
     * An expression: version of the log, which changes when a row is appended or an emergency ends; null for an empty log. Rows
     * are appended one decision at a time, so the largest id is the newest.
     */
    mark: `(select max(rollout_id) || coalesce('+' || nullif((select count(*) from market.rollouts where ends_at <= now()), 0), '')
              from market.rollouts where ${column} is not null)`,
    list: rowsOf<StoredRollout, [rowsMax: number]>(
      nameOf('read'),
      `select corridor, ${column} as subject, state, canary_percent, cause, proposal_id, proposed_by, approved_by,
              reason, ${timeText('created_at')} as created_at, ${timeText('ends_at')} as ends_at,
              coalesce(ends_at <= now(), false) as "hasLapsed"
         from market.rollouts where ${column} is not null order by rollout_id limit $1`,
    ),
    /** Decisions wait for each other: nobody else appends between a reading and its rows. */
    lock: rowsOf(nameOf('lock'), `lock table market.rollouts in share row exclusive mode`),
    append: rowsOf<object, [rows: string, proposalId: string | null, ...by: (string | null)[]]>(
      nameOf('append'),
      `insert into market.rollouts (corridor, ${column}, state, canary_percent, cause, proposal_id, proposed_by,
           approved_by, reason, decided_by_key, ends_at)
       select r.corridor, r.subject, r.state, r.canary_percent, r.cause,
              case when r.cause in ('approval', 'emergency') then $2::bigint end, $3, $4, $5, $6,
              case r.cause when 'emergency' then now() + interval '1 day' end
         from jsonb_to_recordset($1::jsonb)
              as r (corridor text, subject text, state text, canary_percent smallint, cause text)`,
    ),
  };
}
export type RolloutKind = ReturnType<typeof kindOf>;

export const MODELS = kindOf('model', 'model_id');
export const RULE_SETS = kindOf('rule set', 'rule_set');

/** @returns the id of the proposal, which its approval names */
export async function insertProposal(
  kind: RolloutKind,
  query: Query,
  proposal: NewProposal,
  by: Officer,
  reason?: string,
): Promise<string> {
  const { subject, corridor, ...to } = proposal;
  const content = [subject, corridor, to.state, to.canary_percent] as const;
  const values = [...content, by.name, by.keyId, reason] as const;
  const { proposal_id: id } = await kind.insertProposal(query, ...values);
  const change = {
    action: 'rollout.propose',
    subject: kind === RULE_SETS ? subject : id,
    before: null,
    after: { [kind.column]: subject, corridor, ...to, reason: reason ?? null },
  } as const;
  await recordChange(query, by, change);
  return id;
}

/** Proposals that another person may approve: their proposers are not revoked. @param subject null: of all */
export const listOpenProposals = (kind: RolloutKind, { query }: Queries, subject: string | null) =>
  kind.listOpen(query, subject, isoTime(Date.now() - PROPOSAL_MS_MAX), PROPOSALS_MAX);

/** A proposal in the form of the API. */
export const toProposalJson = (proposal: StoredProposal) => ({
  proposal_id: proposal.proposal_id,
  corridor: proposal.corridor,
  to: holdingText(proposal),
  proposed_by: proposal.proposed_by,
  proposed_at: proposal.proposed_at,
  override: proposal.reason,
});

/** All rows, oldest first. */
export async function readRollouts(
  kind: RolloutKind,
  { query }: Queries,
): Promise<StoredRollout[]> {
  const rows = await kind.list(query, ROLLOUTS_MAX + 1);
  if (rows.length <= ROLLOUTS_MAX) return rows;
  const why = `more than ${ROLLOUTS_MAX} rollouts of ${kind.noun}s`;
  throw new Failure('permanent', 'ROLLOUTS_MAX', why);
}

export type Decision = {
  readonly rows: readonly Rollout[];
  /** Null for a rollback. */
  readonly proposalId: string | null;
  readonly proposedBy: string;
  readonly approvedBy: string | null;
  readonly by: Actor;
  readonly reason?: string | null;
};

/**
 * Appends the rows that `decide` returns for the log, one decision at a time: nobody else appends between its
 * read and its write. If `decide` throws, nothing is written.
 */
export async function decideRollouts(
  kind: RolloutKind,
  database: Pick<Database, 'transaction'>,
  decide: (log: readonly StoredRollout[], query: Query) => Promise<Decision>,
): Promise<Decision> {
  return await database.transaction(async (query) => {
    await kind.lock(query);
    const log = await readRollouts(kind, { query });
    const decision = await decide(log, query);
    const { rows, proposalId, proposedBy, approvedBy, by, reason = null } = decision;
    if (rows.length === 0) return decision;
    const names = [proposedBy, approvedBy, reason, by.keyId];
    await kind.append(query, JSON.stringify(rows), proposalId, ...names);
    // A subject that comes into force is judged by its decisions from then on: earlier failures may have taken the subject back.
    const coming = rows.filter(({ state, subject, corridor }) => {
      const was = holdingsIn(log, corridor).get(subject)?.state;
      const decides = (state: typeof was) => state === 'canary' || state === 'active';
      return decides(state) && !decides(was);
    });
    const of = (name: 'subject' | 'corridor') => coming.map((row) => row[name]);
    if (coming.length > 0) await forgetCounts(query, of('subject'), of('corridor'));
    await recordChange(query, by, changeOf(kind, log, decision));
    return decision;
  });
}

/** For the audit log; `before` holds the subjects' newest rows in the corridors of the decision. */
function changeOf(
  kind: RolloutKind,
  log: readonly StoredRollout[],
  { rows, proposalId, reason }: Decision,
) {
  const holdingOf = ({ corridor, subject, state, canary_percent }: Rollout) => ({
    corridor,
    [kind.column]: subject,
    state,
    canary_percent,
  });
  const before = rows.flatMap(
    ({ corridor, subject }) =>
      log.findLast((row) => row.corridor === corridor && row.subject === subject) ?? [],
  );
  const target = (proposalId === null ? rows[0] : rows.at(-1))?.subject ?? '';
  const isEmergency = rows.some(({ cause }) => cause === 'emergency');
  const decided = proposalId === null ? 'rollout.rollback' : 'rollout.approve';
  const corridors = [...new Set(rows.map(({ corridor }) => corridor))];
  return {
    action: isEmergency ? 'rollout.emergency' : decided,
    subject: kind === RULE_SETS ? target : (proposalId ?? corridors.join(' ')),
    before: { holdings: before.map(holdingOf) },
    after: { holdings: rows.map(holdingOf), reason: reason ?? null },
  } as const;
}

/**
 * The engine's own decisions: an emergency whose day is over ends, and what fails is taken back.
 * Reads the log of rollouts, and first appends the end of each emergency whose day is over.
 * @param process name of the process in the audit log
 */
export async function readSettledRollouts(
  kind: RolloutKind,
  database: Database,
  process: string,
): Promise<StoredRollout[]> {
  const log = await readRollouts(kind, database);
  if (planLapses(log).length === 0) return log;
  const by = engineOf(process);
  await decideRollouts(kind, database, async (current) => ({
    ...BY_ENGINE,
    rows: planLapses(current),
    by,
    reason: LAPSED,
  }));
  return await readRollouts(kind, database);
}

/** False where the subject no longer decides in the corridor: a person or another worker was faster. */
export async function takeBack(
  kind: RolloutKind,
  database: Database,
  process: string,
  {
    corridor,
    subject,
    why,
  }: { readonly corridor: string; readonly subject: string; readonly why: string },
): Promise<boolean> {
  const by = engineOf(process);
  const { rows } = await decideRollouts(kind, database, async (log) => ({
    ...BY_ENGINE,
    rows: planRemoval(log, corridor, subject),
    by,
    reason: why,
  }));
  return rows.length > 0;
}
