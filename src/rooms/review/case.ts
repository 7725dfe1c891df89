/** A review case: its states, and its form in the API and in Postgres. A case has the id of its transaction. */
import { z } from 'zod';
import { TRANSACTION_ID } from '../../core/accept/examples.ts';
import { DISPOSITIONS, type Disposition } from '../../core/domain/disposition.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import { CASE_SOURCES, priorityNames } from './policy.ts';

/** `confirming`: waits for a second person; `decided`: can be undone for a while; `closed`: final. */
export type StoredState = 'open' | 'confirming' | 'decided' | 'closed';
/** `claimed` is open with a lock that has not expired. */
export const CASE_STATES = ['open', 'claimed', 'confirming', 'decided', 'closed'] as const;

/** The open cases of an account, a merchant or a device are a ring. */
export const RING_PARTIES = ['account', 'merchant', 'device'] as const;
export type RingParty = (typeof RING_PARTIES)[number];

export const CASE_LIMITS = {
  reasonChars: 1000,
  noteChars: 4000,
  fileNameChars: 128,
  fileBytes: 256 * 1024,
  /** Most notes, most files and most changes that the answer for one case has. */
  shownRows: 200,
  /** From ten on, the second shortest and second longest time enclose the true median with 98 %. */
  handledMin: 10,
  /** Cases that one decision on a ring takes. */
  ringCases: 100,
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

export const claimedCase: CaseJson = {
  transaction_id: TRANSACTION_ID,
  state: 'claimed',
  priority: 'P2',
  source: 'verdict',
  due_at: '2026-11-20T13:30:00.000Z',
  opened_at: '2026-11-20T09:30:00.000Z',
  opened_by: 'engine',
  corridor: 'US-EG',
  account_id: 'acc_17',
  merchant_id: 'm_9',
  device_id: 'device-4f2a',
  created_at: '2026-11-20T09:30:00.000Z',
  amount: '125.50',
  currency: 'USD',
  market_amount: '125.50',
  market_currency: 'USD',
  rate_day: null,
  score: 730,
  verdict: 'review',
  reasons: ['VELOCITY_COUNT_1H'],
  policy: 1,
  needs_second_person: false,
  assignee: null,
  locked_by: 'Ann',
  locked_until: '2026-11-20T09:55:00.000Z',
  claimed_at: '2026-11-20T09:40:00.000Z',
  escalated_by: null,
  escalated_at: null,
  decision: null,
  closed_at: null,
};

export const openCase: CaseJson = {
  ...claimedCase,
  state: 'open',
  locked_by: null,
  locked_until: null,
  claimed_at: null,
};

export const decidedCase: CaseJson = {
  ...openCase,
  state: 'decided',
  decision: {
    disposition: 'fraud',
    reason: 'The cardholder did not make it',
    decided_by: 'Ann',
    decided_at: '2026-11-20T09:42:00.000Z',
    confirmed_by: null,
    final_at: '2026-11-20T09:42:10.000Z',
  },
};

/** What a step changes. Times are texts by Postgres' clock and compare as texts. */
export type CaseProgress = Pick<
  CaseJson,
  'assignee' | 'locked_by' | 'locked_until' | 'claimed_at' | 'escalated_by' | 'escalated_at'
> & {
  readonly state: StoredState;
  readonly disposition: Disposition | null;
  readonly decision_reason: string | null;
  readonly decided_by: string | null;
  readonly decided_by_key: string | null;
  readonly decided_at: string | null;
  readonly confirmed_by: string | null;
  readonly confirmed_by_key: string | null;
  readonly final_at: string | null;
};

/** A row of review_cases under the names of the API. */
export type StoredCase = Omit<CaseJson, 'priority' | 'needs_second_person' | 'decision' | 'state'> &
  CaseProgress & {
    readonly priority: number;
    /** From this amount on two people decide, by the policy that placed the case. */
    readonly four_eyes_amount: string;
    /** Postgres' clock as the row was read. */
    readonly now: string;
  };

/** What a person or a policy adds to a transaction as its case opens. */
type Opening = Pick<
  StoredCase,
  'source' | 'priority' | 'due_at' | 'policy' | 'market_currency' | 'opened_by'
>;

/** A transaction with what the priority of its case depends on; `now` is the begin of the database transaction. */
export type LocatedTransaction = Omit<
  StoredCase,
  keyof CaseProgress | keyof Opening | 'opened_at' | 'closed_at' | 'four_eyes_amount'
>;

export type NewCase = LocatedTransaction & Opening;

/** Who has a lock on the case that has not expired. */
export function holderOf({ locked_by, locked_until, now }: StoredCase): string | null {
  return locked_until !== null && locked_until > now ? locked_by : null;
}

/** A time so many milliseconds after another. */
export const later = (time: string, ms: number): string =>
  new Date(Date.parse(time) + ms).toISOString();
