/** `/v1/labels`: submits outcomes of transactions, and lists them. */
import { z } from 'zod';
import { acceptLabels, type LabelsRefused } from '../../core/accept/accept-labels.ts';
import { transactionInput } from '../../core/accept/examples.ts';
import { labelFor, labelInputSchema, storedLabelSchema } from '../../core/domain/label.ts';
import { readFor } from '../../core/read-for.ts';
import { type Api, routesUnder } from '../../core/room.ts';
import { listWalkedMonths } from '../../core/store/partitions/month-slice.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { ageHeaders } from '../../kit/http/answers/answer-headers.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { listReader } from '../../kit/http/body/list-reader.ts';
import { ownClientAlone } from '../../kit/http/openapi.ts';
import { answer, change, read } from '../../kit/http/operation.ts';
import { inSlices } from '../../kit/process/pauses.ts';
import { isPrimaryAway } from '../../kit/process/primary-away.ts';
import { InvalidFields, jsonPointer } from '../../kit/words/field-errors.ts';
import { missingWithin, monthlyPageSchema } from '../../kit/words/page.ts';
import { clientLabelled, clientSeen } from '../../kit/words/principal.ts';
import { encodeLabelCursor, type LabelListParameters, labelListParameters } from './parameters.ts';
import { searchStoredLabels } from './store.ts';

const labelPageSchema = monthlyPageSchema(storedLabelSchema).extend({
  complete: z.boolean().meta({
    description:
      'False where the page ends before `limit` because the request had looked at enough rows: go on with `next_cursor`.',
  }),
});

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

const operations = [
  change({
    at: '/v1/labels',
    operationId: 'acceptLabels',
    summary: 'Say of up to 1,000 transactions whether they were fraud',
    ...ownClientAlone(
      'All or nothing. Labels are only added: the newest labelled_at wins, and a label that is known is unchanged. A label changes no score that is stored.',
    ),
    roles: ROLES,
    body: {
      schema: labelsInputSchema,
      example: labelsExample,
      read: (value) => inSlices(readLabels(value)),
    },
    answers: { 200: answer('Stored.', acceptedLabelsSchema) },
    run: async ({ body: inputs, c }, { ingest, afterLabels }: Api) => {
      const principal = c.get('principal');
      const { client, identity } = principal;
      const seen = clientLabelled(principal);
      const result = await acceptLabels(ingest, { client, identity, clientSeen: seen, inputs });
      for (const note of afterLabels) note();
      if (result.kind !== 'accepted') throw refusal(result);
      const accepted: AcceptedLabels = { accepted: 0, unchanged: 0, results: [] };
      for (const [index, { transactionId, status }] of result.outcomes.entries()) {
        accepted[status]++;
        accepted.results.push({ index, transaction_id: transactionId, status });
      }
      return accepted;
    },
  }),
  read({
    at: '/v1/labels',
    operationId: 'listLabels',
    summary: 'Labels, newest labelled_at first',
    ...ownClientAlone(),
    roles: ROLES,
    query: labelListParameters,
    headers: ageHeaders,
    answers: { 200: answer('One page.', labelPageSchema) },
    run: ({ query, c }, { databases }: Api) => {
      const client = clientSeen(c.get('principal'));
      return readFor(c, databases, (from) => searchLabels(from, query, client));
    },
  }),
];

export const { document, open } = routesUnder(
  'labels',
  'What became known of transactions.',
  operations,
);

/**
 * `GET /v1/labels?…`: labels, newest first. A page that is not complete says by its cursor where to go on.
 * @param client the client whose transactions are seen; null for all
 */
export async function searchLabels(
  databases: Databases,
  { limit, cursor, ...asked }: LabelListParameters,
  client: string | null,
): Promise<z.infer<typeof labelPageSchema>> {
  const { to = Infinity } = asked;
  const walked = await listWalkedMonths(databases.primary, 'labels');
  const newestMs = Math.min(
    to,
    cursor === undefined ? Infinity : Date.parse(cursor.labelled_at) + 1,
  );
  const { rows, reached } = await readFrom(databases, newestMs, (database) =>
    searchStoredLabels(database, { ...asked, client }, cursor, limit + 1),
  );
  const listed = rows.slice(0, limit);
  const last = rows.length > limit ? listed.at(-1) : reached;
  return {
    items: listed.map((label) => labelFor(client, label)),
    next_cursor: last ? encodeLabelCursor(last) : null,
    complete: (listed.length === limit || reached === null) && !isPrimaryAway(),
    // A label may come long after the month of its transaction, so every month before `to` may lack some.
    ...missingWithin(walked, { to }),
  };
}
