/** Erases a subject of an archived market: the files of the archive stay as they are. */
import { canonicalJson } from '../../core/domain/metadata.ts';
import { isPersonalId, isToken } from '../../core/domain/personal.ts';
import { hmacOf, lookupIn, openMarketKey, spelled } from '../../core/store/subject-lookup.ts';
import { appendToLedger, readLedger } from '../../kit/access/erasure-ledger.ts';
import type { Config } from '../../kit/config/config.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Archive } from './archive-file.ts';
import { readRows, SUBJECTS } from './export-table.ts';
import type { FileStore } from './file-stores/file-store.ts';
import type { Folder } from './file-stores/folder.ts';
import {
  apartOf,
  eraseKey,
  finishErasures,
  loadKeys,
  lockKeys,
  requireLedger,
} from './subject-keys.ts';

type Opened = {
  readonly archive: Archive;
  readonly store: FileStore;
  readonly key: Buffer | null;
  readonly subjectKeys: Folder | undefined;
};
type Asked = { readonly field: string; readonly value: string; readonly reason: string };
type Settings = Pick<Config, 'RISK_ERASURE_LEDGER' | 'RISK_PRIVACY_KEYS'>;

/** @throws Failure where a setting or the folder of keys is missing, or the archive has no such subject */
export async function eraseFromArchive(
  opened: Opened,
  { RISK_ERASURE_LEDGER: ledger, RISK_PRIVACY_KEYS: keys }: Settings,
  { field, value, reason }: Asked,
): Promise<{ readonly token: string; readonly isKeyDeleted: boolean }> {
  const { market } = opened.archive;
  const path = requireLedger(ledger, market);
  const apart = apartOf(opened);
  // Two erasures at once would write each other's key back.
  await using _alone = apart && (await lockKeys(apart));
  if (apart !== undefined) await finishErasures(apart);
  const token = isToken(field, value) ? value : await findToken(opened, keys, field, value);
  const isKnown = await findRow(opened, SUBJECTS, (row) => row['token'] === token);
  if (token === undefined || isKnown === undefined)
    throw new Failure('not-found', 'SUBJECT_UNKNOWN', 'the archive has no such subject');
  const erasedAt = new Date();
  // The ledger comes first: where the process ends here, no restore brings the subject back, and a repetition deletes the key.
  if (!(await readLedger(path, market)).has(token))
    await appendToLedger(path, market, [token], erasedAt);
  if (apart === undefined) return { token, isKeyDeleted: false };
  await eraseKey(apart, token, reason, erasedAt.toISOString());
  return { token, isKeyDeleted: true };
}

/** The token of a clear value; undefined where no subject has the value, or only subjects that are erased. */
async function findToken(
  opened: Opened,
  keys: Settings['RISK_PRIVACY_KEYS'],
  field: string,
  value: string,
): Promise<string | undefined> {
  if (keys === undefined) {
    const why =
      'set RISK_PRIVACY_KEYS, or give the token: a clear value is found by the key of the market';
    throw new Failure('invalid', 'PRIVACY_KEYS', why);
  }
  const state = await findRow(opened, 'personal_state', () => true);
  const { key_id: keyId = null, market_key: sealed = null } = state ?? {};
  const marketKey = sealed === null ? null : Buffer.from(sealed.slice('\\x'.length), 'hex');
  const text = spelled(field, isPersonalId(field) ? value : canonicalJson(value));
  const lookup = lookupIn(hmacOf(openMarketKey(keys, { keyId, marketKey })), field, text);
  const isIt = (uuid: string | null | undefined) => uuid?.replaceAll('-', '') === lookup;
  const apart = apartOf(opened);
  if (apart === undefined)
    return (await findRow(opened, SUBJECTS, (row) => isIt(row['lookup'])))?.['token'] ?? undefined;
  return [...(await loadKeys(apart)).keys].find(([, cells]) => cells.some(isIt))?.[0];
}

type Row = Readonly<Record<string, string | null>>;

async function findRow(
  { archive, store, key }: Opened,
  name: string,
  isIt: (row: Row) => boolean,
): Promise<Row | undefined> {
  const table = archive.tables.find((known) => known.name === name);
  if (table === undefined) return undefined;
  const names = table.columns.map((column) => column.name);
  for await (const rows of readRows({ store, archive: archive.market, key }, table))
    for (const cells of rows) {
      const row = Object.fromEntries(names.map((column, at) => [column, cells[at] ?? null]));
      if (isIt(row)) return row;
    }
  return undefined;
}
