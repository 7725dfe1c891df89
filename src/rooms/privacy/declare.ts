/** Declares a personal field, before the market stores clear values of the field. */
import { randomBytes } from 'node:crypto';
import {
  isPersonalId,
  PERSONAL_FIELDS_MAX,
  type PersonalId,
  pathIn,
} from '../../core/domain/personal.ts';
import { isDetached, listMonthTables } from '../../core/store/partitions/partitions.ts';
import { MARKET_KEY } from '../../core/store/subject-lookup.ts';
import { tokensAlone } from '../../core/store/transactions/personal-checks.ts';
import { KEY_BYTES, seal } from '../../kit/access/seal.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Officer } from '../../kit/words/principal.ts';
import type { PrivacySettings } from './open-personal.ts';
import {
  addField,
  type FieldJson,
  findClear,
  findMetadataField,
  listFields,
  lockState,
  raiseState,
} from './store.ts';

const refuse = (code: string, why: string): never => {
  throw new Failure('conflict', code, why);
};

/** Kinds of lists that may have clear values of an id. */
const LISTS: Readonly<Record<PersonalId, readonly string[]>> = {
  account_id: ['account', 'hash'],
  device_id: ['device', 'hash'],
  ip: ['address'],
};

/** The same declaration again changes nothing. */
export async function declareField(
  database: Pick<Database, 'transaction'>,
  { keys }: PrivacySettings,
  field: string,
  by: Officer,
): Promise<FieldJson> {
  return await database.transaction(async (query) => {
    const { keyId, marketKey } = await lockState(query);
    const known = await listFields(query);
    const same = known.find((declared) => declared.field === field);
    if (same !== undefined) return same;
    if (known.length >= PERSONAL_FIELDS_MAX)
      refuse('PERSONAL_FULL', `a market has at most ${PERSONAL_FIELDS_MAX} personal fields`);
    await refuseClear(query, field);
    await query({ text: tokensAlone(field, known.length) });
    const after = await addField(query, field, by.name);
    const [wrapping] = keys;
    if (keyId === null || marketKey === null)
      await raiseState(
        query,
        wrapping.keyId,
        seal(wrapping.key, randomBytes(KEY_BYTES), MARKET_KEY),
      );
    else await raiseState(query, keyId, marketKey);
    const change = { action: 'personal.declare', subject: field, before: null, after } as const;
    await recordChange(query, by, change);
    return after;
  });
}

/** @throws Failure where the market has values of the field in clear, or rules read it */
async function refuseClear(query: Query, field: string): Promise<void> {
  const clear = await findClear(query, isPersonalId(field) ? LISTS[field] : []);
  const months = await listMonthTables(query);
  const detached = [...months.values()].some((tables) => isDetached(tables));
  if (clear !== undefined || detached) {
    const has = clear?.found ?? 'detached months';
    refuse(
      'PERSONAL_LATE',
      `the market has ${has}, and a field is declared before a market's first transaction: declare it in another market, then take the history there with risk export, risk replay and risk labels import`,
    );
  }
  const [member] = pathIn(field);
  const read = member === undefined ? undefined : await findMetadataField(query, member);
  if (read !== undefined) {
    refuse(
      'PERSONAL_READ',
      `rules may read metadata.${read.name}, as a metadata field: withdraw it`,
    );
  }
}
