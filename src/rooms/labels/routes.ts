/** `/v1/labels`: submits outcomes of transactions, and lists them. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { acceptLabels, type LabelsRefused } from '../../core/accept/accept-labels.ts';
import { storedLabel, TRANSACTION_ID, transactionInput } from '../../core/accept/examples.ts';
import { labelInputSchema } from '../../core/domain/label.ts';
import type { Api } from '../../core/room.ts';
import { type Databases, readAged } from '../../kit/database/replica/choose-database.ts';
import { ageHeaders, sayAge } from '../../kit/http/answers/age.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { requireRole } from '../../kit/http/auth/auth.ts';
import { listReader, readJson, readQuery } from '../../kit/http/body/body.ts';
import { readToken, sayToken, tokenParameter } from '../../kit/http/consistency.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, ownClientAlone, problemResponses } from '../../kit/http/openapi.ts';
import { InvalidFields, jsonPointer } from '../../kit/words/field-error.ts';
import { clientSeen } from '../../kit/words/principal.ts';
import { labelListParameters } from './parameters.ts';
import { labelPageSchema, searchLabels } from './queries.ts';

const LABELS_MAX = 1000;

/** The schema in the document; requests are read by `listReader`. */
const labelsInputSchema = z
  .strictObject({ labels: z.array(labelInputSchema).min(1).max(LABELS_MAX) })
  .meta({ id: 'LabelsInput' });

const readLabels = listReader('labels', labelInputSchema, LABELS_MAX);

const acceptedLabelsSchema = z
  .object({
    accepted: z.int(),
    unchanged: z.int(),
    results: z.array(
      z.object({
        index: z.int(),
        transaction_id: z.uuid(),
        status: z.enum(['accepted', 'unchanged']),
      }),
    ),
  })
  .meta({ id: 'AcceptedLabels' });
type AcceptedLabels = z.infer<typeof acceptedLabelsSchema>;

const ROLES = ['ingest', 'analyst'] as const;

export function labelsRoutes({
  ingest,
  databases,
  limits,
  afterLabels,
}: Pick<Api, 'ingest' | 'databases' | 'limits' | 'afterLabels'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.post('/v1/labels', requireRole(...ROLES), async (c) => {
    const inputs = readLabels(await readJson(c, limits));
    const principal = c.get('principal');
    const { client, identity } = principal;
    const seen = clientSeen(principal);
    const result = await acceptLabels(ingest, { client, identity, clientSeen: seen, inputs });
    for (const note of afterLabels) note();
    if (result.kind !== 'accepted') throw refusal(result);
    const body: AcceptedLabels = { accepted: 0, unchanged: 0, results: [] };
    for (const [index, { transactionId, status }] of result.outcomes.entries()) {
      body[status]++;
      body.results.push({ index, transaction_id: transactionId, status });
    }
    sayToken(c, result.token);
    return c.json(body);
  });

  routes.get('/v1/labels', requireRole(...ROLES), async (c) => {
    const parameters = readQuery(c, labelListParameters);
    const client = clientSeen(c.get('principal'));
    const search = (from: Databases) => searchLabels(from, parameters, client);
    return c.json(sayAge(c, await readAged(databases, readToken(c), search)));
  });

  return routes;
}

function refusal({ kind, errors: items }: LabelsRefused): Error {
  const errors = items.map(({ index, field, detail }) => ({
    pointer: jsonPointer(['labels', index, field]),
    detail,
  }));
  if (kind === 'invalid') return new InvalidFields(errors);
  return new Problem('month-detached', 'No label was stored: transactions are out of reach.', {
    errors,
  });
}

/** By the key of the example of a transaction, so that /docs can send both. */
const labelsExample: z.input<typeof labelsInputSchema> = {
  labels: [
    {
      idempotency_key: transactionInput.idempotency_key,
      label: 'fraud',
      source: 'chargeback',
      labelled_at: '2026-11-20T16:00:00.000Z',
      note: 'Cardholder did not recognise the payment',
    },
  ],
};

const paths: ZodOpenApiPathsObject = {
  '/v1/labels': {
    post: {
      operationId: 'acceptLabels',
      summary: 'Say of up to 1,000 transactions whether they were fraud',
      ...ownClientAlone(
        'All or nothing. Labels are only added: the newest labelled_at wins, and a label that is known is unchanged. A label changes no score that is stored.',
      ),
      tags: ['labels'],
      security: allowedRoles(...ROLES),
      requestBody: { required: true, content: json(labelsInputSchema, labelsExample) },
      responses: {
        200: {
          description: 'Stored.',
          content: json(acceptedLabelsSchema, {
            accepted: 1,
            unchanged: 0,
            results: [{ index: 0, transaction_id: TRANSACTION_ID, status: 'accepted' }],
          }),
        },
        ...problemResponses(400, 408, 409, 413, 415, 422),
      },
    },
    get: {
      operationId: 'listLabels',
      summary: 'Labels, newest labelled_at first',
      ...ownClientAlone(),
      tags: ['labels'],
      security: allowedRoles(...ROLES),
      requestParams: { query: labelListParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(labelPageSchema, {
            items: [storedLabel],
            next_cursor: null,
            complete: true,
          }),
        },
        ...problemResponses(422),
      },
    },
  },
};

export const document: DocumentPart = {
  paths,
  tags: { labels: 'What became known of transactions.' },
};
