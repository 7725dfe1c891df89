/**
 * Transactions as an entry of a stream delivers them: columns of bytes, each value of which was checked. Texts
 * are made on request: on the hot path only the lookup of a party makes them.
 */
import type { Transaction } from './transaction.ts';

export const UUID_BYTES = 16;
const END_BYTES = 4;
const FLOAT64_BYTES = 8;
/** In an end offset: the text is null. */
export const NULL_BIT = 0x80000000;

/** A text for each row, in UTF-8. */
export class TextColumn {
  readonly #view: DataView;
  /** Where the end offsets stand, u32 each; -1 where all rows share one text. */
  readonly #endsAt: number;
  readonly #start: number;
  readonly #end: number;
  readonly isAscii: boolean;
  #all: string | null | undefined;
  readonly bytes: Buffer;

  /** @param span its texts stand from `start` to `end`; null where every row is null */
  constructor(
    { bytes, view }: { readonly bytes: Buffer; readonly view: DataView },
    span: { start: number; end: number; endsAt: number; isAscii: boolean } | null,
  ) {
    this.bytes = bytes;
    this.#view = view;
    this.#endsAt = span?.endsAt ?? -1;
    this.#start = span?.start ?? 0;
    this.#end = span?.end ?? 0;
    this.isAscii = span?.isAscii ?? true;
    if (span === null) this.#all = null;
  }

  isNull(row: number): boolean {
    if (this.#endsAt < 0) return this.#all === null;
    return this.#view.getUint32(this.#endsAt + row * END_BYTES, true) >= NULL_BIT;
  }

  /** Where a row's text begins in `bytes`. */
  from(row: number): number {
    return this.#endsAt < 0 || row === 0 ? this.#start : this.to(row - 1);
  }

  to(row: number): number {
    if (this.#endsAt < 0) return this.#end;
    return this.#start + (this.#view.getUint32(this.#endsAt + row * END_BYTES, true) & ~NULL_BIT);
  }

  /** A slice keeps the text of the whole column alive: code that keeps it for long must copy it. */
  text(row: number): string | null {
    if (this.isNull(row)) return null;
    if (this.#endsAt >= 0 && !this.isAscii) {
      return this.bytes.toString('utf8', this.from(row), this.to(row));
    }
    this.#all ??= this.bytes.toString(this.isAscii ? 'latin1' : 'utf8', this.#start, this.#end);
    if (this.#endsAt < 0) return this.#all;
    return this.#all.slice(this.from(row) - this.#start, this.to(row) - this.#start);
  }
}

/** The transactions of one entry. */
export type TransactionRows = {
  readonly count: number;
  readonly bytes: Buffer;
  /** The same memory as `bytes`. */
  readonly view: DataView;
  /** Where the ids stand in `bytes`. */
  readonly idsAt: number;
  /** Where the times stand: doubles, little-endian. */
  readonly createdAt: number;
  readonly receivedAt: number;
  readonly account: TextColumn;
  readonly merchant: TextColumn;
  readonly amount: TextColumn;
  readonly currency: TextColumn;
  readonly corridor: TextColumn;
  readonly type: TextColumn;
  readonly ip: TextColumn;
  readonly device: TextColumn;
  readonly country: TextColumn;
  readonly channel: TextColumn;
  readonly declared: TextColumn;
  readonly sender: TextColumn;
};

/** A delivered transaction, whose texts are made anew on each request. */
export class DeliveredTransaction implements Transaction {
  readonly rows: TransactionRows;
  readonly row: number;

  constructor(rows: TransactionRows, row: number) {
    this.rows = rows;
    this.row = row;
  }

  /** Where its id stands in `rows.bytes`. */
  get idAt(): number {
    return this.rows.idsAt + this.row * UUID_BYTES;
  }
  get transactionId(): string {
    return formatUuid(this.rows.bytes, this.idAt);
  }
  get createdAtMs(): number {
    return this.rows.view.getFloat64(this.rows.createdAt + this.row * FLOAT64_BYTES, true);
  }
  get receivedAtMs(): number {
    return this.rows.view.getFloat64(this.rows.receivedAt + this.row * FLOAT64_BYTES, true);
  }
  get accountId(): string {
    return this.rows.account.text(this.row) ?? '';
  }
  get merchantId(): string {
    return this.rows.merchant.text(this.row) ?? '';
  }
  get amount(): string {
    return this.rows.amount.text(this.row) ?? '';
  }
  get currency(): string {
    return this.rows.currency.text(this.row) ?? '';
  }
  get corridor(): string {
    return this.rows.corridor.text(this.row) ?? '';
  }
  get type(): string | null {
    return this.rows.type.text(this.row);
  }
  get ip(): string | null {
    return this.rows.ip.text(this.row);
  }
  get deviceId(): string | null {
    return this.rows.device.text(this.row);
  }
  get country(): string | null {
    return this.rows.country.text(this.row);
  }
  get channel(): string | null {
    return this.rows.channel.text(this.row);
  }
  get declared(): string | null {
    return this.rows.declared.text(this.row);
  }
  /** `traceparent` of the span that sent it; null where its request is not sampled. */
  get sender(): string | null {
    return this.rows.sender.text(this.row);
  }

  /** A copy that keeps no entry alive. */
  toJSON(): Transaction {
    const { transactionId, createdAtMs, receivedAtMs, accountId, merchantId, amount } = this;
    const { currency, corridor, type, ip, deviceId, country, channel, declared } = this;
    return {
      transactionId,
      createdAtMs,
      receivedAtMs,
      accountId,
      merchantId,
      amount,
      currency,
      corridor,
      type,
      ip,
      deviceId,
      country,
      channel,
      declared,
    };
  }
}

/** The order of their ids, which are compared as bytes. */
export function compareIds(one: DeliveredTransaction, other: DeliveredTransaction): number {
  const [view, at, otherView, otherAt] = [one.rows.view, one.idAt, other.rows.view, other.idAt];
  for (let byte = 0; byte < UUID_BYTES; byte += 4) {
    const difference = view.getUint32(at + byte) - otherView.getUint32(otherAt + byte);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function formatUuid(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + UUID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
