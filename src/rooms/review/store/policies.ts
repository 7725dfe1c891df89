/** Versions of the review policy: appended, never changed; the newest is in force. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { timeColumns } from '../../../kit/database/time-text.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import type { ReviewPolicy, StoredPolicy } from '../policy.ts';

const COLUMNS = `p.version, p.policy, ${timeColumns('p', 'made_at')}, p.made_by`;

const readStatement = {
  name: 'read-review-policy',
  text: `select ${COLUMNS} from market.review_policies p order by p.version desc limit 1`,
};

/** The policy in force. */
export async function readPolicy(query: Query): Promise<StoredPolicy> {
  const [row] = await query<StoredPolicy>(readStatement);
  if (row === undefined) throw new Error('review_policies has lost its rows');
  return row;
}

const insertStatement = {
  name: 'insert-review-policy',
  text: `insert into market.review_policies as p (policy, made_by)
         values ($1::jsonb, coalesce($2, 'database role ' || current_user)) returning ${COLUMNS}`,
};

/** Puts a new version in force; open cases have the priority and deadline of the older version. */
export async function insertPolicy(
  database: Pick<Database, 'transaction'>,
  policy: ReviewPolicy,
  by: Actor,
): Promise<StoredPolicy> {
  return await database.transaction(async (query) => {
    const before = await readPolicy(query);
    const [made] = await query<StoredPolicy>(insertStatement, [JSON.stringify(policy), by.name]);
    if (made === undefined) throw new Error('an insert returns its row');
    await recordChange(query, by, {
      action: 'case.policy',
      subject: String(made.version),
      before: before.policy,
      after: policy,
    });
    return made;
  });
}
