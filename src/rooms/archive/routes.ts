/** Two people agree on the rollback of a market or the drop of a month, which commands carry out. */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { requireMonth } from '../../core/store/partitions/partitions.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../kit/approvals/approvals.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, bodyOf, change, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { parseMonth } from '../../kit/words/month.ts';
import { reasonField } from '../../kit/words/plain-text.ts';
import { executeRollback, requestRollback } from './approval.ts';
import { holdOperations } from './holds/routes.ts';

const commandSchema = z.strictObject({ reason: reasonField }).meta({ id: 'RollbackCommand' });

const path = z.object({
  id: z.string().max(64).meta({ description: 'The market of this API.', example: 'market_0' }),
});

const monthPath = z.object({
  id: z.string().max(64).meta({ description: 'The month.', example: '2026-03' }),
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
      'Nothing is deleted by this. `risk archive rollback` archives the market, and drops it once another person has confirmed. A resume voids request and confirmation.',
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
  change({
    at: '/v1/months/{id}/drop',
    operationId: 'requestDrop',
    summary: 'Request the drop of a month; another person confirms it',
    description:
      'Nothing is deleted by this. `risk partitions drop` or `risk archive month --drop` drops the month once another person has confirmed. An attach voids request and confirmation.',
    roles: ['risk_officer', 'admin'],
    path: monthPath,
    body: bodyOf(commandSchema),
    answers: { 200: answer('The approval.', approvalSchema) },
    run: async ({ path: { id }, body: { reason }, by }, { databases: { primary } }: Api) => {
      const month = parseMonth(id);
      if (month === undefined) throw new Problem('not-found', `No month is called ${given(id)}.`);
      await requireMonth(primary.query, month);
      const wanted = { kind: 'month-drop', subject: id, detail: {}, reason };
      return await primary.transaction((query) => propose(query, wanted, by));
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

/** The confirmation of a drop is the record that the commands read. */
const executeDrop: Execute<unknown> = async () => ({});

export const executors = { 'market-rollback': executeRollback, 'month-drop': executeDrop };
