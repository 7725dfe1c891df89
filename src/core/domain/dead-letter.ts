/** A transaction, or an unreadable stream entry, that was given up: a row in `dead_letters`, with a rebuildable copy in Redis. */

/** The fields written when an entry is given up. Times are epoch milliseconds, UTC. */
export type DeadLetter = {
  /** Null when not even the ids of the entry could be read, or not all of them. */
  readonly transactionId: string | null;
  readonly createdAtMs: number | null;
  /** Null when the entry could not be read: then the stored transaction has it. */
  readonly accountId: string | null;
  readonly corridor: string;
  /** The stream and entry id it was read from. */
  readonly stream: string;
  readonly entryId: string;
  /** Open row that its entry names. */
  readonly rowId: string | null;
  readonly attempts: number;
  readonly errorCode: string;
  readonly error: string;
  /** The transaction as JSON, or the unreadable bytes in base64, cut to `DEAD_LETTER_ENTRY_CHARS_MAX`. */
  readonly entry: string;
  readonly failedAtMs: number;
};

export const DEAD_LETTER_ENTRY_CHARS_MAX = 16 * 1024;
export const DEAD_LETTER_ERROR_CHARS_MAX = 1024;
