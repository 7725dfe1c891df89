/** Rows of rule sets. Triggers refuse a changed source and an approval by one person. */
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import type { ShadowJson } from './rule-set-record.ts';

export type StoredRuleSet = {
  readonly ruleSet: string;
  readonly state: 'draft' | 'submitted' | 'approved' | 'retired';
  /** Ascends by one a change of the row. */
  readonly version: string;
  readonly sha256: string;
  /** Canonical JSON. */
  readonly source: string;
  readonly author: string;
  readonly created_at: string;
  readonly approved_by: string | null;
};

const COLUMNS = `rule_set as "ruleSet", state, version::text, sha256, source, author,
  ${timeText('created_at')} as created_at, approved_by`;

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
  `select ${COLUMNS} from market.rule_sets r order by r.created_at desc, rule_set limit $1`,
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
export const writeApproved = change<[by: string, approvalId: string]>(
  'approve-rule-set',
  `state = 'approved', approved_by = $2, approval_id = $3, approved_at = now()`,
);
export const writeRetired = change<[by: string]>(
  'retire-rule-set',
  `state = 'retired', retired_by = $2, retired_at = now()`,
);

/** Counts of a rule set's verdicts as a shadow that differ from what was decided, by corridor. */
export const listFlips = rowsOf<
  Omit<ShadowJson, 'stricter_share' | 'milder_share'>,
  [ruleSet: string]
>(
  'list-rule-set-flips',
  `select corridor, ${timeText('from_at')} as "from", ${timeText('to_at')} as "to", scores::float8, failed::float8, stricter::float8, stricter_ids,
          milder::float8, milder_ids
     from market.rule_set_flips where rule_set = $1 order by corridor`,
);
