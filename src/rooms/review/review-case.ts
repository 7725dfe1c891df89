/** A review case: the words of its life, and its form in the API. Its id is that of its transaction. */
import { z } from 'zod';
import { DISPOSITIONS, type Disposition } from '../../core/domain/disposition.ts';
import { VERDICTS, type Verdict } from '../../core/domain/score-record.ts';
import {
  CURSOR_DESCRIPTION,
  corridorFilter,
  idParameter,
  pageLimit,
  shown,
} from '../../kit/words/list-parameters.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { CASE_SOURCES, type CaseFacts, type CaseSource, priorityNames } from './review-policy.ts';

/** `confirming`: waits for a second person; `decided`: can be undone for a while; `closed`: final. */
export type StoredState = 'open' | 'confirming' | 'decided' | 'closed';
/** `claimed` is open with a lock that has not expired. */
export const CASE_STATES = ['open', 'claimed', 'confirming', 'decided', 'closed'] as const;

export const CASE_LIMITS = {
  reasonChars: 1000,
  noteChars: 4000,
  fileNameChars: 128,
  fileBytes: 256 * 1024,
  /** Notes, files and steps that the answer for one case has, at most of each. */
  shownRows: 200,
  /** Cases that one decision on a ring takes. */
  ringCases: 100,
} as const;

/** What a step changes. Times are epoch milliseconds by Postgres' clock. */
export type CaseProgress = {
  readonly state: StoredState;
  readonly assignee: string | null;
  readonly lockedBy: string | null;
  readonly lockedUntilMs: number | null;
  readonly claimedAtMs: number | null;
  readonly escalatedBy: string | null;
  readonly escalatedAtMs: number | null;
  readonly disposition: Disposition | null;
  readonly decisionReason: string | null;
  readonly decidedBy: string | null;
  readonly decidedByKey: string | null;
  readonly decidedAtMs: number | null;
  readonly confirmedBy: string | null;
  readonly confirmedByKey: string | null;
  readonly finalAtMs: number | null;
};

/** What a case has of its transaction. */
export type CasedTransaction = Omit<CaseFacts, 'source'> & {
  readonly transactionId: string;
  readonly accountId: string;
  readonly merchantId: string;
  readonly deviceId: string | null;
  readonly corridor: string;
  readonly amount: string;
  readonly currency: string;
  /** Day of the exchange rates; null in the currency of the market, and where there is none. */
  readonly rateDay: string | null;
  /** Null while the transaction has no score. */
  readonly verdict: Verdict | null;
};

export type StoredCase = CaseProgress &
  CasedTransaction & {
    readonly createdAtMs: number;
    readonly source: CaseSource;
    readonly priority: number;
    readonly policy: number;
    /** The currency of the policy that placed the case, in which `marketAmount` is. */
    readonly marketCurrency: string;
    /** From this amount on two people decide, by the policy that placed the case. */
    readonly fourEyesAmount: string;
    readonly openedAtMs: number;
    readonly openedBy: string;
    readonly dueAtMs: number;
    readonly closedAtMs: number | null;
    /** Postgres' clock as the row was read. */
    readonly nowMs: number;
  };

const time = z.iso.datetime();
const who = z.string();

const decisionSchema = z
  .object({
    disposition: z.enum(DISPOSITIONS),
    reason: z.string(),
    decided_by: who,
    decided_at: time,
    confirmed_by: who.nullable(),
    final_at: time
      .nullable()
      .meta({ description: 'Until then it can be undone; null: not confirmed.' }),
  })
  .meta({ id: 'CaseDecision' });

export const caseSchema = z
  .object({
    transaction_id: z.uuid(),
    state: z.enum(CASE_STATES),
    priority: z.enum(priorityNames),
    source: z.enum(CASE_SOURCES),
    due_at: time,
    opened_at: time,
    opened_by: who,
    corridor: z.string(),
    account_id: z.string(),
    merchant_id: z.string(),
    device_id: z.string().nullable(),
    created_at: time.meta({ description: 'Of the transaction.' }),
    amount: z.string(),
    currency: z.string(),
    market_amount: z.string().nullable().meta({
      description:
        'The amount in `market_currency`, by which it compares; null: no exchange rate is known.',
    }),
    market_currency: z.string().meta({ description: 'The currency of the policy that placed it.' }),
    rate_day: z.iso
      .date()
      .nullable()
      .meta({ description: 'Day of the exchange rates; null: none is needed, or none is known.' }),
    score: z.int().nullable(),
    verdict: z.enum(VERDICTS).nullable(),
    reasons: z.array(z.string()),
    policy: z.int().meta({ description: 'Version of the policy that placed it.' }),
    needs_second_person: z.boolean(),
    assignee: who.nullable(),
    locked_by: who
      .nullable()
      .meta({ description: 'Who has claimed it; null once the lock has expired.' }),
    locked_until: time.nullable(),
    claimed_at: time.nullable(),
    escalated_by: who.nullable(),
    escalated_at: time.nullable(),
    decision: decisionSchema.nullable(),
    closed_at: time.nullable(),
  })
  .meta({ id: 'ReviewCase' });
export type CaseJson = z.infer<typeof caseSchema>;

/** `POST /v1/reviews` */
export const newCaseSchema = z
  .strictObject({
    transaction_id: z.uuid().toLowerCase(),
    note: plainText(CASE_LIMITS.reasonChars).optional(),
  })
  .meta({ id: 'NewReviewCase' });

const reason = plainText(CASE_LIMITS.reasonChars);
const disposition = z.enum(DISPOSITIONS);

/** `POST /v1/reviews/{id}/decide` */
export const decideSchema = z.strictObject({ disposition, reason }).meta({ id: 'CaseDisposition' });
export type DecideInput = z.infer<typeof decideSchema>;

/** A step that says why. */
export const reasonSchema = z.strictObject({ reason }).meta({ id: 'CaseReason' });

export const assignSchema = z
  .strictObject({
    assignee: plainText(CASE_LIMITS.fileNameChars)
      .nullable()
      .meta({ description: 'A person of /v1/identities; null: nobody.' }),
  })
  .meta({ id: 'CaseAssignment' });

/** Text of several lines. */
const lines = z
  .string()
  .min(1)
  .max(CASE_LIMITS.noteChars)
  .refine(
    (text) => !text.includes('\u0000') && text.isWellFormed(),
    'must be well-formed text without U+0000',
  );

/** `POST /v1/reviews/{id}/notes` */
export const noteSchema = z.strictObject({ note: lines }).meta({ id: 'CaseNote' });

const BASE64_CHARS_MAX = Math.ceil(CASE_LIMITS.fileBytes / 3) * 4;

/** `POST /v1/reviews/{id}/files` */
export const fileSchema = z
  .strictObject({
    file_name: plainText(CASE_LIMITS.fileNameChars).meta({ example: 'receipt.png' }),
    file_type: z
      .string()
      .regex(/^[a-z]+\/[a-z0-9.+-]{1,64}$/, 'must be a media type, as image/png')
      .meta({ example: 'image/png' }),
    content: z
      .base64('must be base64')
      .min(4)
      .max(BASE64_CHARS_MAX)
      .meta({ description: `Base64 of at most ${CASE_LIMITS.fileBytes} bytes.` }),
  })
  .meta({ id: 'CaseFile' });
export type FileInput = z.infer<typeof fileSchema>;

/** A decision about all open cases of a party. */
export const ringSchema = z
  .strictObject({
    party: z.enum(['account', 'merchant', 'device']),
    id: plainText(CASE_LIMITS.fileNameChars),
    disposition,
    reason,
  })
  .meta({ id: 'RingDecision' });
export type RingInput = z.infer<typeof ringSchema>;

const caseFilters = {
  corridor: corridorFilter,
  priority: z.enum(priorityNames).optional().meta(shown('P1', 'Only this priority.')),
};

/** `POST /v1/reviews/next` */
export const nextSchema = z.strictObject(caseFilters).meta({ id: 'NextReviewCase' });

/** Where a list goes on: `PRIORITY.DUE_AT_MS.ID`, or `c.CLOSED_AT_MS.ID` for closed cases; 14 digits last to the year 5138. */
const CURSOR = /^([0-5c])\.(\d{1,14})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** `GET /v1/reviews?…` */
export const caseListParameters = z.strictObject({
  ...caseFilters,
  state: z
    .enum(CASE_STATES)
    .optional()
    .meta({ description: 'Only this state; absent: all but closed ones.' }),
  assignee: idParameter
    .optional()
    .meta(shown('Ann', 'Only cases that are assigned to this person.')),
  locked_by: idParameter.optional().meta(shown('Ann', 'Only cases that this person has claimed.')),
  account_id: idParameter.optional().meta(shown('acc_17', 'Only this account.')),
  merchant_id: idParameter.optional().meta(shown('m_9', 'Only this merchant.')),
  device_id: idParameter.optional().meta(shown('device-4f2a', 'Only this device.')),
  limit: pageLimit,
  cursor: z
    .string()
    .regex(CURSOR, 'must be the next_cursor of this list')
    .optional()
    .meta(shown('1.1795175000000.01a1f84a-95c0-7000-8000-00000000002a', CURSOR_DESCRIPTION)),
});
export type CaseListParameters = z.output<typeof caseListParameters>;

export type CasePosition = { readonly group: string; readonly atMs: number; readonly id: string };

export function readCaseCursor(cursor: string | undefined): CasePosition | undefined {
  const [, group = '', atMs = '', id = ''] = CURSOR.exec(cursor ?? '') ?? [];
  return group === '' ? undefined : { group, atMs: Number(atMs), id };
}

export function writeCaseCursor({ group, atMs, id }: CasePosition): string {
  return `${group}.${atMs}.${id}`;
}
