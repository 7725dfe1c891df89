/** Changes of lists, each with its row of the audit log in the same commit. The same change again changes nothing. */
import { refuseShared } from '../../kit/access/identities.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { given, oneOf } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { ENGINE, type Officer } from '../../kit/words/principal.ts';
import {
  ENTRIES_MAX,
  type EntryJson,
  isShared,
  LISTS_MAX,
  type ListJson,
  type NewEntry,
  type NewList,
} from './list.ts';
import * as store from './store.ts';
import { readValue } from './value.ts';

type Changing = Pick<Database, 'transaction'>;

const conflict = (code: string, why: string) => new Failure('conflict', code, why);

/** @throws Failure `not-found` */
export async function requireList(query: Query, name: string): Promise<ListJson> {
  const found = await store.findList(query, name);
  if (found !== undefined) return found;
  const names = (await store.readLists(query)).map((readList) => readList.name);
  const known = names.length === 0 ? 'there is none' : `there are ${oneOf(names, 20)}`;
  throw new Failure('not-found', 'LIST_UNKNOWN', `no list is called ${given(name)}: ${known}`);
}

/** @throws Failure where people may not change the list, or there is none */
export async function lockList(query: Query, name: string): Promise<store.LockedList> {
  if (isShared(name)) {
    const why = `${name} is a reference list: the owner role writes it (risk lists import --shared)`;
    throw conflict('REFERENCE_LIST', why);
  }
  return (await store.lockList(query, name)) ?? (await requireList(query, name));
}

export async function createList(
  database: Changing,
  wanted: NewList,
  by: Officer,
): Promise<ListJson> {
  return await database.transaction(async (query) => {
    await store.holdLists(query);
    const { name } = wanted;
    const known = await store.findList(query, name);
    if (known !== undefined) {
      const { effect, kind, description } = known;
      const isSame =
        effect === wanted.effect && kind === wanted.kind && description === wanted.description;
      if (isSame) return known;
      throw conflict(
        'LIST_KNOWN',
        `${name} is a list to ${effect} by ${kind}: choose another name`,
      );
    }
    if ((await store.countLists(query)).lists >= LISTS_MAX) {
      throw conflict('LISTS_FULL', `a market has at most ${LISTS_MAX} lists`);
    }
    await store.addList(query, name, wanted.effect, wanted.kind, wanted.description, by.name);
    const after = await requireList(query, name);
    await recordChange(query, by, { action: 'list.create', subject: name, before: null, after });
    return after;
  });
}

/** The entry is in force at once, or proposed where the list allows. */
export async function addEntry(
  database: Changing,
  name: string,
  wanted: NewEntry,
  by: Officer,
): Promise<EntryJson> {
  return await database.transaction(async (query) => {
    const list = await lockList(query, name);
    const read = readValue(list.kind, wanted.value);
    if ('problem' in read) throw new InvalidFields([{ pointer: '/value', detail: read.problem }]);
    const { value } = read;
    const open = await store.findOpen(query, name, value);
    if (open !== undefined && open.state !== 'expired') return repeated(open, wanted);
    if (open !== undefined) await store.endEntry(query, open, ENGINE);
    requireRoom(list, 1);
    if (list.effect === 'allow') await requirePerson(query, by);
    const id = await store.addEntry(query, list, { ...wanted, value }, by);
    const action = list.effect === 'allow' ? 'list.propose' : 'list.add';
    const after = await requireEntry(query, name, id);
    await recordChange(query, by, { action, subject: name, before: null, after });
    return after;
  });
}

function repeated(
  open: Parameters<typeof store.withoutKey>[0],
  { reason, expires_at }: NewEntry,
): EntryJson {
  const expiresAt = expires_at === undefined ? null : new Date(expires_at).toISOString();
  if (open.reason === reason && open.expires_at === expiresAt) return store.withoutKey(open);
  const { list, value, entry_id: id, added_by: by } = open;
  const why = `${list} has ${given(value)} by ${by} with another reason or expiry: end the entry ${id} first`;
  throw conflict('LISTED_ALREADY', why);
}

export function requireRoom({ name, open_entries }: store.LockedList, more: number): void {
  if (open_entries + more <= ENTRIES_MAX) return;
  throw conflict(
    'LIST_FULL',
    `${name} would have more than ${ENTRIES_MAX} entries: end some first`,
  );
}

const findNobody = onlyOf<{ isNobodys: boolean }, [key: string]>(
  'find-nobody-in-line',
  'select market.is_nobodys($1) as "isNobodys"',
);

/** @throws Failure where anybody may hold the key, so that its holder could approve under another name */
export async function requirePerson(query: Query, { keyId }: Officer): Promise<void> {
  if (!(await findNobody(query, keyId)).isNobodys) return;
  const why =
    'an entry of an allow list is proposed by a person whose key a person has made: this key, or the key that made it, is nobody’s';
  throw conflict('AUTHOR_UNKNOWN', why);
}

async function requireEntry(query: Query, list: string, id: string): Promise<EntryJson> {
  const found = await store.findEntry(query, list, id);
  if (found !== undefined) return store.withoutKey(found);
  throw new Failure('not-found', 'ENTRY_UNKNOWN', `${list} has no entry ${given(id)}`);
}

export async function approveEntry(
  database: Changing,
  name: string,
  id: string,
  by: Officer,
): Promise<EntryJson> {
  return await database.transaction(async (query) => {
    await lockList(query, name);
    const found = await store.findEntry(query, name, id);
    const before =
      found === undefined ? await requireEntry(query, name, id) : store.withoutKey(found);
    if (before.state === 'in_force') return before;
    const { state, import_id: importId } = before;
    if (state !== 'proposed')
      throw conflict('NOT_PROPOSED', `the entry ${id} is ${state}: add it again`);
    if (importId !== null) {
      const why = `the entry ${id} came with the import ${importId}: approve the import`;
      throw conflict('OF_AN_IMPORT', why);
    }
    await refuseShared({ query }, found?.added_by_key ?? null, by.keyId, 'approve');
    await store.approveEntry(query, before, by);
    const after = await requireEntry(query, name, id);
    await recordChange(query, by, { action: 'list.approve', subject: name, before, after });
    return after;
  });
}

/** Ends an entry that is in force, and withdraws a proposed one. */
export async function endEntry(
  database: Changing,
  name: string,
  id: string,
  by: Officer,
): Promise<EntryJson> {
  return await database.transaction(async (query) => {
    await lockList(query, name);
    const before = await requireEntry(query, name, id);
    if (before.valid_to !== null) return before;
    await store.endEntry(query, before, by.name);
    const after = await requireEntry(query, name, id);
    await recordChange(query, by, { action: 'list.end', subject: name, before, after });
    return after;
  });
}
