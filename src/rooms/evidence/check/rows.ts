/** Compares the rows that the leaves seal with their hashes, and finds rows that no leaf seals. */
import { z } from 'zod';
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import { isoTime, listMonths } from '../../../core/store/partitions/month-slice.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { monthOf } from '../../../kit/words/month.ts';
import { canonicalJson } from '../log/canonical.ts';
import {
  auditContent,
  KINDS,
  type ModelFacts,
  modelContent,
  type RuleSetFacts,
  ruleSetContent,
} from '../log/contents.ts';
import { hashRows } from '../log/score-hash.ts';
import { FIRST_ID, idsOf } from '../log/sets.ts';
import { hashesOf, sha256 } from '../log/tree.ts';
import { ownRuleSetContent } from '../seal/seal.ts';
import { type EntryRow, type LogRow, readEntries } from '../store/evidence-log.ts';
import { hashModels, hashRuleSets, hasNewMonth, readScoreTexts } from '../store/unsealed.ts';
import { createAwayCount } from './away.ts';
import type { Note } from './finding.ts';

const countScores = onlyOf<{ count: number }, [from: string, to: string]>(
  'count-scores',
  'select count(*)::float8 as count from market.scores where created_at >= $1 and created_at < $2',
);
/** Ids of scores that wait for their leaf. */
const readWaiting = rowsOf<{ id: string }>(
  'read-evidence-intake',
  'select unnest(transaction_ids)::text as id from market.evidence_intake',
);
type Page = [after: string, from: string, to: string, rowsMax: number, scoredFrom: Date | null];
const readIds = rowsOf<{ id: string }, Page>(
  'read-score-ids',
  `select transaction_id::text as id from market.scores
    where transaction_id > $1 and created_at >= $2 and created_at < $3 and ($5::timestamptz is null or scored_at >= $5)
    order by transaction_id limit $4`,
);
const readLines = rowsOf<AuditEntry, [ids: readonly string[]]>(
  'read-audit-lines',
  `select audit_id::text as "auditId", changed_at as "changedAt", who, key_id as "keyId", action, subject, before, after, request
     from market.audit_log where audit_id = any ($1::bigint[])`,
);
const readUnsealedLines = rowsOf<{ id: string }, [logId: number, auditId: string, rowsMax: number]>(
  'read-lines-without-leaf',
  `select audit_id::text as id from market.audit_log a
    where audit_id <= $2 and not exists (select from market.evidence_entries e
      where e.log_id = $1 and e.kind = 'audit' and e.subject = a.audit_id::text)
    order by audit_id limit $3`,
);

const LISTED_MAX = 100;
const PAGE_IDS = 10_000;
const PAGE_LEAVES = 64;

export async function createRowCheck(query: Query, log: LogRow, note: Note) {
  const months = new Map(
    (await listMonths({ query }, 'scores')).map((range) => [monthOf(range.fromMs), range]),
  );
  /** Number of sealed scores whose rows exist, by month. */
  const found = new Map<number, number>();
  const away = createAwayCount(query, note);
  const counts = { scores: 0, lines: 0 };
  const wrong: Wrong[] = [];

  const addSet = async (entry: SealedEntry) => {
    const { ids, hashes } = openSet(entry, note);
    const isThere = (id: string) => months.has(monthOf(createdAtMsOf(id) ?? 0));
    const there = ids.filter(isThere);
    away.add(ids.filter((id) => !isThere(id)));
    counts.scores += there.length;
    const rows = new Map(
      (await readScoreTexts(query, there)).map((row) => [row.transactionId, row]),
    );
    for (const [index, id] of ids.entries()) {
      const month = monthOf(createdAtMsOf(id) ?? 0);
      if (!months.has(month)) continue;
      const row = rows.get(id);
      if (row === undefined) {
        note('deleted', `the score ${id}`);
        continue;
      }
      found.set(month, (found.get(month) ?? 0) + 1);
      const expected = hashes[index];
      if (expected?.equals(hashRows([row]))) continue;
      const hashAs = (transactionId: string) => hashRows([{ ...row, transactionId }]);
      const name = `the score ${id}`;
      wrong.push({ kind: 'scores', name, id, expected: expected?.toString('hex') ?? '', hashAs });
    }
  };

  return {
    add: async (rows: readonly EntryRow[]) => {
      const entries = readLeaves(rows);
      for (const entry of entries) if (entry.sealed.kind === 'scores') await addSet(entry);
      const subjects = (kind: EntryRow['kind']) =>
        entries.flatMap(({ sealed }) => (sealed.kind === kind ? sealed.id : []));
      const lines = await readLines(query, subjects('audit'));
      const models = await hashModels(query, subjects('model'));
      const ruleSets = await hashRuleSets(query, subjects('rule-set'));
      wrong.push(...wrongTexts(entries, contentsOf(lines, models, ruleSets), note));
      counts.lines += subjects('audit').length;
    },
    end: async (signal: AbortSignal) => {
      noteWrong(wrong, note);
      const figures = { ...counts, away: await away.end() };
      for (const { id } of await readUnsealedLines(query, log.logId, log.auditId, LISTED_MAX))
        note('inserted', `line ${id} of the audit log`);
      if (await hasNewMonth(query, log.auditId)) return figures;
      // Older scores have no leaf until the walk has reached them, so none counts as inserted.
      const scoredFrom = log.walkedTo === null ? null : log.beforeAt;
      const waiting = new Set((await readWaiting(query)).map(({ id }) => id));
      for (const [month, range] of months) {
        const [from, to] = [isoTime(range.fromMs), isoTime(range.toMs)];
        const { count } = await countScores(query, from, to);
        const pending = [...waiting].filter((id) => monthOf(createdAtMsOf(id) ?? 0) === month);
        if (count === (found.get(month) ?? 0) + pending.length) continue;
        await findInserted(query, log, { month, from, to, scoredFrom, waiting, signal }, note);
      }
      return figures;
    },
  };
}

const EMPTY = Buffer.alloc(0);

function contentsOf(
  lines: readonly AuditEntry[],
  models: readonly ModelFacts[],
  ruleSets: readonly RuleSetFacts[],
): ReadonlyMap<string, string> {
  return new Map([
    ...lines.map((line) => [`audit ${line.auditId}`, auditContent(line)] as const),
    ...models.map((one) => [`model ${one.model}`, modelContent(one)] as const),
    ...ruleSets.map((one) => [`rule-set ${one.ruleSet}`, ruleSetContent(one)] as const),
  ]);
}

/** The ids and hashes of a set. The tree has no ids, so a row would hide whose id is cut off. */
function openSet({ position, sealed, ids: idBytes, hashes: hashBytes }: SealedEntry, note: Note) {
  const [ids, hashes] = [idsOf(idBytes ?? EMPTY), hashesOf(hashBytes ?? EMPTY)];
  if (sha256(hashBytes ?? EMPTY).toString('hex') !== sealed.sha256)
    note('edited', `the hashes of leaf ${position}`);
  if (ids.length !== sealed.count)
    note('edited', `the ids of leaf ${position}: ${ids.length}, and ${sealed.count} were sealed`);
  return { ids, hashes };
}

/** Compares lines, models and rule sets with their leaves. */
function wrongTexts(
  entries: readonly SealedEntry[],
  contents: ReadonlyMap<string, string>,
  note: Note,
): Wrong[] {
  const wrong: Wrong[] = [];
  for (const { kind, id, sha256: expected } of entries.map(({ sealed }) => sealed)) {
    if (kind === 'scores') continue;
    const name = `${kind} ${id}`;
    const own = kind === 'rule-set' ? ownRuleSetContent(id) : undefined;
    const content = contents.get(name) ?? own;
    if (content === undefined) {
      note('deleted', name);
      continue;
    }
    if (sha256(content).toString('hex') === expected) continue;
    const hashAs = (as: string) => sha256(canonicalJson({ ...JSON.parse(content), id: as }));
    wrong.push({ kind, name, id, expected, hashAs });
  }
  return wrong;
}

/** The fields of a leaf about its rows. The columns beside a leaf are not in the tree, so nothing is believed that they say. */
const sealedSchema = z.object({
  kind: z.enum(KINDS),
  /** The id of a line, a model or a rule set. */
  id: z.string().default(''),
  sha256: z.string(),
  /** The number of scores of a set. */
  count: z.int().default(0),
});
type SealedEntry = EntryRow & { readonly sealed: z.infer<typeof sealedSchema> };

/** The entries whose leaves still say something; the comparison with the tiles names the others. */
function readLeaves(entries: readonly EntryRow[]): SealedEntry[] {
  return entries.flatMap((entry) => {
    const sealed = readLeaf(entry.leaf);
    return sealed === undefined ? [] : { ...entry, sealed };
  });
}

function readLeaf(leaf: string) {
  try {
    return sealedSchema.safeParse(JSON.parse(leaf)).data;
  } catch {
    return undefined;
  }
}

/** A row whose hash differs from the sealed hash. */
type Wrong = {
  readonly kind: EntryRow['kind'];
  readonly name: string;
  readonly id: string;
  readonly expected: string;
  /** The hash that the row would have under another id. */
  readonly hashAs: (id: string) => Buffer;
};

/** Rows that are compared pairwise to find swaps. Larger: slower; smaller: a swap may count as two edits. */
const SWAPPED_MAX = 200;

/** Notes wrong rows. A row that would be right under the id of another wrong row was swapped with that row. */
function noteWrong(wrong: readonly Wrong[], note: Note): void {
  const compared = wrong.slice(0, SWAPPED_MAX);
  for (const one of wrong) {
    const isMoved = compared.some(
      ({ kind, id, expected }) =>
        kind === one.kind && id !== one.id && one.hashAs(id).toString('hex') === expected,
    );
    note(isMoved ? 'reordered' : 'edited', one.name);
  }
}

/** Finds the scores of a month that no leaf seals. */
async function findInserted(
  query: Query,
  log: LogRow,
  of: {
    month: number;
    from: string;
    to: string;
    scoredFrom: Date | null;
    waiting: ReadonlySet<string>;
    signal: AbortSignal;
  },
  note: Note,
): Promise<void> {
  const sealed = await readSealed(query, log, of);
  let after = FIRST_ID;
  for (;;) {
    const page = await readIds(query, after, of.from, of.to, PAGE_IDS, of.scoredFrom);
    for (const { id } of page)
      if (!sealed.has(id) && !of.waiting.has(id)) note('inserted', `the score ${id}`);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_IDS) return;
    after = last.id;
  }
}

/** The ids of a month's scores that have a leaf. */
async function readSealed(
  query: Query,
  log: LogRow,
  { month, signal }: { readonly month: number; readonly signal: AbortSignal },
): Promise<Set<string>> {
  const sealed = new Set<string>();
  for (let from = 0; from < log.size; from += PAGE_LEAVES) {
    signal.throwIfAborted();
    const entries = await readEntries(query, log.logId, from, from + PAGE_LEAVES);
    const ids = entries.flatMap((entry) => idsOf(entry.ids ?? EMPTY));
    for (const id of ids) if (monthOf(createdAtMsOf(id) ?? 0) === month) sealed.add(id);
  }
  return sealed;
}
