/** Versions of the review policy: appended, never changed; the newest is in force. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf, timeColumns } from '../../../kit/database/statement.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import type { ReviewPolicy, StoredPolicy } from '../policy.ts';

const COLUMNS = `p.version, p.policy, ${timeColumns('p', 'made_at')}, p.made_by`;

/** The policy in force. */
export const readPolicy = onlyOf<StoredPolicy>(
  'read-review-policy',
  `select ${COLUMNS} from market.review_policies p order by p.version desc limit 1`,
);

const insert = onlyOf<StoredPolicy, [policy: string, by: string | null]>(
  'insert-review-policy',
  `insert into market.review_policies as p (policy, made_by)
         values ($1::jsonb, coalesce($2, 'database role ' || current_user)) returning ${COLUMNS}`,
);

/** Puts a new version in force; open cases have the priority and deadline of the older version. */
export async function insertPolicy(
  database: Pick<Database, 'transaction'>,
  policy: ReviewPolicy,
  by: Actor,
): Promise<StoredPolicy> {
  return await database.transaction(async (query) => {
    const before = await readPolicy(query);
    const made = await insert(query, JSON.stringify(policy), by.name);
    await recordChange(query, by, {
      action: 'case.policy',
      subject: String(made.version),
      before: before.policy,
      after: policy,
    });
    return made;
  });
}
