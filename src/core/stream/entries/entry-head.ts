/**
 * The head of an entry: fields as `name=value`, with spaces between them. A field without a value is left out, and a reader
 * skips fields that it does not know, so that another field needs no other version.
 *
 * | field | holds |
 * |---|---|
 * | `attempt` | which attempt the delivery is |
 * | `origin` | how the entry came into the stream |
 * | `deliveries` | deliveries of the entries it was before |
 * | `reply` | instance whose requests wait for the scores |
 * | `row` | open row whose transactions the entry carries |
 */
import { Failure } from '../../../kit/words/failure.ts';

/** How an entry came into the stream: anything but `ingest` may have been folded before. */
export const ENTRY_ORIGINS = ['ingest', 'reconciled', 'retry', 'replay', 'released'] as const;
export type EntryOrigin = (typeof ENTRY_ORIGINS)[number];

/** Fields that all transactions of an entry share. */
export type EntryHead = {
  /** The number of the attempt that this delivery is: 1 the first time. */
  readonly attempt: number;
  readonly origin: EntryOrigin;
  /** Instance whose requests wait for the scores; null when none does. */
  readonly replyTo: string | null;
  /** Open row that its transactions are taken out of once they are final; null for none. */
  readonly rowId: string | null;
};

/** Attempts a transaction has before it is given up. */
export const ATTEMPTS_MAX = 4;

const DELIVERIES = /(?:^| )deliveries=(\d{1,6})(?: |$)/;
const ROW = /(?:^| )row=([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?: |$)/;
const POSTED = /(?:^| )origin=ingest(?: |$)/;
const FIELD = /^([a-z_]{1,32})=(\S{1,256})$/;

export function encodeHead({ attempt, origin, replyTo, rowId }: EntryHead, deliveries = 0): string {
  let head = `attempt=${attempt} origin=${origin}`;
  if (deliveries > 0) head += ` deliveries=${deliveries}`;
  if (replyTo !== null) head += ` reply=${replyTo}`;
  if (rowId !== null) head += ` row=${rowId}`;
  return head;
}

/** Throws a permanent Failure that says what is wrong with it. */
export function decodeHead(head: string | null): EntryHead {
  const values = fieldsOf(head ?? '');
  const attempt = Number(values.get('attempt'));
  if (!Number.isInteger(attempt) || attempt < 1 || attempt > ATTEMPTS_MAX) {
    throw malformed(`attempt is not a whole number from 1 to ${ATTEMPTS_MAX}`);
  }
  const name = values.get('origin') ?? 'missing';
  const origin = ENTRY_ORIGINS.find((known) => known === name);
  if (origin === undefined) throw malformed(`origin ${name.slice(0, 32)} is unknown`);
  return { attempt, origin, replyTo: values.get('reply') ?? null, rowId: rowIdOf(head) };
}

/** Deliveries of the entries that an entry was before; 0 where its head has none. */
export function carriedDeliveries(head: string | null): number {
  return Number(DELIVERIES.exec(head ?? '')?.[1] ?? 0);
}

/** The open row that a head names, also where the rest of the entry cannot be read; null for none. */
export function rowIdOf(head: string | null): string | null {
  return ROW.exec(head ?? '')?.[1] ?? null;
}

/** Whether a post appended the entry; entries of another origin bring transactions that waited elsewhere before. */
export function isPosted(head: string | null): boolean {
  return POSTED.test(head ?? '');
}

function fieldsOf(head: string): ReadonlyMap<string, string> {
  const fields = head.split(' ').map((field) => FIELD.exec(field));
  if (fields.some((field) => field === null)) throw malformed('the head is missing or unreadable');
  return new Map(fields.map((field) => [field?.[1] ?? '', field?.[2] ?? '']));
}

export function malformed(detail: string): Failure {
  return new Failure('permanent', 'ENTRY_MALFORMED', detail);
}
