/** Rows of rule sets, with the proposals and rollouts of people. Triggers refuse a changed source and an approval by one person. */
import type { Rollout } from '../../core/score/rollout/holding.ts';
import { firstOf, onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { ProposedRollout } from './rule-set-record.ts';

export type StoredRuleSet = {
  readonly ruleSet: string;
  readonly state: 'draft' | 'submitted' | 'approved' | 'retired';
  /** Ascends by one a change of the row. */
  readonly version: string;
  readonly sha256: string;
  /** Canonical JSON. */
  readonly source: string;
  readonly author: string;
  readonly authorKey: string;
  readonly createdAt: Date;
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
};

const COLUMNS = `rule_set as "ruleSet", state, version::text, sha256, source, author, author_key as "authorKey",
  created_at as "createdAt", approved_by as "approvedBy", approved_at as "approvedAt"`;

export const findRow = firstOf<StoredRuleSet, [ruleSet: string]>(
  'find-rule-set',
  `select ${COLUMNS} from market.rule_sets where rule_set = $1`,
);
/** Other changes of the row wait until the database transaction has ended. */
export const lockRow = firstOf<StoredRuleSet, [ruleSet: string]>(
  'lock-rule-set',
  `select ${COLUMNS} from market.rule_sets where rule_set = $1 for update`,
);
export const listRows = rowsOf<StoredRuleSet, [rowsMax: number]>(
  'list-rule-sets',
  `select ${COLUMNS} from market.rule_sets order by created_at desc, rule_set limit $1`,
);
export const countRows = onlyOf<{ count: number }>(
  'count-rule-sets',
  'select count(*)::int as count from market.rule_sets',
);

type Written = [ruleSet: string, sha256: string, source: string];
/** Undefined where the name is taken. */
export const insertRow = firstOf<StoredRuleSet, [...Written, author: string, authorKey: string]>(
  'insert-rule-set',
  `insert into market.rule_sets (rule_set, sha256, source, author, author_key) values ($1, $2, $3, $4, $5)
   on conflict (rule_set) do nothing returning ${COLUMNS}`,
);

const change = <Given extends unknown[] = []>(name: string, set: string) =>
  onlyOf<StoredRuleSet, [ruleSet: string, ...Given]>(
    name,
    `update market.rule_sets set ${set}, version = version + 1, changed_at = now() where rule_set = $1 returning ${COLUMNS}`,
  );
export const writeDraft = change<[sha256: string, source: string]>(
  'write-rule-set-draft',
  'sha256 = $2, source = $3',
);
export const writeSubmitted = change(
  'submit-rule-set',
  `state = 'submitted', submitted_at = now()`,
);
export const writeApproved = change<[by: string, key: string]>(
  'approve-rule-set',
  `state = 'approved', approved_by = $2, approved_by_key = $3, approved_at = now()`,
);
export const writeRetired = change<[by: string]>(
  'retire-rule-set',
  `state = 'retired', retired_by = $2, retired_at = now()`,
);

/** Decisions about rollouts wait for each other: nobody else appends between a reading and its rows. */
export const lockRollouts = rowsOf(
  'lock-rule-set-rollouts',
  'lock table market.rule_set_rollouts in share row exclusive mode',
);

export type StoredProposal = ProposedRollout & {
  readonly proposalId: string;
  readonly proposedBy: string;
  readonly proposedByKey: string;
  readonly proposedAt: Date;
};

/** A proposal is open for a time, while it is not approved and its proposer is not revoked. Newest first. */
export const listOpen = rowsOf<StoredProposal, [ruleSet: string, since: Date]>(
  'list-open-rule-set-proposals',
  `select proposal_id as "proposalId", rule_set as subject, corridor, state, canary_percent as "canaryPercent",
          proposed_by as "proposedBy", proposed_by_key as "proposedByKey", proposed_at as "proposedAt"
     from market.rule_set_proposals p
    where rule_set = $1 and proposed_at >= $2
      and not exists (select from market.rule_set_rollouts r where r.proposal_id = p.proposal_id)
      and exists (select from market.identities where identity = proposed_by and revoked_at is null)
    order by proposal_id desc limit 50`,
);

export const insertProposal = onlyOf<
  { proposalId: string },
  [...content: [string, string, string, number], proposedBy: string, key: string]
>(
  'insert-rule-set-proposal',
  `insert into market.rule_set_proposals (rule_set, corridor, state, canary_percent, proposed_by, proposed_by_key)
   values ($1, $2, $3, $4, $5, $6) returning proposal_id as "proposalId"`,
);

export const appendRollouts = rowsOf<
  object,
  [
    rows: string,
    proposalId: string | null,
    proposedBy: string,
    approvedBy: string | null,
    key: string,
  ]
>(
  'append-rule-set-rollouts',
  `insert into market.rule_set_rollouts (corridor, rule_set, state, canary_percent, cause, proposal_id, proposed_by,
       approved_by, decided_by_key)
   select corridor, subject, state, "canaryPercent", cause, case cause when 'approval' then $2::bigint end, $3, $4, $5
     from jsonb_to_recordset($1::jsonb)
          as r (corridor text, subject text, state text, "canaryPercent" smallint, cause text)`,
);

export type StoredRollout = Rollout & {
  readonly proposedBy: string;
  readonly approvedBy: string | null;
  readonly createdAt: Date;
};
export const listRollouts = rowsOf<StoredRollout, [ruleSet: string]>(
  'list-rollouts-of-rule-set',
  `select corridor, rule_set as subject, state, canary_percent as "canaryPercent", cause, proposed_by as "proposedBy",
          approved_by as "approvedBy", created_at as "createdAt"
     from market.rule_set_rollouts where rule_set = $1 order by rollout_id desc limit 200`,
);
