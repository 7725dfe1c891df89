/** Finds what makes a migration wrong, before anything is changed: all of it at once, each with its cure. */
import { isPersonalId, pathIn, tokenPattern } from '../../../core/domain/personal.ts';
import { isDetached, listMonthTables } from '../../../core/store/partitions/partitions.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { monthText } from '../../../kit/words/month.ts';
import { VALUES } from '../catalogue.ts';
import { findMetadataField } from '../store.ts';

const findLog = firstOf<{ origin: string }>(
  'find-evidence-log',
  'select origin from market.evidence_logs limit 1',
);
/** Lists by whose entries a value can be guessed, or whose entries would match no token. */
const listLists = rowsOf<{ name: string; what: string }>(
  'list-lists-against-tokens',
  `select distinct l.name, case when l.kind = 'hash' then 'hashes' else 'networks' end as what
     from market.lists l join market.list_entries e on e.list = l.name and e.valid_to is null
    where l.kind = 'hash' or l.kind = 'address' and position('/' in e.value) > 0 order by l.name`,
);
const listReferences = rowsOf<{ name: string; kind: string }>(
  'list-references-against-tokens',
  `select name, kind from shared.reference_lists where kind in ('account', 'device', 'address', 'hash') order by name`,
);
/** Finds a score whose rules have read a member of metadata. */
export const findInput = firstOf<{ id: string }, [name: string]>(
  'find-score-by-rule-input',
  'select transaction_id::text as id from market.scores where rule_inputs -> $1 is not null limit 1',
);
const KIND_OF: Readonly<Record<string, string>> = {
  account_id: 'account',
  device_id: 'device',
  ip: 'address',
};

/**
 * @param state of the market, which the failure says after the reasons
 * @throws Failure that names every reason
 */
export async function refuseMigration(
  query: Query,
  fields: readonly string[],
  state = 'the market stays open',
): Promise<void> {
  const reasons = [
    ...(await ofEvidence(query)),
    ...(await ofMonths(query)),
    ...(await ofLists(query, fields)),
    ...(await ofRules(query, fields)),
    ...(await ofTokens(query, fields)),
  ];
  refuse(reasons, state);
}

/** A month that leaves while its rows are rewritten keeps the clear ones. @throws Failure that names each such month */
export async function refuseDetachedMonths(query: Query): Promise<void> {
  refuse(await ofMonths(query), 'the market stays closed until the command is run again');
}

function refuse(reasons: readonly string[], state: string): void {
  if (reasons.length === 0) return;
  throw new Failure('conflict', 'PERSONAL_LATE', [...reasons, state].join('; '));
}

async function ofEvidence(query: Query): Promise<string[]> {
  const log = await findLog(query);
  if (log === undefined) return [];
  return [
    `the log of evidence ${log.origin} has sealed scores with clear ids, which would no longer agree: a market is sealed after its migration, not before`,
  ];
}

async function ofMonths(query: Query): Promise<string[]> {
  const months = [...(await listMonthTables(query))].filter(([, tables]) => isDetached(tables));
  return months.map(([month]) => {
    const name = monthText(month);
    return `the month ${name} is cold or detached, and nobody rewrites its rows: risk archive restore ${name}, or risk partitions attach ${name}, or drop it`;
  });
}

async function ofLists(query: Query, fields: readonly string[]): Promise<string[]> {
  const isHashed = fields.includes('account_id') || fields.includes('device_id');
  const own = (await listLists(query))
    .filter(({ what }) => (what === 'hashes' ? isHashed : fields.includes('ip')))
    .map(
      ({ name, what }) => `the list ${name} has ${what}, which match no token: end these entries`,
    );
  const kinds = new Set(fields.map((field) => KIND_OF[field]));
  const shared = (await listReferences(query))
    .filter(({ kind }) => kinds.has(kind) || (kind === 'hash' && isHashed))
    .map(
      ({ name }) =>
        `the reference list ${name} of all markets has clear values, which match no token`,
    );
  return [...own, ...shared];
}

async function ofRules(query: Query, fields: readonly string[]): Promise<string[]> {
  const reasons: string[] = [];
  for (const field of fields) {
    const [member] = pathIn(field);
    if (member === undefined) continue;
    if ((await findMetadataField(query, member)) !== undefined)
      reasons.push(
        `rules may read metadata.${member}, as a metadata field: risk metadata withdraw ${member}`,
      );
    const score = await findInput(query, `metadata.${member}`);
    if (score !== undefined)
      reasons.push(
        `rules have read metadata.${member}, so the score of ${score.id} was made of its clear value, which stays as long as its month: drop the months that have such scores`,
      );
  }
  return reasons;
}

/** A clear value that looks like a token would stay, and could be another value's token. */
async function ofTokens(query: Query, fields: readonly string[]): Promise<string[]> {
  const reasons: string[] = [];
  for (const { table, column, field } of VALUES) {
    if (table !== 'transactions' || !fields.includes(field) || !isPersonalId(field)) continue;
    const [found] = await query<{ id: string }>(
      {
        text: `select transaction_id::text as id from market.transactions where ${column} like '${field === 'ip' ? '3fff:' : 'tok\\_'}%' and ${column} ~ $1 limit 1`,
      },
      [tokenPattern(field)],
    );
    if (found === undefined) continue;
    reasons.push(
      `${field} of transaction ${found.id} looks like a token, though ${field} is not declared: nobody could tell it from one`,
    );
  }
  return reasons;
}
