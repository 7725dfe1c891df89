/** `/v1/audit`: who changed what. */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { readAuditLog } from '../../kit/audit/audit-log.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import {
  type AuditEntry,
  type AuditEntryJson,
  auditEntrySchema,
  auditParameters,
} from '../../kit/words/audit.ts';

const pageSchema = z.object({
  items: z.array(auditEntrySchema),
  next_cursor: z.string().nullable(),
});

function toAuditJson(entry: AuditEntry): AuditEntryJson {
  const { auditId, changedAt, keyId, who, action, subject, before, after, request } = entry;
  return {
    audit_id: auditId,
    changed_at: changedAt.toISOString(),
    who,
    key_id: keyId,
    action,
    subject,
    before: before && { ...before },
    after: after && { ...after },
    request,
  };
}

const auditExample: AuditEntryJson = {
  audit_id: '41',
  changed_at: '2026-11-20T08:05:00.000Z',
  who: 'Bob',
  key_id: 'k7Qd2mXa',
  action: 'rollout.approve',
  subject: 'fraud@2026-11-20',
  before: null,
  after: { corridor: 'US-EG', to: 'active' },
  request: '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f',
};

const operations = [
  operation({
    method: 'get',
    at: '/v1/audit',
    operationId: 'readAudit',
    summary: 'Who changed what, newest first',
    roles: ['admin', 'risk_officer'],
    query: auditParameters,
    answers: {
      200: answer('One page.', pageSchema, { items: [auditExample], next_cursor: null }),
    },
    run: async ({ query }, { databases: { primary } }: Pick<Api, 'databases'>) => {
      const entries = await readAuditLog(primary, query, query.limit);
      const last = entries.length === query.limit ? entries.at(-1)?.auditId : undefined;
      return { items: entries.map(toAuditJson), next_cursor: last ?? null };
    },
  }),
];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'audit'),
  tags: { audit: 'Who changed what.' },
};

export const openAudit = (api: Api): ApiRoom => ({
  routes: [routesOf(operations, api.limits, api)],
});
