/** `/v1/approvals`: what waits for a second person, and what two people decided. */
import { z } from 'zod';
import { type Api, routesUnder } from '../../core/room.ts';
import {
  APPROVAL_DAYS,
  APPROVAL_STATES,
  type Approval,
  approvalSchema,
} from '../../kit/approvals/approval.ts';
import { confirm, listApprovals, readApproval, withdraw } from '../../kit/approvals/approvals.ts';
import { eventOf, eventsDocument, schemaOf } from '../../kit/http/event-document.ts';
import { answer, change, list, read } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { countedId, countedPage, shown } from '../../kit/words/list-parameters.ts';
import { APPROVING_ROLES } from '../../kit/words/principal.ts';

const PROPOSERS = ['analyst', 'operator', 'risk_officer', 'admin'] as const;

const filters = z.strictObject({
  kind: z.string().optional().meta(shown('list-entry', 'Only this kind.')),
  state: z
    .enum([...APPROVAL_STATES, 'all'])
    .default('waiting')
    .meta({ description: '`all` is the history.' }),
  ...countedPage,
});
const path = z.object({
  id: countedId('the id of an approval').meta({ description: 'The approval.', example: '12' }),
});
const answers = { 200: answer('The approval.', approvalSchema) };

/** @throws InvalidFields where no room has such a kind */
function requireKind(kind: string | undefined, known: readonly string[]): void {
  if (kind === undefined || known.includes(kind)) return;
  const detail = `must be ${known.join(', ')}, not ${given(kind)}`;
  throw new InvalidFields([{ pointer: '/kind', detail }]);
}

const operations = [
  list({
    at: '/v1/approvals',
    operationId: 'listApprovals',
    'x-command': 'approvals list',
    summary: 'What waits for a second person, and what two people decided',
    roles: PROPOSERS,
    query: filters,
    row: approvalSchema,
    says: 'Newest first.',
    rows: ({ query: { cursor, kind, state, limit } }, { databases, executors }: Api) => {
      requireKind(kind, Object.keys(executors));
      return listApprovals(databases.primary.query, cursor, kind, state, limit);
    },
    cursorOf: ({ approval_id: id }) => id,
  }),
  read({
    at: '/v1/approvals/{id}',
    operationId: 'readApproval',
    'x-command': 'approvals show',
    summary: 'A decision of two people: what it does, who proposed it and what became of it',
    roles: PROPOSERS,
    path,
    answers,
    run: ({ path: { id } }, { databases: { primary } }: Api) => readApproval(primary.query, id),
  }),
  change({
    at: '/v1/approvals/{id}/confirm',
    operationId: 'confirmApproval',
    'x-command': 'approvals confirm',
    summary: 'Confirm what another person proposed, which carries it out',
    description: `Within ${APPROVAL_DAYS} days. The caller must be a person who may hold neither key: makers of a key, or of its person, count as its holders.`,
    roles: APPROVING_ROLES,
    path,
    answers,
    run: async ({ path: { id }, by }, api: Api) => {
      const done = await confirm(api.databases.primary, api.executors, id, by, api);
      api.log.warn({ keyId: by.keyId, ...done }, 'confirmed');
      return done;
    },
  }),
  change({
    at: '/v1/approvals/{id}/withdraw',
    operationId: 'withdrawApproval',
    'x-command': 'approvals withdraw',
    summary: 'Withdraw what nobody has confirmed',
    roles: PROPOSERS,
    path,
    answers,
    run: ({ path: { id }, by }, { databases: { primary } }: Api) =>
      primary.transaction((query) => withdraw(query, id, by)),
  }),
];

const SUMMARY = 'Decisions that one person proposes and another person confirms.';
const routes = routesUnder('approvals', SUMMARY, operations);
const eventsPart = eventsDocument([
  eventOf({
    type: 'approval.waiting',
    summary: 'Something waits for people who may confirm, end or apply it',
    data: z.object({
      action: z.string().meta({
        description:
          'Kind of the approval, `control.set`, `case.decide`, or the action of the suggestion.',
        example: 'list-entry',
      }),
      subject: z.string().meta({ example: 'vip acc_17' }),
      reason: z.string().nullable(),
      who: z.string(),
      at: z.iso.datetime(),
      next: z.string(),
      recipients: z.array(z.string()).meta({ description: 'People who may act.' }),
      approval: schemaOf<Approval>('Approval').optional(),
      suggestion: schemaOf<object>('Suggestion').optional(),
    }),
  }),
]);
export const document = { ...routes.document, ...eventsPart };
export const { open } = routes;
