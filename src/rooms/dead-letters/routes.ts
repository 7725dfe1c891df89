/** `/v1/dead-letters`: lists dead letters; replays and purges them. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../kit/http/auth/auth.ts';
import { checkFields, readJson, readQuery } from '../../kit/http/body/body.ts';
import { sayToken } from '../../kit/http/consistency.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { encodeToken } from '../../kit/words/consistency-token.ts';
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
  DEAD_LETTER_ID,
  deadLetterExample,
  deadLetterGroupSchema,
  deadLetterListParameters,
  deadLetterSchema,
  deadLetterWithEntrySchema,
  groupDeadLetters,
  groupExample,
  readDeadLetter,
  searchDeadLetters,
  withEntryExample,
} from './queries.ts';

const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The dead letter.', example: DEAD_LETTER_ID }),
});

const replayOneSchema = z
  .object({ dead_letter_id: z.uuid(), status: z.enum(['replayed', ...REFUSALS]) })
  .meta({ id: 'ReplayOneResult' });

export function deadLettersRoutes({
  databases: { primary },
  ingest,
  limits,
  log,
}: Pick<Api, 'databases' | 'ingest' | 'limits' | 'log'>): Hono<AppEnv> {
  const replay = async (command: DeadLetterCommand, by: Actor) => {
    const { result, write } = await replayDeadLetters(primary, ingest, command, by);
    return { result, token: write && encodeToken({ system: ingest.system, ...write }) };
  };
  const routes = new Hono<AppEnv>();
  routes.use('/v1/dead-letters/*', requireRole('operator'));

  routes.get('/v1/dead-letters', async (c) =>
    c.json(await searchDeadLetters(primary, readQuery(c, deadLetterListParameters))),
  );

  routes.get('/v1/dead-letters/groups', async (c) =>
    c.json({ items: await groupDeadLetters(primary) }),
  );

  routes.get('/v1/dead-letters/:id', async (c) => {
    const { id } = checkFields(path, c.req.param());
    const deadLetter = await readDeadLetter(primary, id);
    if (deadLetter === undefined) throw unknownDeadLetter(id);
    return c.json(deadLetter);
  });

  routes.post('/v1/dead-letters/replay', async (c) => {
    const command = checkFields(deadLetterCommandSchema, await readJson(c, limits));
    const { result, token } = await replay(command, actorOf(c));
    log.info({ keyId: c.get('principal').keyId, command, replayed: result.replayed }, 'replay');
    sayToken(c, token);
    return c.json(result);
  });

  routes.post('/v1/dead-letters/:id/replay', async (c) => {
    const { id } = checkFields(path, c.req.param());
    const { result, token } = await replay({ ids: [id], limit: 1 }, actorOf(c));
    const reason = result.refused[0]?.reason;
    if (reason === 'unknown') throw unknownDeadLetter(id);
    log.info({ keyId: c.get('principal').keyId, id, replayed: result.replayed }, 'replay');
    sayToken(c, token);
    return c.json({ dead_letter_id: id, status: reason ?? 'replayed' });
  });

  routes.post('/v1/dead-letters/purge', async (c) => {
    const command = checkFields(deadLetterCommandSchema, await readJson(c, limits));
    const result = await purgeDeadLetters(primary, command, actorOf(c));
    log.info({ keyId: c.get('principal').keyId, command, purged: result.purged }, 'purge');
    return c.json(result);
  });

  return routes;
}

function unknownDeadLetter(id: string): Problem {
  return new Problem('not-found', `No dead letter has the id ${given(id)}.`);
}

const COMMAND_PROBLEMS = [400, 408, 413, 415, 422] as const;
const common = { tags: ['dead letters'], security: allowedRoles('operator') };
const commandBody = { required: true, content: json(deadLetterCommandSchema, commandExample) };

const paths: ZodOpenApiPathsObject = {
  '/v1/dead-letters': {
    get: {
      ...common,
      operationId: 'listDeadLetters',
      summary: 'Dead letters, newest failure first',
      requestParams: { query: deadLetterListParameters },
      responses: {
        200: {
          description: 'One page.',
          content: json(pageSchema(deadLetterSchema), {
            items: [deadLetterExample],
            next_cursor: null,
          }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/dead-letters/groups': {
    get: {
      ...common,
      operationId: 'groupDeadLetters',
      summary: 'Active dead letters by error code and corridor',
      responses: {
        200: {
          description: 'Largest group first.',
          content: json(z.object({ items: z.array(deadLetterGroupSchema) }), {
            items: [groupExample],
          }),
        },
        ...problemResponses(),
      },
    },
  },
  '/v1/dead-letters/{id}': {
    get: {
      ...common,
      operationId: 'readDeadLetter',
      summary: 'One dead letter with its entry',
      requestParams: { path },
      responses: {
        200: {
          description: 'The dead letter.',
          content: json(deadLetterWithEntrySchema, withEntryExample),
        },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/dead-letters/replay': {
    post: {
      ...common,
      operationId: 'replayDeadLetters',
      summary: 'Put dead letters back to work',
      description:
        'Active ones only; at most `limit` a call. While `remaining` is not 0, call again with `failed_before` of the answer.',
      requestBody: commandBody,
      responses: {
        200: {
          description: 'What was done.',
          content: json(replayResultSchema, replayExample),
        },
        ...problemResponses(...COMMAND_PROBLEMS),
      },
    },
  },
  '/v1/dead-letters/{id}/replay': {
    post: {
      ...common,
      operationId: 'replayDeadLetter',
      summary: 'Put one dead letter back to work',
      description: 'A second replay of the same does nothing and says so.',
      requestParams: { path },
      responses: {
        200: {
          description: 'Replayed, or why not.',
          content: json(replayOneSchema, { dead_letter_id: DEAD_LETTER_ID, status: 'replayed' }),
        },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/dead-letters/purge': {
    post: {
      ...common,
      operationId: 'purgeDeadLetters',
      summary: 'Close dead letters for good',
      description: 'Marks active ones; their rows stay for a while.',
      requestBody: commandBody,
      responses: {
        200: { description: 'What was done.', content: json(purgeResultSchema, purgeExample) },
        ...problemResponses(...COMMAND_PROBLEMS),
      },
    },
  },
};

export const document: DocumentPart = {
  paths,
  tags: { 'dead letters': 'Transactions whose scoring was given up.' },
};
