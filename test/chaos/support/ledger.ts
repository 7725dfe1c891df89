/**
 * The client's knowledge, noted line by line while a scenario runs: which keys were sent, how each was answered, what the
 * concurrent reader saw. The checker compares the ledger with the stores; nothing of the engine writes here.
 */
export type Acknowledgement = { readonly key: string; readonly transactionId: string };
export type SeenScore = {
  readonly transactionId: string;
  readonly scoredAtMs: number;
  readonly score: number;
};
/** Figures that the engine reports, by their name in the checker. */
export type Told = Readonly<Record<string, number>>;

export type LedgerLine =
  /** Before a key is sent for the first time. */
  | { readonly kind: 'sent'; readonly keys: readonly string[] }
  /** A 2xx answer. A key answered again must name the same transaction. */
  | { readonly kind: 'acknowledged'; readonly answers: readonly Acknowledgement[] }
  /** An attempt was answered 429 or 503. */
  | { readonly kind: 'refused'; readonly status: number }
  /** An attempt broke; its effect is unknown. */
  | { readonly kind: 'unknown' }
  /** An answer that no fault excuses. */
  | { readonly kind: 'improper'; readonly status: number; readonly text: string }
  /** The client gives these keys up; its last attempt was refused, or broke. */
  | {
      readonly kind: 'left';
      readonly as: 'refused' | 'unknown';
      readonly keys: readonly string[];
    }
  /** Keys that may end as dead letters: the suite spoiled them. */
  | { readonly kind: 'condemned'; readonly keys: readonly string[] }
  /** Entries the suite put into streams that belong to no transaction: one dead letter each. */
  | { readonly kind: 'planted'; readonly entries: number }
  /** Postgres was restored to before these answers, which its client has to forget, and to before some scores. */
  | {
      readonly kind: 'rewound';
      readonly keys: readonly string[];
      readonly unscored: readonly string[];
    }
  /** Redis lost its data: events of before may be missing. */
  | { readonly kind: 'wiped' }
  /** Redis had no room: events may be missing. */
  | { readonly kind: 'crowded' }
  /** Scores that the concurrent reader saw, each once and whenever it differs. */
  | { readonly kind: 'seen'; readonly scores: readonly SeenScore[] }
  /** Transactions the concurrent reader saw with more than one score. */
  | { readonly kind: 'doubled'; readonly ids: readonly string[] }
  /** A key sent once more at rest. */
  | {
      readonly kind: 'replayed';
      readonly key: string;
      readonly transactionId: string;
      readonly createdAtMs: number;
    }
  /** Dispositions that the newest final decision on a transaction may have, by what its reviewers were answered; none: no decision. */
  | { readonly kind: 'reviewed'; readonly id: string; readonly may: readonly string[] }
  | { readonly kind: 'told'; readonly figures: Told };

export type LedgerCounts = {
  readonly sent: number;
  readonly acknowledged: number;
  /** Answers to keys that had been acknowledged before. */
  readonly repeated: number;
  /** Attempts. */
  readonly refused: number;
  readonly unknown: number;
  readonly improper: number;
  /** Keys that were given up. */
  readonly leftRefused: number;
  readonly leftUnknown: number;
  /** A key acknowledged as two transactions, or a transaction under two keys. */
  readonly contradictions: number;
  /** Scores the reader saw change, and transactions it saw doubled. */
  readonly changed: number;
  readonly doubled: number;
  readonly planted: number;
  /** Keys whose answers a restore took back. */
  readonly rewound: number;
};

export type Ledger = ReturnType<typeof openLedger>;

export function openLedger() {
  const sent = new Set<string>();
  const condemned = new Set<string>();
  const left = { refused: new Set<string>(), unknown: new Set<string>() };
  /** Transaction by key. */
  const byKey = new Map<string, string>();
  const byTransaction = new Map<string, string>();
  /** When each of these keys was first answered. */
  const answeredMs = new Map<string, number>();
  /** Transactions in the order of their first answers. */
  const ids: string[] = [];
  const seen = new Map<string, SeenScore>();
  const replays: Extract<LedgerLine, { kind: 'replayed' }>[] = [];
  const reviewed = new Map<string, readonly string[]>();
  const doubled = new Set<string>();
  const attempts = { refused: 0, unknown: 0, improper: 0 };
  let told: Told = {};
  let [repeated, contradictions, changed, planted, rewound] = [0, 0, 0, 0, 0];
  let [wiped, crowded] = [false, false];
  /** The first improper answer, for people. */
  let improper: string | undefined;

  const acknowledge = ({ key, transactionId }: Acknowledgement) => {
    const known = byKey.get(key);
    if (known !== undefined) repeated++;
    if (!byTransaction.has(transactionId)) ids.push(transactionId);
    const otherKey = byTransaction.get(transactionId);
    const same = (known ?? transactionId) === transactionId && (otherKey ?? key) === key;
    if (!same) contradictions++;
    if (known === undefined) answeredMs.set(key, Date.now());
    byKey.set(key, transactionId);
    byTransaction.set(transactionId, key);
  };
  const rewind = (keys: readonly string[], unscored: readonly string[]) => {
    for (const key of keys) {
      const id = byKey.get(key) ?? '';
      rewound += byKey.delete(key) ? 1 : 0;
      byTransaction.delete(id);
      answeredMs.delete(key);
      seen.delete(id);
    }
    for (const id of unscored) seen.delete(id);
  };
  const see = (score: SeenScore) => {
    const before = seen.get(score.transactionId);
    if (before === undefined) seen.set(score.transactionId, score);
    else if (!sameScore(before, score)) changed++;
  };
  const note = (line: LedgerLine): void => {
    switch (line.kind) {
      case 'sent':
        for (const key of line.keys) sent.add(key);
        return;
      case 'acknowledged':
        for (const answer of line.answers) acknowledge(answer);
        return;
      case 'refused':
      case 'unknown':
        attempts[line.kind]++;
        return;
      case 'improper':
        attempts.improper++;
        improper ??= `${line.status} ${line.text}`;
        return;
      case 'left':
        for (const key of line.keys) left[line.as].add(key);
        return;
      case 'condemned':
        for (const key of line.keys) condemned.add(key);
        return;
      case 'planted':
        planted += line.entries;
        return;
      case 'rewound':
        rewind(line.keys, line.unscored);
        return;
      case 'wiped':
        wiped = true;
        return;
      case 'crowded':
        crowded = true;
        return;
      case 'seen':
        for (const score of line.scores) see(score);
        return;
      case 'doubled':
        for (const id of line.ids) doubled.add(id);
        return;
      case 'replayed':
        replays.push(line);
        return;
      case 'reviewed':
        reviewed.set(line.id, line.may);
        return;
      case 'told':
        told = { ...told, ...line.figures };
        return;
    }
  };
  return {
    ...{ note, entries: byKey, answeredMs, ids, sent, condemned, seen, replays, reviewed },
    get told() {
      return told;
    },
    get wiped() {
      return wiped;
    },
    get crowded() {
      return crowded;
    },
    get improper() {
      return improper;
    },
    get counts(): LedgerCounts {
      return {
        ...{ sent: sent.size, acknowledged: byKey.size, repeated, ...attempts },
        ...{ leftRefused: left.refused.size, leftUnknown: left.unknown.size },
        ...{ contradictions, changed, doubled: doubled.size, planted, rewound },
      };
    },
  };
}

export function sameScore(a: SeenScore, b: SeenScore): boolean {
  return a.scoredAtMs === b.scoredAtMs && a.score === b.score;
}
