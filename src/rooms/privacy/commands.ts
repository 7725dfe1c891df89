/** `risk privacy …`: personal fields, clear values and erasures, over a running API, and the rotation of keys. */

import { setTimeout as delay } from 'node:timers/promises';
import { MARKET_KEY, openSealed, wrappingKey } from '../../core/store/subject-lookup.ts';
import { seal } from '../../kit/access/seal.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { EXIT } from '../../kit/command/command.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import type { WrappingKeys } from '../../kit/config/privacy-settings.ts';
import { byteaArray, textArray } from '../../kit/database/binary-array.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../../kit/database/pg-failure.ts';
import type { Database } from '../../kit/database/pool.ts';
import { lockWait, rowsOf } from '../../kit/database/statement.ts';
import type { Actor } from '../../kit/words/principal.ts';
import { anonymiseAction } from './anonymise/anonymise-command.ts';
import { privacySettings } from './open-personal.ts';
import { lockState, raiseState } from './store.ts';

/** Subjects of one commit. Larger: an erasure of one of them waits longer; smaller: more commits. */
const BATCH_SUBJECTS = 2000;
/** Time for which posts with new values may queue. Longer: a vacuum that holds the table delays them by more. */
const LOCK_WAIT_MS = 1000;
/** Posts with new values go on for this long before the next try. */
const LOCK_PAUSE_MS = 1000;

const listWrapped = rowsOf<Wrapped, [after: string, keyId: string]>(
  'list-subjects-to-rewrap',
  `select token, key_id as "keyId", subject_key as "subjectKey" from market.subjects
    where token > $1 and key_id <> $2 order by token limit ${BATCH_SUBJECTS} for update`,
);
const updateWrapped = rowsOf<object, [tokens: Buffer, keyId: string, subjectKeys: Buffer]>(
  'rewrap-subjects',
  `update market.subjects s set key_id = $2, subject_key = u.subject_key
     from unnest($1::text[], $3::bytea[]) u(token, subject_key) where s.token = u.token`,
);

type Wrapped = { readonly token: string; readonly keyId: string; readonly subjectKey: Buffer };

const WRAPS = 'Wrap all keys by the first key of RISK_PRIVACY_KEYS';
const rewrapAction = written('', WRAPS, {}, async (_given, context) => {
  const { keys } = privacySettings(context.config);
  await using database = openCommandDatabase(context, 'privacy');
  const done = await rewrap(database, keys, byCommand('privacy rewrap'), context.signal);
  const rest = done.isWhole ? '; no older key is needed any more' : '; stopped: run it again';
  context.output.value(done, [`${done.subjects} subjects wrapped by ${done.key}${rest}`]);
  return done.isWhole ? EXIT.fine : EXIT.failed;
});

export const command = commandOf({
  name: 'privacy',
  summary: 'Declares personal fields, reads what a token stands for, and erases it.',
  notes: `anonymise and rewrap need DATABASE_URL; rewrap needs RISK_PRIVACY_KEYS and RISK_ERASURE_LEDGER, too.

Example: risk privacy erase --field account_id --value acc_17 --reason 'request 2026-117' --yes`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    anonymise: anonymiseAction,
    erase: { operation: 'eraseSubject', mustBeMeant: () => 'an erasure cannot be undone' },
    rewrap: rewrapAction,
  },
});

/**
 * Wraps the keys of all subjects by the first key of RISK_PRIVACY_KEYS, so that older keys can be removed. Tokens and values stay.
 * Each batch commits by itself, and a subject that has the first key already is passed over: a second run goes on.
 * @param signal ends the work behind a batch
 * @throws Failure where the file lacks a key that wraps
 */
async function rewrap(
  database: Pick<Database, 'transaction'>,
  keys: WrappingKeys,
  by: Actor,
  signal: AbortSignal,
) {
  const [first] = keys;
  while (!(await rewrapMarket(database, keys, by)))
    await delay(LOCK_PAUSE_MS, undefined, { signal });
  let subjects = 0;
  let after = '';
  while (!signal.aborted) {
    const last = await database.transaction(async (query) => {
      const rows = await listWrapped(query, after, first.keyId);
      const made = rows.map(({ token, keyId, subjectKey }) =>
        seal(first.key, openSealed(wrappingKey(keys, keyId).key, subjectKey, token), token),
      );
      const tokens = textArray(rows.map(({ token }) => token));
      if (rows.length > 0) await updateWrapped(query, tokens, first.keyId, byteaArray(made));
      subjects += rows.length;
      return rows.at(-1);
    });
    if (last === undefined) return { key: first.keyId, subjects, isWhole: true };
    after = last.token;
  }
  return { key: first.keyId, subjects, isWhole: false };
}

/** Wraps the market's key, and records that keys are wrapped anew. False: inserts under way did not end in time. */
async function rewrapMarket(
  database: Pick<Database, 'transaction'>,
  keys: WrappingKeys,
  by: Actor,
): Promise<boolean> {
  const [first] = keys;
  const rewrapped = database.transaction(async (query) => {
    await query(lockWait(LOCK_WAIT_MS));
    const { keyId, marketKey } = await lockState(query);
    if (keyId === null || marketKey === null || keyId === first.keyId) return;
    const key = openSealed(wrappingKey(keys, keyId).key, marketKey, MARKET_KEY);
    // Waits for inserts under way; later ones see the new key of the market, and wrap by no other.
    await query({ text: 'lock table market.subjects in share mode' });
    await raiseState(query, first.keyId, seal(first.key, key, MARKET_KEY));
    const change = { action: 'personal.rewrap', subject: MARKET_KEY } as const;
    await recordChange(query, by, {
      ...change,
      before: { key: keyId },
      after: { key: first.keyId },
    });
  });
  return await rewrapped.then(
    () => true,
    (error: unknown) => {
      if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) return false;
      throw error;
    },
  );
}
