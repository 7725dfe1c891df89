/** `/v1/dead-letters`: list, show, group, replay and purge. Operators alone may. */
import { z } from 'zod';
import { type Api, routesUnder } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, change, list, read } from '../../kit/http/operation.ts';
import { encodeCursor } from '../../kit/words/cursor.ts';
import { given } from '../../kit/words/describe-issue.ts';
import type { Actor } from '../../kit/words/principal.ts';
import {
  type DeadLetterCommand,
  deadLetterCommandSchema,
  purgeDeadLetters,
  purgeResultSchema,
  REFUSALS,
  replayDeadLetters,
  replayResultSchema,
} from './change.ts';
import {
  cureOf,
  DEAD_LETTER_ID,
  type DeadLetter,
  deadLetterGroupSchema,
  deadLetterListParameters,
  deadLetterSchema,
  deadLetterWithEntrySchema,
  groupDeadLetters,
  listDeadLetters,
  readDeadLetter,
  withCures,
} from './store.ts';

const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The dead letter.', example: DEAD_LETTER_ID }),
});

const replayOneSchema = z
  .object({ dead_letter_id: z.uuid(), status: z.enum(['replayed', ...REFUSALS]) })
  .meta({ id: 'ReplayOneResult' });

const roles = ['operator'] as const;
const body = bodyOf(deadLetterCommandSchema, {
  error_code: 'SCORING_FAILED',
  corridor: 'US-EG',
  limit: 10,
});

const replay = ({ databases, ingest }: Api, command: DeadLetterCommand, by: Actor) =>
  replayDeadLetters(databases.primary, ingest, command, by);

const unknownDeadLetter = (id: string) =>
  new Problem('not-found', `No dead letter has the id ${given(id)}.`);

const operations = [
  list({
    at: '/v1/dead-letters',
    operationId: 'listDeadLetters',
    summary: 'Dead letters, newest failure first',
    roles,
    query: deadLetterListParameters,
    row: deadLetterSchema,
    says: 'One page.',
    cursorOf: ({ failed_at, dead_letter_id: id }: DeadLetter) =>
      encodeCursor({ atMs: Date.parse(failed_at), id }),
    rows: ({ query }, { databases }: Api) => listDeadLetters(databases.primary.query, query),
  }),
  list({
    at: '/v1/dead-letters/groups',
    operationId: 'groupDeadLetters',
    summary: 'Active dead letters by error code and corridor',
    roles,
    row: deadLetterGroupSchema,
    says: 'Groups, the largest first.',
    rows: async (_, { databases: { primary } }: Api) =>
      withCures(await groupDeadLetters(primary.query)),
  }),
  read({
    at: '/v1/dead-letters/{id}',
    operationId: 'readDeadLetter',
    'x-command': 'dead-letters show',
    summary: 'One dead letter with its entry',
    roles,
    path,
    answers: { 200: answer('The dead letter.', deadLetterWithEntrySchema) },
    run: async ({ path: { id } }, { databases }: Api) => {
      const deadLetter = await readDeadLetter(databases.primary.query, id);
      if (deadLetter === undefined) throw unknownDeadLetter(id);
      return { ...deadLetter, cure: cureOf(deadLetter.error_code) };
    },
  }),
  change({
    at: '/v1/dead-letters/replay',
    operationId: 'replayDeadLetters',
    summary: 'Put dead letters back to work',
    description:
      'Active ones only; at most `limit` a call. While `remaining` is not 0, call again with `failed_before` of the answer.',
    roles,
    body,
    answers: { 200: answer('What was done.', replayResultSchema) },
    run: async ({ body: command, by }, parts: Api) => {
      const result = await replay(parts, command, by);
      parts.log.info({ keyId: by.keyId, command, replayed: result.replayed }, 'replay');
      return result;
    },
  }),
  change({
    at: '/v1/dead-letters/{id}/replay',
    operationId: 'replayDeadLetter',
    summary: 'Put one dead letter back to work',
    description: 'A second replay of the same does nothing and says so.',
    roles,
    path,
    answers: { 200: answer('Whether the dead letter was replayed.', replayOneSchema) },
    run: async ({ path: { id }, by }, parts: Api) => {
      const result = await replay(parts, { ids: [id], limit: 1 }, by);
      const reason = result.refused[0]?.reason;
      if (reason === 'unknown') throw unknownDeadLetter(id);
      parts.log.info({ keyId: by.keyId, id, replayed: result.replayed }, 'replay');
      return { dead_letter_id: id, status: reason ?? 'replayed' };
    },
  }),
  change({
    at: '/v1/dead-letters/purge',
    operationId: 'purgeDeadLetters',
    summary: 'Close dead letters for good',
    description: 'Marks active ones; their rows stay for a while.',
    roles,
    body,
    answers: { 200: answer('What was done.', purgeResultSchema) },
    run: async ({ body: command, by }, { databases, log }: Api) => {
      const result = await purgeDeadLetters(databases.primary, command, by);
      log.info({ keyId: by.keyId, command, purged: result.purged }, 'purge');
      return result;
    },
  }),
];

export const { document, open } = routesUnder(
  'dead letters',
  'Transactions whose scoring was given up.',
  operations,
);
