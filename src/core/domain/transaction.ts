/**
 * A transaction: one movement of money submitted for scoring. The wire form is snake_case with the amount as a
 * decimal string; inside the engine it is this camelCase record. The amount never becomes a number outside a
 * feature (`toMinorUnits`).
 *
 * Each field has one check, or two at most (kit/http/body/sure-check.ts): a batch of a thousand is validated in one
 * millisecond, and every extra check of a field costs a tenth of that.
 */

import { z } from 'zod';
import { isAddress, spellAddress } from '../../kit/words/address.ts';
import { codeError } from '../../kit/words/code-error.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { corridorParameter } from '../../kit/words/list-parameters.ts';
import { ID_CHARS_MAX, idText, KEY_CHARS_MAX } from '../../kit/words/plain-text.ts';
import { WRITTEN_MS_MAX, wireTime } from '../../kit/words/wire-time.ts';
import { currencyCode, currencyScale } from './currency.ts';
import { metadataProblem } from './metadata.ts';

/**
 * ISO 3166-1 alpha-2: the officially assigned codes, and XK, which payments use for Kosovo. A code that ISO assigns later
 * is refused until it is listed here.
 */
const CODES = `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
  CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
  FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
  JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
  MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
  PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
  TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW`;
const COUNTRIES = new Set(CODES.trim().split(/\s+/));
/** Codes that ISO has withdrawn since 2000, with the last month of each. */
const WITHDRAWN = new Map([
  ['AN', '2010-12'],
  ['CS', '2006-09'],
  ['TP', '2002-05'],
  ['YU', '2003-07'],
]);

/** Limits on a submitted transaction. Units are in the names. */
export const TRANSACTION_LIMITS = {
  idChars: ID_CHARS_MAX,
  idempotencyKeyChars: KEY_CHARS_MAX,
  labelChars: 64,
  metadataBytes: 4 * 1024,
  /** Earliest `created_at`: 2000-01-01T00:00:00.000Z. */
  createdAtMsMin: Date.UTC(2000, 0, 1),
  /** How far ahead of the receiving clock `created_at` may lie. */
  createdAtAheadMsMax: 24 * 60 * 60 * 1000,
} as const;

/** An accepted transaction, as stored, streamed and scored. Times are epoch milliseconds, UTC. */
export type Transaction = {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly receivedAtMs: number;
  readonly accountId: string;
  readonly merchantId: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly deviceId: string | null;
  readonly country: string | null;
  readonly channel: string | null;
  /** JSON text of the declared metadata fields that have a value; null: none. */
  readonly declared: string | null;
};

export const TRANSACTION_STATUSES = ['accepted', 'scored', 'dead_lettered'] as const;

const AMOUNT = /^(0|[1-9]\d{0,14})(\.\d+)?$/;
const ZERO = /^0(\.0+)?$/;
const COUNTRY = /^[A-Z]{2}$/;

/** Gives the address in its one spelling. */
export const ipAddress = z
  .string()
  .overwrite(spellAddress)
  .refine(
    isAddress,
    'must be an IPv4 or IPv6 address, without port, brackets, zone or prefix length',
  )
  .meta({ example: '203.0.113.7' });

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const metadata = z
  .unknown()
  .superRefine((value, context) => {
    const problem = metadataProblem(value, TRANSACTION_LIMITS.metadataBytes);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, input: value });
  })
  .meta({
    type: 'object',
    additionalProperties: true,
    description:
      'An object of yours, at most 4 KiB of JSON. A number that a double would change, as an order number of 20 digits, is refused: send a text. Rules may read its members that `GET /v1/metadata-fields` lists.',
  });

export const idempotencyKeySchema = idText(TRANSACTION_LIMITS.idempotencyKeyChars);

const ownWord = idText(TRANSACTION_LIMITS.labelChars);

const ANY_ID = `1 to ${TRANSACTION_LIMITS.idChars} characters that people see, in NFC: another form is taken, and becomes NFC. \`.\` and \`..\` are refused.`;

/** A submitted transaction; the key may come from the `Idempotency-Key` header instead. */
export const transactionInputSchema = z
  .strictObject({
    idempotency_key: idempotencyKeySchema
      .meta({
        description:
          'Your name for the payment: 1 to 255 characters that people see, in NFC, the same at every repetition. Needed in a batch and in lines; of a single payment the header `Idempotency-Key` may have it. Known for 90 days, unless the operator sets another time (RISK_IDEMPOTENCY_RETENTION_DAYS).',
      })
      .optional(),
    account_id: idText(TRANSACTION_LIMITS.idChars).meta({
      description: `The account that pays. ${ANY_ID}`,
      example: 'acc_17',
    }),
    merchant_id: idText(TRANSACTION_LIMITS.idChars).meta({
      description: `The merchant that is paid. ${ANY_ID}`,
      example: 'm_9',
    }),
    amount: z
      .string('must be a decimal string, as "125.50"')
      .regex(AMOUNT, {
        error: 'must be a positive decimal string of at most 15 integer digits, as "125.50"',
        abort: true,
      })
      .meta({
        description:
          'A decimal string above zero, without sign or exponent: at most 15 digits before the point, and behind it at most as many as ISO 4217 gives the currency, as 2 of USD, 0 of JPY and 3 of KWD. `125.5` and `125.50` are one amount, but two bodies of an idempotency key.',
        example: '125.50',
      }),
    currency: currencyCode.meta({
      description:
        'The code of ISO 4217 in capitals. A withdrawn one is taken for payments up to the month of its withdrawal, as HRK up to 2023-01.',
      example: 'USD',
    }),
    corridor: corridorParameter.meta({
      description: 'Countries of source and destination: one of `GET /v1/corridors`.',
      example: 'US-EG',
    }),
    created_at: wireTime
      .meta({
        description:
          'When the payment was made: RFC 3339 with a zone, 2000-01-01 or later and at most a day ahead. Old times are accepted as backfills. Absent: when the API receives the payment. Digits behind the millisecond are cut, and each spelling of a time is one time.',
      })
      .optional(),
    type: ownWord
      .meta({
        description:
          "A word of yours for the kind of payment. Any text of 1 to 64 characters; features compare its rate of fraud with the market's.",
        example: 'purchase',
      })
      .optional(),
    ip: ipAddress
      .meta({
        description:
          'Where the payer came from: an IPv4 or IPv6 address, without a port. Each spelling is one address, which answers write as RFC 5952 does, and IPv4 within IPv6 as IPv4.',
      })
      .optional(),
    device_id: idText(TRANSACTION_LIMITS.idChars)
      .meta({ description: `The device of the payer. ${ANY_ID}`, example: 'device-4f2a' })
      .optional(),
    country: z
      .string()
      .regex(COUNTRY, {
        ...codeError((text) => COUNTRY.test(text), 'must be an ISO 3166 alpha-2 code, as US'),
        abort: true,
      })
      .meta({
        description:
          'Where the payer was, as an ISO 3166 alpha-2 code, or an end of the corridor. Features compare it with both ends of the corridor and with the last country of the account.',
        example: 'US',
      })
      .optional(),
    channel: ownWord
      .meta({
        description:
          "A word of yours for the way in which the payment came. Any text of 1 to 64 characters; features compare its rate of fraud with the market's.",
        example: 'app',
      })
      .optional(),
    metadata: metadata.optional(),
  })
  .superRefine(({ amount, currency, country, corridor, created_at }, context) => {
    const ofAmount = amountProblem(amount, currency);
    if (ofAmount !== undefined) {
      context.addIssue({ code: 'custom', path: ['amount'], message: ofAmount, input: amount });
    }
    const ofCountry =
      country === undefined ? undefined : countryProblem(country, corridor, created_at);
    if (ofCountry !== undefined) {
      context.addIssue({ code: 'custom', path: ['country'], message: ofCountry, input: country });
    }
  })
  .meta({ id: 'TransactionInput' });
export type TransactionInput = z.infer<typeof transactionInputSchema>;

/** A submitted transaction whose idempotency key is known: what ingest accepts. */
export type KeyedTransactionInput = TransactionInput & { readonly idempotency_key: string };

/** The fault of an amount in a currency, beside its form. */
export function amountProblem(amount: string, currency: string): string | undefined {
  if (amount.charCodeAt(0) === 48 && ZERO.test(amount))
    return `must be greater than zero, not ${given(amount)}`;
  const point = amount.indexOf('.');
  if (point < 0) return undefined;
  const digits = amount.length - point - 1;
  const scale = currencyScale(currency);
  if (scale === undefined || digits <= scale) return undefined;
  return `must have at most ${scale} decimal places in ${currency}, not ${digits}`;
}

/**
 * Reads `created_at`, in epoch milliseconds, from the id of a transaction: a lower-case UUIDv7, whose time names the partition and
 * whose order is that of (created_at, id). Undefined for any other text, and for years beyond 9999.
 */
export function createdAtMsOf(transactionId: string): number | undefined {
  if (!UUID_V7.test(transactionId)) return undefined;
  const ms = Number.parseInt(transactionId.slice(0, 8) + transactionId.slice(9, 13), 16);
  return ms <= WRITTEN_MS_MAX ? ms : undefined;
}

/**
 * The fault of a country, beside its form. An end of the corridor is none, as features compare the country with it: a
 * corridor may be named UK-NG.
 * @param paidAt a withdrawn code is taken for payments of its time
 */
export function countryProblem(
  country: string,
  corridor: string,
  paidAt?: string,
): string | undefined {
  if (COUNTRIES.has(country) || corridor.split('-').includes(country)) return undefined;
  const lastMonth = WITHDRAWN.get(country);
  if (lastMonth !== undefined && paidAt !== undefined && paidAt.slice(0, 7) <= lastMonth)
    return undefined;
  if (country === 'UK') return 'must be GB, the ISO 3166 code of the United Kingdom';
  return 'must be an ISO 3166 alpha-2 code, as US; leave out a country that is unknown';
}

/** The parties of a transaction whose behaviour is profiled; the last two may be absent. */
export type PartyKind = 'account' | 'merchant' | 'device' | 'address';

/** A party whose activity is summed. */
export type ActiveParty = Exclude<PartyKind, 'address'>;

/** A transaction as an entry of a stream delivers it. */
export type DeliveredTransaction = Transaction & {
  /** `traceparent` of the span that sent it; null where its request is not sampled. */
  readonly sender: string | null;
};

/**
 * Transactions of one commit that one stream entry carries. Their row is open until each of them is final: it has a score, or
 * a dead letter that is not replayed.
 */
export type OpenRow = {
  readonly rowId: string;
  readonly corridor: string;
  /** Shard of its stream when it was opened. */
  readonly shard: number;
  /** Transactions that are not final, at most 128, in the order of their entry. */
  readonly transactionIds: readonly string[];
};

/** A place in the order (created_at, transaction_id). */
export type Position = { readonly createdAtMs: number; readonly transactionId: string };

/** The order of (created_at, transaction_id); canonical lower-case UUIDs compare like their bytes. */
export function comparePositions(left: Position, right: Position): number {
  if (left.createdAtMs !== right.createdAtMs) return left.createdAtMs - right.createdAtMs;
  if (left.transactionId === right.transactionId) return 0;
  return left.transactionId < right.transactionId ? -1 : 1;
}
