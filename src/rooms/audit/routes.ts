/** `/v1/audit`: who changed what. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api } from '../../core/room.ts';
import { readAuditLog } from '../../kit/audit/audit-log.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { requireRole } from '../../kit/http/auth/auth.ts';
import { readQuery } from '../../kit/http/body/body.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import {
  type AuditEntry,
  type AuditEntryJson,
  auditEntrySchema,
  auditParameters,
} from '../../kit/words/audit.ts';

const READERS = ['admin', 'risk_officer'] as const;

const listSchema = z.object({
  items: z.array(auditEntrySchema),
  next_cursor: z.string().nullable(),
});

export function auditRoutes({ databases: { primary } }: Pick<Api, 'databases'>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get('/v1/audit', requireRole(...READERS), async (c) => {
    const parameters = readQuery(c, auditParameters);
    const entries = await readAuditLog(primary, parameters, parameters.limit);
    const last = entries.length === parameters.limit ? entries.at(-1)?.auditId : undefined;
    return c.json({ items: entries.map(toAuditJson), next_cursor: last ?? null });
  });
  return routes;
}

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

const paths: ZodOpenApiPathsObject = {
  '/v1/audit': {
    get: {
      operationId: 'readAudit',
      summary: 'Who changed what, newest first',
      tags: ['audit'],
      security: allowedRoles(...READERS),
      requestParams: { query: auditParameters },
      responses: {
        200: {
          description: 'One page.',
          content: json(listSchema, { items: [auditExample], next_cursor: null }),
        },
        ...problemResponses(422),
      },
    },
  },
};

export const document: DocumentPart = { paths, tags: { audit: 'Who changed what.' } };
