/** `/v1/markets/{id}/rollback`: two people agree that a market is rolled back; `risk archive rollback` carries it out. */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, bodyOf, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { requestRollback, rollbackRequestSchema } from './approval.ts';

const REASON_CHARS_MAX = 500;

const commandSchema = z
  .strictObject({
    reason: plainText(REASON_CHARS_MAX).meta({ description: 'For the audit log.' }),
  })
  .meta({ id: 'RollbackCommand' });

const operations = [
  operation({
    method: 'post',
    at: '/v1/markets/{id}/rollback',
    operationId: 'requestRollback',
    summary: 'Request the rollback of a frozen market; another person sends the same to approve it',
    description:
      'Nothing is deleted by this. `risk archive rollback` archives the market, and drops it once another person has approved. A resume voids request and approval.',
    roles: ['risk_officer', 'admin'],
    path: z.object({
      id: z.string().max(64).meta({ description: 'The market of this API.', example: 'market_0' }),
    }),
    body: bodyOf(commandSchema, { reason: 'the market is closed' }),
    answers: {
      200: answer('Who has requested and approved.', rollbackRequestSchema, {
        market: 'market_0',
        state: 'approved',
        requested_by: 'Ann',
        requested_at: '2026-11-25T09:30:00.000Z',
        approved_by: 'Bob',
        approved_at: '2026-11-25T09:42:00.000Z',
      }),
    },
    problems: [404, 409],
    run: async (
      { path: { id }, body: { reason }, by },
      { config, databases, log }: Pick<Api, 'config' | 'databases' | 'log'>,
    ) => {
      if (id !== config.RISK_MARKET) {
        throw new Problem('not-found', `No market of this API is called ${given(id)}.`);
      }
      const request = await requestRollback(databases.primary, id, reason, by);
      log.warn({ keyId: by.keyId, ...request }, 'rollback');
      return request;
    },
  }),
];

export const document: DocumentPart = { paths: pathsOf(operations, 'corridors'), tags: {} };

export const openArchives = (api: Api): ApiRoom => ({
  routes: [routesOf(operations, api.limits, api)],
});
