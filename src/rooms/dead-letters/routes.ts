/** `/v1/dead-letters`: list, show, group, replay and purge. Operators alone may. */
import { z } from 'zod';
import { type Api, routesUnder } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { pageSchema } from '../../kit/words/page.ts';
import type { Actor } from '../../kit/words/principal.ts';
import {
  commandExample,
  type DeadLetterCommand,
  deadLetterCommandSchema,
  purgeDeadLetters,
  purgeExample,
  purgeResultSchema,
  REFUSALS,
  replayDeadLetters,
  replayExample,
  replayResultSchema,
} from './change.ts';
import {
  cureOf,
  DEAD_LETTER_ID,
  deadLetterExample,
  deadLetterGroupSchema,
  deadLetterListParameters,
  deadLetterSchema,
  deadLetterWithEntrySchema,
  groupDeadLetters,
  groupExample,
  listDeadLetters,
  readDeadLetter,
  withCures,
  withEntryExample,
} from './store.ts';

const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The dead letter.', example: DEAD_LETTER_ID }),
});

const groupsSchema = z.object({ items: z.array(deadLetterGroupSchema) });
const replayOneSchema = z
  .object({ dead_letter_id: z.uuid(), status: z.enum(['replayed', ...REFUSALS]) })
  .meta({ id: 'ReplayOneResult' });

const roles = ['operator'] as const;
const body = bodyOf(deadLetterCommandSchema, commandExample);

const replay = ({ databases, ingest }: Api, command: DeadLetterCommand, by: Actor) =>
  replayDeadLetters(databases.primary, ingest, command, by);

const unknownDeadLetter = (id: string) =>
  new Problem('not-found', `No dead letter has the id ${given(id)}.`);

const operations = [
  operation({
    method: 'get',
    at: '/v1/dead-letters',
    operationId: 'listDeadLetters',
    summary: 'Dead letters, newest failure first',
    roles,
    query: deadLetterListParameters,
    answers: {
      200: answer('One page.', pageSchema(deadLetterSchema), {
        items: [deadLetterExample],
        next_cursor: null,
      }),
    },
    run: ({ query }, { databases }: Api) => listDeadLetters(databases.primary.query, query),
  }),
  operation({
    method: 'get',
    at: '/v1/dead-letters/groups',
    operationId: 'groupDeadLetters',
    summary: 'Active dead letters by error code and corridor',
    roles,
    answers: { 200: answer('Largest group first.', groupsSchema, { items: [groupExample] }) },
    run: async (_input, { databases }: Api) => ({
      items: withCures(await groupDeadLetters(databases.primary.query)),
    }),
  }),
  operation({
    method: 'get',
    at: '/v1/dead-letters/{id}',
    operationId: 'readDeadLetter',
    summary: 'One dead letter with its entry',
    roles,
    path,
    answers: { 200: answer('The dead letter.', deadLetterWithEntrySchema, withEntryExample) },
    problems: [404],
    run: async ({ path: { id } }, { databases }: Api) => {
      const deadLetter = await readDeadLetter(databases.primary.query, id);
      if (deadLetter === undefined) throw unknownDeadLetter(id);
      return { ...deadLetter, cure: cureOf(deadLetter.error_code) };
    },
  }),
  operation({
    method: 'post',
    at: '/v1/dead-letters/replay',
    operationId: 'replayDeadLetters',
    summary: 'Put dead letters back to work',
    description:
      'Active ones only; at most `limit` a call. While `remaining` is not 0, call again with `failed_before` of the answer.',
    roles,
    body,
    answers: { 200: answer('What was done.', replayResultSchema, replayExample) },
    run: async ({ body: command, by }, parts: Api) => {
      const result = await replay(parts, command, by);
      parts.log.info({ keyId: by.keyId, command, replayed: result.replayed }, 'replay');
      return result;
    },
  }),
  operation({
    method: 'post',
    at: '/v1/dead-letters/{id}/replay',
    operationId: 'replayDeadLetter',
    summary: 'Put one dead letter back to work',
    description: 'A second replay of the same does nothing and says so.',
    roles,
    path,
    answers: {
      200: answer('Replayed, or why not.', replayOneSchema, {
        dead_letter_id: DEAD_LETTER_ID,
        status: 'replayed',
      }),
    },
    problems: [404],
    run: async ({ path: { id }, by }, parts: Api) => {
      const result = await replay(parts, { ids: [id], limit: 1 }, by);
      const reason = result.refused[0]?.reason;
      if (reason === 'unknown') throw unknownDeadLetter(id);
      parts.log.info({ keyId: by.keyId, id, replayed: result.replayed }, 'replay');
      return { dead_letter_id: id, status: reason ?? 'replayed' };
    },
  }),
  operation({
    method: 'post',
    at: '/v1/dead-letters/purge',
    operationId: 'purgeDeadLetters',
    summary: 'Close dead letters for good',
    description: 'Marks active ones; their rows stay for a while.',
    roles,
    body,
    answers: { 200: answer('What was done.', purgeResultSchema, purgeExample) },
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
