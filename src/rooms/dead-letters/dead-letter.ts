/** Dead letters in the form of the API: one, one with its entry, groups by error, and what a list is asked for. */
import { z } from 'zod';
import { TRANSACTION_ID } from '../../core/accept/examples.ts';
import { corridorFilter, pageParameters, shown } from '../../kit/words/list-parameters.ts';
import { CURES } from './cures.ts';

export const DEAD_LETTER_ID = '01a1f8a1-8f60-7000-8000-000000000007';

export const errorCodeParameter = z
  .string()
  .regex(/^[A-Z0-9_]{1,64}$/, 'must be an error code, as SCORING_FAILED');

export const deadLetterListParameters = z.strictObject({
  corridor: corridorFilter,
  error_code: errorCodeParameter.optional().meta(shown('SCORING_FAILED', 'Only this error code.')),
  active: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .meta({
      description: 'True: only those neither replayed nor purged; false: only those that are.',
      override: ({ jsonSchema }) => {
        delete jsonSchema.enum;
        jsonSchema.type = 'boolean';
      },
    }),
  ...pageParameters,
});
export type DeadLetterListParameters = z.output<typeof deadLetterListParameters>;

const fields = {
  dead_letter_id: z.uuid(),
  stream: z.string(),
  message: z
    .object({
      transaction_id: z.uuid().nullable(),
      account_id: z.string().nullable(),
      retry_count: z.int(),
    })
    .meta({ description: 'transaction_id is null where the entry did not tell all of them.' }),
  corridor: z.string(),
  error: z.string(),
  error_code: z.string(),
  failed_at: z.iso.datetime(),
  replayed_at: z.iso.datetime().nullable(),
  purged_at: z.iso.datetime().nullable(),
};
export const deadLetterSchema = z.object(fields).meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof deadLetterSchema>;

const cure = z.string().meta({ description: 'What to do about this error code.' });

export const deadLetterWithEntrySchema = z
  .object({
    ...fields,
    cure,
    entry: z.string().meta({
      description:
        'The transaction as its entry carried it, as JSON; where it could not be read, the packed value in base64, once an entry.',
    }),
  })
  .meta({ id: 'DeadLetterWithEntry' });

export const deadLetterGroupSchema = z
  .object({
    error_code: z.string(),
    corridor: z.string(),
    dead_letters: z.int(),
    unreadable: z.int().meta({
      description:
        'Of them, those without a transaction: the reconciler looks for what their entries held.',
    }),
    first_failed_at: z.iso.datetime(),
    last_failed_at: z.iso.datetime(),
    cure,
    sample_ids: z.array(z.uuid()),
  })
  .meta({ id: 'DeadLetterGroup' });
export type DeadLetterGroup = z.infer<typeof deadLetterGroupSchema>;

export const deadLetterExample: DeadLetter = {
  dead_letter_id: DEAD_LETTER_ID,
  stream: '{market_0:US-EG:0}:transactions',
  message: { transaction_id: TRANSACTION_ID, account_id: 'acc_17', retry_count: 4 },
  corridor: 'US-EG',
  error: 'scoring failed four times',
  error_code: 'SCORING_FAILED',
  failed_at: '2026-11-20T11:05:00.000Z',
  replayed_at: null,
  purged_at: null,
};

export const withEntryExample: z.infer<typeof deadLetterWithEntrySchema> = {
  ...deadLetterExample,
  cure: CURES.other,
  entry: `{"transaction_id":"${TRANSACTION_ID}","account_id":"acc_17"}`,
};

export const groupExample: DeadLetterGroup = {
  error_code: 'SCORING_FAILED',
  corridor: 'US-EG',
  dead_letters: 3,
  unreadable: 0,
  first_failed_at: '2026-11-20T11:05:00.000Z',
  last_failed_at: '2026-11-20T11:09:30.000Z',
  cure: CURES.other,
  sample_ids: [DEAD_LETTER_ID],
};
