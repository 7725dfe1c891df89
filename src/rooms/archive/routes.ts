/** `/v1/markets/{id}/rollback`: two people agree on the rollback of a market, which `risk archive rollback` carries out. */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, bodyOf, change, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { reasonField } from '../../kit/words/plain-text.ts';
import { executeRollback, requestRollback } from './approval.ts';
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
  change({
    at: '/v1/markets/{id}/rollback',
    operationId: 'requestRollback',
    summary: 'Request the rollback of a frozen market; another person confirms it',
    description:
      'Nothing is deleted by this. `risk archive rollback` archives the market, and drops it once another person has confirmed. A resume voids both.',
    roles: ['risk_officer', 'admin'],
    path,
    body: bodyOf(commandSchema),
    answers: { 200: answer('The approval.', approvalSchema) },
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

export const executors = { 'market-rollback': executeRollback };
