/** `/v1/scores/{id}`: one score, its explanation, and what was usual for its account. */
import type { Context } from 'hono';
import { z } from 'zod';
import { hasFreeze, withReleases } from '../../../core/domain/control.ts';
import { type ScoreJson, scoreSchema } from '../../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import { databasesFor, readFor } from '../../../core/read-for.ts';
import { refuseDetached } from '../../../core/store/partitions/partitions.ts';
import { ageHeaders, answerHeaders, sayAge } from '../../../kit/http/answers/answer-headers.ts';
import { ASK_AGAIN, answerKept, KEEP_A_DAY } from '../../../kit/http/answers/kept.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { ownClientAlone } from '../../../kit/http/openapi.ts';
import { answer, type Operation, read } from '../../../kit/http/operation.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { clientSeen } from '../../../kit/words/principal.ts';
import { selectFields } from '../../../kit/words/selected-fields.ts';
import {
  explainScore,
  explanationParameters,
  explanationSchema,
} from '../queries/explain-score.ts';
import { FIELD_NAMES, fieldsParameter, scoreSelected } from '../queries/fields.ts';
import { habitSchema, readHabit } from '../queries/habit.ts';
import { type Parts, readScore, type Unscored } from '../queries/read-transaction.ts';
import { transactionPath } from './transactions.ts';

const PENDING_RETRY_AFTER_SECONDS = '1';

const pendingSchema = z
  .object({ transaction_id: z.uuid(), status: z.literal('accepted') })
  .meta({ id: 'PendingScore' });

/** @throws Problem that says why a transaction has no score */
export async function refuseUnscored(
  c: Context<AppEnv>,
  { databases, scores }: Pick<Parts, 'databases' | 'scores'>,
  transactionId: string,
): Promise<never> {
  const client = clientSeen(c.get('principal'));
  const from = databasesFor(c, databases);
  const found = await readScore(from, scores, { transactionId, client });
  if (typeof found === 'string') throw unscored(found, transactionId);
  // A score in memory may belong to a detached month.
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs !== undefined) await refuseDetached(databases.primary, createdAtMs);
  throw unscored('pending', transactionId);
}

/** Returns why there is no score to explain; a score that was stored meanwhile is found by the next request. */
function unscored(why: Unscored, id: string): Problem {
  if (why === 'dead-letter')
    return new Problem(why, `Scoring of ${given(id)} was given up; an operator may replay it.`);
  if (why === 'unknown') return new Problem('not-found', `No transaction has the id ${given(id)}.`);
  return new Problem('not-found', `The transaction ${given(id)} is not scored yet.`, {
    headers: { 'Retry-After': PENDING_RETRY_AFTER_SECONDS },
  });
}

export const scoreOperations: readonly Operation<Parts>[] = [
  read({
    at: '/v1/scores/{id}',
    operationId: 'readScore',
    summary: 'One score',
    ...ownClientAlone(
      'A stored score never changes: keep it, or ask again with If-None-Match. `releases_held` is added while the corridor is frozen.',
    ),
    roles: ['analyst', 'ingest'],
    path: transactionPath,
    query: z.strictObject({ fields: fieldsParameter(FIELD_NAMES.score, 'score,verdict') }),
    kept: KEEP_A_DAY,
    headers: ageHeaders,
    answers: {
      200: answer('The score.', z.union([scoreSchema, scoreSelected])),
      202: answer(
        'Accepted and not scored yet; ask again after `Retry-After` seconds.',
        pendingSchema,
        answerHeaders('Retry-After'),
      ),
    },
    problems: [404, 410],
    run: async (
      { path: { id: transactionId }, query: { fields }, c },
      { databases, scores, controls }: Parts,
    ) => {
      const client = clientSeen(c.get('principal'));
      const question = { transactionId, client };
      const found = await readScore(databasesFor(c, databases), scores, question);
      if (found === 'pending') {
        c.header('Retry-After', PENDING_RETRY_AFTER_SECONDS);
        return c.json({ transaction_id: transactionId, status: 'accepted' as const }, 202);
      }
      if (typeof found === 'string') throw unscored(found, transactionId);
      const text = sayAge(c, found);
      const now = controls.current();
      if (!hasFreeze(now) && fields === undefined) return answerKept(c, text, KEEP_A_DAY);
      const stored = JSON.parse(text.text) as ScoreJson;
      // While the corridor is frozen the answer says so, and is not kept.
      const told = withReleases(now, stored);
      const keeping = told === stored ? KEEP_A_DAY : ASK_AGAIN;
      if (told === stored && fields === undefined) return answerKept(c, text, keeping);
      const selected = selectFields(FIELD_NAMES.score, fields)(told);
      return answerKept(c, { text: JSON.stringify(selected) }, keeping);
    },
  }),
  read({
    at: '/v1/scores/{id}/explanation',
    operationId: 'explainScore',
    summary: 'Why a score is what it is',
    roles: ['analyst'],
    path: transactionPath,
    query: explanationParameters,
    headers: ageHeaders,
    answers: {
      200: answer(
        'Features, every rule, what the model made of it, and lineage.',
        explanationSchema,
      ),
    },
    problems: [404, 409, 410],
    run: async ({ path: { id }, query: { method }, c }, parts: Parts) => {
      const explanation = await readFor(c, parts.databases, (from) =>
        explainScore(from, parts.models, id, method),
      );
      if (explanation === undefined) return await refuseUnscored(c, parts, id);
      const score = withReleases(parts.controls.current(), explanation.score);
      return { ...explanation, score };
    },
  }),
  read({
    at: '/v1/scores/{id}/habit',
    operationId: 'readHabit',
    summary: 'What was usual for the account when a transaction was scored',
    description:
      'From the vectors that were logged with the scores of the account before this one; what came later is in none.',
    roles: ['analyst'],
    path: transactionPath,
    headers: ageHeaders,
    answers: {
      200: answer('Median and range of each feature.', habitSchema),
    },
    problems: [404, 409, 410],
    run: async ({ path: { id }, c }, parts: Parts) => {
      const habit = await readFor(c, parts.databases, (from) => readHabit(from, id));
      return habit ?? (await refuseUnscored(c, parts, id));
    },
  }),
];
