/** A review case: its states, and its form in the API and in Postgres. A case has the id of its transaction. */
import { z } from 'zod';
import { DISPOSITIONS, type Disposition } from '../../core/domain/disposition.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import { finalDecisionSchema } from './final-decision.ts';
import { CASE_SOURCES, priorityNames } from './policy.ts';

/** `confirming`: waits for a second person; `decided`: can be undone for a while; `closed`: final. */
export type StoredState = 'open' | 'confirming' | 'decided' | 'closed';
/** `claimed` is open with a lock that has not expired. */
export const CASE_STATES = ['open', 'claimed', 'confirming', 'decided', 'closed'] as const;

export const CASE_LIMITS = {
  reasonChars: 1000,
  noteChars: 4000,
  /** As long as the name of a person may be. */
  nameChars: 64,
  /** Most notes and most changes that the answer for one case has. */
  shownRows: 200,
  /** From ten on, the second shortest and second longest time enclose the true median with 98 %. */
  handledMin: 10,
  /** Decisions of a script, as of a sample, fall within a few minutes and tell no pace of people. */
  handledMinutesMin: 30,
  /** Cases that one request decides. */
  decidedCases: 100,
} as const;

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

/** Columns that a case copies from its transaction, in both tables under the same names, with their types. */
const COPIED = {
  transaction_id: 'uuid',
  account_id: 'text',
  merchant_id: 'text',
  device_id: 'text',
  corridor: 'text',
  currency: 'text',
} as const;

/** The columns of review_cases with their types: every statement about cases is made of these lists. */
export const CASE_COLUMNS = {
  copied: COPIED,
  /** Columns that opening a case stores. */
  opening: {
    ...COPIED,
    created_at: 'timestamptz',
    amount: 'numeric',
    market_amount: 'numeric',
    market_currency: 'text',
    rate_day: 'date',
    score: 'int2',
    verdict: 'text',
    reasons: 'text[]',
    source: 'text',
    priority: 'int2',
    due_at: 'timestamptz',
    policy: 'int4',
    opened_by: 'text',
  },
  /** Columns that a step changes. */
  progress: {
    state: 'text',
    assignee: 'text',
    locked_by: 'text',
    locked_until: 'timestamptz',
    claimed_at: 'timestamptz',
    escalated_by: 'text',
    escalated_at: 'timestamptz',
    disposition: 'text',
    decision_reason: 'text',
    decided_by: 'text',
    decided_by_key: 'uuid',
    decided_at: 'timestamptz',
    confirmed_by: 'text',
    confirmed_by_key: 'uuid',
    final_at: 'timestamptz',
  },
  times: { opened_at: 'timestamptz', closed_at: 'timestamptz' },
} as const;

/** Values that a step changes. Times are texts by Postgres' clock and compare as texts. */
export type CaseProgress = Readonly<
  Record<Exclude<keyof typeof CASE_COLUMNS.progress, 'state' | 'disposition'>, string | null>
> & { readonly state: StoredState; readonly disposition: Disposition | null };

/** A row of review_cases under the names of the API. */
export type StoredCase = Omit<CaseJson, 'priority' | 'needs_second_person' | 'decision' | 'state'> &
  CaseProgress & {
    readonly priority: number;
    /** From this amount on two people decide, by the policy that placed the case. */
    readonly four_eyes_amount: string;
    /** Postgres' clock as the row was read. */
    readonly now: string;
  };

/** `now` is the begin of the database transaction. */
export type NewCase = Pick<StoredCase, keyof typeof CASE_COLUMNS.opening | 'now'>;

/** A transaction with what the priority of its case depends on. */
export type LocatedTransaction = Omit<
  NewCase,
  'source' | 'priority' | 'due_at' | 'policy' | 'market_currency' | 'opened_by'
>;

const noteSchema = z
  .object({
    note_id: z.string(),
    written_at: time,
    written_by: z.string(),
    note: z.string(),
  })
  .meta({ id: 'StoredCaseNote' });
/** A case with all that is known of it, in the form of the API. */
export type CaseNote = z.infer<typeof noteSchema>;

const changeSchema = z
  .object({
    changed_at: time,
    who: z.string(),
    action: z.string(),
    after: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'CaseChange' });
export type CaseChange = z.infer<typeof changeSchema>;

export const caseDetailSchema = caseSchema
  .extend({
    notes: z.array(noteSchema).meta({ description: 'Oldest first.' }),
    history: z
      .array(changeSchema)
      .meta({ description: `Newest first, at most ${CASE_LIMITS.shownRows}.` }),
    final_decisions: z.array(finalDecisionSchema).meta({ description: 'Newest first.' }),
  })
  .meta({ id: 'ReviewCaseDetail' });
export type CaseDetail = z.infer<typeof caseDetailSchema>;

/** The person who has a lock on the case; null once the lock has expired. */
export function holderOf({ locked_by, locked_until, now }: StoredCase): string | null {
  return locked_until !== null && locked_until > now ? locked_by : null;
}

/** A time so many milliseconds after another. */
export const later = (time: string, ms: number): string =>
  new Date(Date.parse(time) + ms).toISOString();
