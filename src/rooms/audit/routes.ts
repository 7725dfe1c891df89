/** `/v1/audit`: who changed what. */
import { type Api, routesUnder } from '../../core/room.ts';
import { linesOf } from '../../kit/audit/audit-log.ts';
import { answer, operation } from '../../kit/http/operation.ts';
import { type AuditEntry, auditEntrySchema, auditParameters } from '../../kit/words/audit.ts';
import { pageOf, pageSchema } from '../../kit/words/page.ts';

const readLines = linesOf<readonly unknown[]>(
  'read-audit-log',
  `($1::bigint is null or audit_id < $1) and ($2::text is null or who = $2) and ($3::text is null or action = $3)
    order by audit_id desc limit $4`,
);

const auditExample: AuditEntry = {
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
      200: answer('One page.', pageSchema(auditEntrySchema), {
        items: [auditExample],
        next_cursor: null,
      }),
    },
    run: async ({ query: asked }, { databases: { primary } }: Pick<Api, 'databases'>) => {
      const { cursor, who, action, limit } = asked;
      const lines = await readLines(primary.query, cursor, who, action, limit);
      return pageOf(lines, limit, (last) => last.audit_id);
    },
  }),
];

export const { document, open } = routesUnder('audit', 'Who changed what.', operations);
