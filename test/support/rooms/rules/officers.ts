/** Rule sets for tests, and people who write, approve and roll them out by the functions that routes call. */
import type { Database } from '../../../../src/kit/database/pool.ts';
import type { Officer, Role } from '../../../../src/kit/words/principal.ts';
import { ROLES } from '../../../../src/kit/words/principal.ts';
import { createDraft, rollOut, submit } from '../../../../src/rooms/rules/rule-set-change.ts';
import { confirmIn, confirmWaiting } from '../../approvals.ts';
import type { TestDatabase } from '../../database.ts';
import { insertPersonKey } from '../../people.ts';

/** A rule set whose only rule fires on every transaction, so that its scores are told from others'. */
export const always = (id: string, weight = 0.6) => ({
  version: 2 as const,
  id,
  feature_schema: 3,
  rules: [
    {
      ...{ id: 'always', sentence: 'Every amount.', code: 'ALWAYS', when: 'true', weight },
    },
  ],
  verdicts: { all: { review: 500, decline: 800 } },
});

export async function makeOfficer(
  database: Pick<TestDatabase, 'sql'>,
  name: string,
  roles: readonly Role[] = ROLES,
): Promise<Officer & { readonly key: string }> {
  const key = await insertPersonKey(database, name, roles);
  return { name, keyId: key.split('_')[1] ?? '', request: 'test', key };
}

/** Ann writes it, Bob confirms it. */
export async function makeApproved(
  database: Database,
  [ann, bob]: readonly [Officer, Officer],
  source: { readonly id: string },
): Promise<string> {
  await createDraft(database, source, ann);
  await submit(database, source.id, ann);
  await confirmWaiting(database, source.id, bob);
  return source.id;
}

/** Two people put it in force; a canary is a shadow before. */
export async function putInForce(
  database: Database,
  [ann, bob]: readonly [Officer, Officer],
  name: string,
  canaryPercent: number | null,
  corridor = 'US-EG',
): Promise<void> {
  const to =
    canaryPercent === null
      ? ({ state: 'active', canary_percent: 0 } as const)
      : ({ state: 'canary', canary_percent: canaryPercent } as const);
  const shadow = { state: 'shadow', canary_percent: 0 } as const;
  const steps = canaryPercent === null ? [to] : [shadow, to];
  for (const step of steps) {
    const wanted = { corridor, to: step, override: 'a test does not wait' };
    const { approval_id: id } = await rollOut(database, name, wanted, ann);
    await confirmIn(database, id, bob);
  }
}
