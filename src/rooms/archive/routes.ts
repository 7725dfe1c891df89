/** `/v1/markets/{id}/rollback`: two people agree on the rollback of a market, which `risk archive rollback` carries out. */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, bodyOf, change, pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { reasonField } from '../../kit/words/plain-text.ts';
import { readRequest, requestRollback, rollbackRequestSchema } from './approval.ts';
import { holdOperations } from './holds/routes.ts';

const commandSchema = z.strictObject({ reason: reasonField }).meta({ id: 'RollbackCommand' });

const path = z.object({
  id: z.string().max(64).meta({ description: 'The market of this API.', example: 'market_0' }),
});

function checkMarket(id: string, { config }: Api): void {
  if (id === config.RISK_MARKET) return;
  throw new Problem('not-found', `No market of this API is called ${given(id)}.`);
}

const operations = [
  read({
    at: '/v1/markets/{id}/rollback',
    operationId: 'readRollback',
    summary: 'Who has requested the rollback of a frozen market, and who has approved it',
    roles: ['analyst', 'operator', 'risk_officer'],
    path,
    answers: {
      200: answer(
        'The request since the market was frozen, or null.',
        z.object({ request: rollbackRequestSchema.nullable() }),
      ),
    },
    run: async ({ path: { id } }, parts: Api) => {
      checkMarket(id, parts);
      return { request: (await readRequest(parts.databases.primary.query, id)) ?? null };
    },
  }),
  change({
    at: '/v1/markets/{id}/rollback',
    operationId: 'requestRollback',
    summary: 'Request the rollback of a frozen market; another person sends the same to approve it',
    description:
      'Nothing is deleted by this. `risk archive rollback` archives the market, and drops it once another person has approved. A resume voids request and approval.',
    roles: ['risk_officer', 'admin'],
    path,
    body: bodyOf(commandSchema),
    answers: { 200: answer('Who has requested and approved.', rollbackRequestSchema) },
    run: async ({ path: { id }, body: { reason }, by }, parts: Api) => {
      checkMarket(id, parts);
      const request = await requestRollback(parts.databases.primary, id, reason, by);
      parts.log.warn({ keyId: by.keyId, ...request }, 'rollback');
      return request;
    },
  }),
];

export const document: DocumentPart = {
  paths: { ...pathsOf(operations, 'corridors'), ...pathsOf(holdOperations, 'holds') },
  tags: { holds: 'Legal holds, which prevent removals.' },
};

export const open = (api: Api): ApiRoom => ({
  routes: [routesOf([...operations, ...holdOperations], api.limits, api)],
});
