/**
 * What the client knows: which keys it sent, and which transaction each was acknowledged as. Kept
 * apart from everything the engine stores, so that the checker has something to hold against it.
 */
export type Acknowledgement = { readonly key: string; readonly transactionId: string };

export type Ledger = {
  /** Before a key is sent for the first time. */
  sending(keys: readonly string[]): void;
  /** A 2xx answer. A key answered again must name the same transaction. */
  acknowledged(answers: readonly Acknowledgement[]): void;
  /** An attempt whose outcome the client cannot know: it broke or was refused. */
  indeterminate(): void;
  /** Transaction by key. */
  readonly entries: ReadonlyMap<string, string>;
  readonly counts: LedgerCounts;
};

export type LedgerCounts = {
  readonly sent: number;
  readonly acknowledged: number;
  /** Answers to keys that had been acknowledged before. */
  readonly repeated: number;
  readonly indeterminate: number;
  /** A key acknowledged as two transactions, or a transaction under two keys. */
  readonly contradictions: number;
};

export function openLedger(): Ledger {
  const sent = new Set<string>();
  const byKey = new Map<string, string>();
  const byTransaction = new Map<string, string>();
  let repeated = 0;
  let indeterminate = 0;
  let contradictions = 0;
  return {
    sending: (keys) => {
      for (const key of keys) sent.add(key);
    },
    acknowledged: (answers) => {
      for (const { key, transactionId } of answers) {
        const known = byKey.get(key);
        if (known !== undefined) repeated++;
        const otherKey = byTransaction.get(transactionId);
        const same = (known ?? transactionId) === transactionId && (otherKey ?? key) === key;
        if (!same) contradictions++;
        byKey.set(key, transactionId);
        byTransaction.set(transactionId, key);
      }
    },
    indeterminate: () => {
      indeterminate++;
    },
    entries: byKey,
    get counts() {
      return {
        ...{ sent: sent.size, acknowledged: byKey.size, repeated },
        ...{ indeterminate, contradictions },
      };
    },
  };
}
