/** `/v1/audit`: who changed what. */
import { type Api, routesUnder } from '../../core/room.ts';
import { linesOf } from '../../kit/audit/audit-log.ts';
import { list } from '../../kit/http/operation.ts';
import { auditEntrySchema, auditParameters } from '../../kit/words/audit.ts';

const readLines = linesOf<readonly unknown[]>(
  'read-audit-log',
  `($1::bigint is null or audit_id < $1) and ($2::text is null or who = $2) and ($3::text is null or action = $3)
    order by audit_id desc limit $4`,
);

const operations = [
  list({
    at: '/v1/audit',
    operationId: 'readAudit',
    summary: 'Who changed what, newest first',
    roles: ['admin', 'risk_officer'],
    query: auditParameters,
    row: auditEntrySchema,
    says: 'One page.',
    rows: ({ query: asked }, { databases: { primary } }: Pick<Api, 'databases'>) => {
      const { cursor, who, action, limit } = asked;
      return readLines(primary.query, cursor, who, action, limit);
    },
    cursorOf: ({ audit_id: id }) => id,
  }),
];

export const { document, open } = routesUnder('audit', 'Who changed what.', operations);
