/** Compares the rows that the leaves seal with their hashes, and finds rows that no leaf seals. */
import { hash, randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import { isoTime, listMonths } from '../../../core/store/partitions/month-slice.ts';
import { linesOf } from '../../../kit/audit/audit-log.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { FIRST_ID, uuidsIn } from '../../../kit/words/cursor.ts';
import { type Month, monthOf, monthText } from '../../../kit/words/month.ts';
import {
  auditContent,
  type ContentKind,
  canonicalJson,
  type ModelFacts,
  modelContent,
  type RuleSetFacts,
  ruleSetContent,
} from '../log/contents.ts';
import { hashRows } from '../log/score-hash.ts';
import { hashesOf, sha256 } from '../log/tree.ts';
import { ownRuleSetContent } from '../seal/seal.ts';
import { type EntryRow, type LogRow, readEntries } from '../store/evidence-log.ts';
import { hashModels, hashRuleSets, readScoreTexts } from '../store/unsealed.ts';
import { leafSchema, readCovered, readLeaf } from './covered.ts';
import type { Note } from './finding.ts';
import { checkTables } from './tables.ts';

/** Scores of a month that the log covers. */
type OfMonth = [from: string, to: string, uncoveredFrom: Buffer, uncoveredTo: Buffer];
const OF_MONTH = `created_at >= $1 and created_at < $2
      and not exists (select from unnest($3::timestamptz[], $4::timestamptz[]) u (from_at, to_at) where scored_at between from_at and to_at)`;
const [SUM_DIGITS, SUM_END] = [12, 2 ** 48];
const sumScores = onlyOf<{ sum: number }, [...OfMonth, salt: string]>(
  'sum-scores',
  `select (coalesce(sum(('x' || left(md5($5 || transaction_id), ${SUM_DIGITS}))::bit(48)::bigint), 0) % ${SUM_END})::float8 as sum
     from market.scores where ${OF_MONTH}`,
);
const readIds = rowsOf<{ id: string }, [...OfMonth, after: string, rowsMax: number]>(
  'read-score-ids',
  `select transaction_id::text as id from market.scores
    where ${OF_MONTH} and transaction_id > $5 order by transaction_id limit $6`,
);
/** Scores that wait for their leaf; no time where the sealer hashes the score. */
const readWaiting = rowsOf<{ id: string; scoredAtMs: number | null }>(
  'read-unsealed-scores',
  `select unnest(transaction_ids)::text as id, round(date_part('epoch', scored_at) * 1000)::float8 as "scoredAtMs"
     from market.outbox_evidence`,
);
const readLines = linesOf<[ids: readonly string[]]>(
  'read-audit-lines',
  'audit_id = any ($1::bigint[])',
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

/** Months that people took off and did not put back. */
const readTakenOff = rowsOf<{ month: string }>(
  'read-months-taken-off',
  `select subject as month from (
     select distinct on (subject) subject, action from market.audit_log
      where action in ('month.detach', 'month.attach') order by subject, audit_id desc) last
    where action = 'month.detach'`,
);

export async function createRowCheck(query: Query, log: LogRow, note: Note) {
  const months = new Map(
    (await listMonths({ query }, 'scores')).map((range) => [monthOf(range.fromMs), range]),
  );
  const covered = await readCovered(query, log);
  /** Sum of the hashes of scores that the log covers, and whose rows exist or wait, by month. Nobody can choose ids for a salt. */
  const found = new Map<number, number>();
  const salt = randomUUID();
  const hashOf = (id: string) => Number.parseInt(hash('md5', salt + id).slice(0, SUM_DIGITS), 16);
  const away = createAwayCount(query, note);
  const counts = { scores: 0, lines: 0 };
  const wrong: Wrong[] = [];
  const meet = (id: string, scoredAtMs: number) => {
    const month = monthOf(createdAtMsOf(id) ?? 0);
    if (covered.has(scoredAtMs)) found.set(month, ((found.get(month) ?? 0) + hashOf(id)) % SUM_END);
  };

  const addSet = async (entry: EntryRow, sealed: Of<'scores'>) => {
    const { ids, hashes } = openSet(entry, sealed, note);
    const isThere = (id: string) => months.has(monthOf(createdAtMsOf(id) ?? 0));
    const there = ids.filter(isThere);
    away.add(ids.filter((id) => !isThere(id)));
    counts.scores += there.length;
    const rows = new Map(
      (await readScoreTexts(query, there)).map((row) => [row.transactionId, row]),
    );
    for (const [index, id] of ids.entries()) {
      if (!isThere(id)) continue;
      const row = rows.get(id);
      if (row === undefined) {
        note('deleted', `the score ${id}`);
        continue;
      }
      meet(id, row.scoredAtMs);
      const expected = hashes[index];
      if (expected?.equals(hashRows([row]))) continue;
      const hashAs = (transactionId: string) => hashRows([{ ...row, transactionId }]);
      const name = `the score ${id}`;
      wrong.push({ kind: 'scores', name, id, expected: expected?.toString('hex') ?? '', hashAs });
    }
  };

  return {
    add: async (rows: readonly EntryRow[]) => {
      const contents: Content[] = [];
      for (const row of rows) {
        const sealed = readLeaf(leafSchema, row.leaf);
        if (sealed?.kind === 'scores') await addSet(row, sealed);
        else if (sealed?.kind === 'gap')
          note('gap', `nobody sealed from ${sealed.from} to ${sealed.to}`);
        else if (sealed !== undefined) contents.push(sealed);
      }
      const subjects = (of: Content['kind']) =>
        contents.flatMap(({ kind, id }) => (kind === of ? id : []));
      const lines = await readLines(query, subjects('audit'));
      const models = await hashModels(query, subjects('model'));
      const ruleSets = await hashRuleSets(query, subjects('rule-set'));
      wrong.push(...wrongTexts(contents, contentsOf(lines, models, ruleSets), note));
      await checkTables(query, lines, note);
      counts.lines += subjects('audit').length;
    },
    end: async (signal: AbortSignal) => {
      noteWrong(wrong, note);
      const figures = { ...counts, away: await away.end(), from: covered.from };
      for (const { id } of await readUnsealedLines(query, log.logId, log.auditId, LISTED_MAX))
        note('inserted', `line ${id} of the audit log`);
      const waiting = await readWaiting(query);
      for (const { id, scoredAtMs } of waiting) meet(id, scoredAtMs ?? Date.now());
      const known = new Set(waiting.map(({ id }) => id));
      for (const [month, range] of months) {
        const of = [isoTime(range.fromMs), isoTime(range.toMs), ...covered.uncovered] as const;
        const stored = await sumScores(query, ...of, salt);
        if (stored.sum === (found.get(month) ?? 0)) continue;
        const sealed = await readSealed(query, log, month, note, signal);
        for (const id of known)
          if (sealed.has(id)) note('inserted', `the score ${id}, which waits for a second leaf`);
        await findInserted(query, of, (id) => sealed.has(id) || known.has(id), note);
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
    ...lines.map((line) => [`audit ${line.audit_id}`, auditContent(line)] as const),
    ...models.map((finding) => [`model ${finding.model}`, modelContent(finding)] as const),
    ...ruleSets.map((ruleSet) => [`rule-set ${ruleSet.ruleSet}`, ruleSetContent(ruleSet)] as const),
  ]);
}

/** The ids and hashes of a set. The tree has no ids, so a row would hide whose id is cut off. */
function openSet(
  { position, ids: idBytes, hashes: hashBytes }: EntryRow,
  sealed: Of<'scores'>,
  note: Note,
) {
  const [ids, hashes] = [uuidsIn(idBytes ?? EMPTY), hashesOf(hashBytes ?? EMPTY)];
  if (sha256(hashBytes ?? EMPTY).toString('hex') !== sealed.sha256)
    note('edited', `the hashes of leaf ${position}`);
  if (ids.length !== sealed.count)
    note('edited', `the ids of leaf ${position}: ${ids.length}, and ${sealed.count} were sealed`);
  return { ids, hashes };
}

/** Compares lines, models and rule sets with their leaves. */
function wrongTexts(
  sealed: readonly Content[],
  contents: ReadonlyMap<string, string>,
  note: Note,
): Wrong[] {
  const wrong: Wrong[] = [];
  for (const { kind, id, sha256: expected } of sealed) {
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

type Of<Kind extends EntryRow['kind']> = Extract<z.infer<typeof leafSchema>, { kind: Kind }>;
type Content = Of<ContentKind>;

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
  for (const model of wrong) {
    const isMoved = compared.some(
      ({ kind, id, expected }) =>
        kind === model.kind && id !== model.id && model.hashAs(id).toString('hex') === expected,
    );
    note(isMoved ? 'reordered' : 'edited', model.name);
  }
}

/** Finds the scores of a month that no leaf seals. */
async function findInserted(
  query: Query,
  of: Readonly<OfMonth>,
  isKnown: (id: string) => boolean,
  note: Note,
): Promise<void> {
  let after = FIRST_ID;
  for (;;) {
    const page = await readIds(query, ...of, after, PAGE_IDS);
    for (const { id } of page) if (!isKnown(id)) note('inserted', `the score ${id}`);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_IDS) return;
    after = last.id;
  }
}

/** The ids of a month's scores that have a leaf. A second leaf would hide that a row without a leaf was put in. */
async function readSealed(
  query: Query,
  log: LogRow,
  month: number,
  note: Note,
  signal: AbortSignal,
): Promise<Set<string>> {
  const sealed = new Set<string>();
  for (let from = 0; from < log.size; from += PAGE_LEAVES) {
    signal.throwIfAborted();
    const entries = await readEntries(query, log.logId, from, from + PAGE_LEAVES);
    const ids = entries.flatMap((entry) => uuidsIn(entry.ids ?? EMPTY));
    for (const id of ids) {
      if (monthOf(createdAtMsOf(id) ?? 0) !== month) continue;
      if (sealed.has(id)) note('inserted', `a second leaf of the score ${id}`);
      sealed.add(id);
    }
  }
  return sealed;
}

/** Counts sealed scores of months without tables, and names months that nobody took off. */
function createAwayCount(query: Query, note: Note) {
  const counts = new Map<Month, number>();
  return {
    add: (ids: readonly string[]) => {
      for (const id of ids) {
        const month = monthOf(createdAtMsOf(id) ?? 0);
        counts.set(month, (counts.get(month) ?? 0) + 1);
      }
    },
    /** @returns the number of scores that are away */
    end: async (): Promise<number> => {
      const takenOff = new Set((await readTakenOff(query)).map(({ month }) => month));
      let sum = 0;
      for (const [month, count] of counts) {
        sum += count;
        const text = monthText(month);
        if (!takenOff.has(text))
          note('deleted', `scores of ${text}, which nobody took off: ${count}`);
      }
      return sum;
    },
  };
}
