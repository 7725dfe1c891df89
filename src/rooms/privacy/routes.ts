/** `/v1/personal-fields`, `/v1/subjects` and `/v1/erasures`: declares personal fields, reads clear values, erases subjects. */
import { z } from 'zod';
import { isPersonalField, isToken } from '../../core/domain/personal.ts';
import type { Tokens } from '../../core/personal.ts';
import { type Api, routesUnder } from '../../core/room.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import type { Execute } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { answer, bodyOf, change, list, read } from '../../kit/http/operation.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { REASON_CHARS_MAX, reasonText } from '../../kit/words/plain-text.ts';
import { declareField } from './declare.ts';
import { eraseIn, eraseSubject } from './erase.ts';
import { privacySettings } from './open-personal.ts';
import { erasureSchema, fieldName, fieldSchema, listFields, readSubjects } from './store.ts';
import { open as openValue } from './subjects.ts';

const VALUE_CHARS_MAX = 4096;

const fieldText = z
  .string()
  .refine(
    isPersonalField,
    'must be account_id, device_id, ip, or a member of metadata, as metadata.customer.email',
  );
const fieldPath = z.object({
  field: fieldText.meta({
    description:
      '`account_id`, `device_id`, `ip`, or a member of metadata: `metadata.customer.email`, at most four names deep.',
    example: 'account_id',
  }),
});
const TOKEN = 'tok_0f3a5c7e91b24d6688aa00ccee113355';
const isAnyToken = (text: string) => isToken('account_id', text) || isToken('ip', text);
const tokenText = z
  .string()
  .refine(isAnyToken, 'must be a token, as tok_ and 32 hexadecimal digits')
  .meta({ description: 'The token, as answers, events and exports show it.', example: TOKEN });

const subjectSchema = z
  .object({
    token: z.string(),
    field: fieldName,
    value: z
      .unknown()
      .meta({ description: 'The value, as the client sent it.', example: 'acc_17' }),
    made_at: z.iso.datetime(),
  })
  .meta({ id: 'Subject' });

const newErasureSchema = z
  .strictObject({
    field: fieldText.meta({ example: 'account_id' }),
    value: z
      .string()
      .min(1)
      .max(VALUE_CHARS_MAX)
      .meta({ description: 'The clear value, or its token.', example: TOKEN }),
    reason: reasonText.meta({
      description: 'Kept in the audit log for good: write no name and no value.',
    }),
  })
  .meta({ id: 'NewErasure' });
const operations = [
  list({
    at: '/v1/personal-fields',
    operationId: 'listPersonalFields',
    'x-command': 'privacy fields',
    summary: 'Fields whose values are kept as tokens',
    roles: ['analyst', 'operator', 'risk_officer', 'personal_data'],
    row: fieldSchema,
    says: 'All personal fields.',
    rows: (_, { databases: { primary } }: Api) => listFields(primary.query),
  }),
  change({
    method: 'put',
    at: '/v1/personal-fields/{field}',
    operationId: 'declarePersonalField',
    'x-command': 'privacy declare',
    summary: 'Keep the values of a field as tokens, in a market without transactions',
    description:
      'A declaration lasts, and needs RISK_PRIVACY_KEYS and RISK_ERASURE_LEDGER in each API process. 409: the market has clear values, or rules may read the field.',
    roles: ['admin'],
    path: fieldPath,
    answers: { 200: answer('The field.', fieldSchema) },
    run: async ({ path, by }, { config, databases: { primary }, personal }: Api) => {
      const declared = await declareField(primary, privacySettings(config), path.field, by);
      await personal.refresh();
      return declared;
    },
  }),
  read({
    at: '/v1/subjects/{token}',
    operationId: 'readSubject',
    'x-command': 'privacy read',
    summary: 'The clear value of a token',
    description: 'The audit log has each read, with its reason and without the value.',
    roles: ['personal_data'],
    path: z.object({ token: tokenText }),
    header: z.object({
      'Risk-Reason': reasonText.meta({ description: 'Why you read it.', examples: ['case 4711'] }),
    }),
    answers: { 200: answer('The value.', subjectSchema) },
    problems: [409],
    run: async ({ path: { token }, by, c }, { config, databases: { primary } }: Api) => {
      const { data: reason } = reasonText.safeParse(c.req.header('risk-reason'));
      if (reason === undefined) {
        const detail = `must say why the value is read, in 1 to ${REASON_CHARS_MAX} characters`;
        throw new InvalidFields([{ pointer: '/Risk-Reason', detail }]);
      }
      return await primary.transaction(async (query) => {
        const [found] = await readSubjects(query, [token]);
        if (found === undefined) {
          throw new Failure('not-found', 'SUBJECT_UNKNOWN', `no subject has the token ${token}`);
        }
        const { field, madeAt } = found;
        const value: unknown = JSON.parse(openValue(privacySettings(config).keys, found));
        const change = { action: 'personal.read', subject: token, before: null } as const;
        await recordChange(query, by, { ...change, after: { field, reason } });
        return { token, field, value, made_at: madeAt };
      });
    },
  }),
  change({
    at: '/v1/erasures',
    operationId: 'eraseSubject',
    summary: 'Forget the value of a personal field',
    description:
      'Deletes the subject, so its token leads nowhere and the same value sent later is a new subject; scores and figures stay. With an account go the devices, addresses and members of metadata that it alone had. Where a block list has the subject, the answer is the approval that another person confirms. A repetition by the token gets the same answer.',
    roles: ['admin', 'risk_officer'],
    body: bodyOf(newErasureSchema),
    answers: { 200: answer('Erased, or the approval.', z.union([erasureSchema, approvalSchema])) },
    problems: [404],
    run: async ({ body, by }, { config, databases: { primary }, personal }: Api) => {
      const { field, value, reason } = body;
      const { ledger } = privacySettings(config);
      const token = isToken(field, value)
        ? value
        : await tokenOfClear(personal.tokens(), field, value);
      const to = { market: config.RISK_MARKET, ledger };
      const erased = await eraseSubject(primary, to, { token, reason }, by);
      await personal.refresh();
      return erased;
    },
  }),
];

/** Erases what another person confirms. */
const executeErasure: Execute<Api> = async (query, approval, by, { config }) => {
  const { subject: token, reason, proposed_by: askedBy } = approval;
  const to = { market: config.RISK_MARKET, ledger: privacySettings(config).ledger };
  return await eraseIn(query, to, { token, reason: reason ?? '' }, by, askedBy);
};

/** @throws Failure where the value has no subject */
async function tokenOfClear(edge: Tokens | null, field: string, value: string): Promise<string> {
  if (edge?.declares(field) !== true) {
    const why = `${field} is no declared personal field, so its values have no tokens`;
    throw new Failure('conflict', 'FIELD_NOT_PERSONAL', why);
  }
  const token = await edge.seek(field, value);
  if (token !== undefined) return token;
  throw new Failure('not-found', 'SUBJECT_UNKNOWN', `no subject has this value of ${field}`);
}

export const { document, open } = routesUnder(
  'privacy',
  'Personal fields, and what tokens stand for.',
  operations,
);

export const executors = { erasure: executeErasure };
