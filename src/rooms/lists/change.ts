/** Changes of lists, each with its row of the audit log in the same commit. The same change again changes nothing. */
import type { Approval } from '../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { given, oneOf } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { ENGINE, type Officer } from '../../kit/words/principal.ts';
import {
  ENTRIES_MAX,
  type EntryJson,
  isShared,
  LISTS_MAX,
  type ListJson,
  listName,
  type NewEntry,
  type NewList,
  newEntrySchema,
} from './list.ts';
import * as store from './store.ts';
import { checkedValue } from './value.ts';

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

/** The entry is in force at once, or waits for a second person where the list allows. */
export async function addEntry(
  database: Changing,
  name: string,
  wanted: NewEntry,
  by: Officer,
): Promise<EntryJson | Approval> {
  return await database.transaction(async (query) => {
    const list = await lockList(query, name);
    const value = checkedValue(list.kind, wanted.value);
    const entry = { ...wanted, value };
    const open = await store.findOpen(query, name, value);
    if (open !== undefined && open.state !== 'expired') return repeated(open, wanted);
    requireRoom(list, 1);
    if (list.effect !== 'allow') return await storeEntry(query, list, entry, open, by);
    const asked = { subject: `${name} ${value}`, detail: { list: name, ...entry } };
    return await propose(query, { kind: 'list-entry', ...asked, reason: wanted.reason }, by);
  });
}

const askedSchema = newEntrySchema.extend({ list: listName });

/** Puts an entry of an allow list in force that another person confirms. */
export const executeEntry: Execute<unknown> = async (query, { detail, ...approval }, by) => {
  const { list: name, ...entry } = checkFields(askedSchema, detail);
  const list = await lockList(query, name);
  const open = await store.findOpen(query, name, entry.value);
  if (open !== undefined && open.state !== 'expired') throw listedAlready(open);
  return await storeEntry(query, list, entry, open, by, approval);
};

async function storeEntry(
  query: Query,
  list: store.LockedList,
  entry: NewEntry,
  expired: EntryJson | undefined,
  by: Officer,
  approval?: store.Approved,
): Promise<EntryJson> {
  const { name } = list;
  if (expired !== undefined) await store.endEntry(query, expired, ENGINE);
  requireRoom(list, 1);
  const id = await store.addEntry(query, list, entry, by, approval);
  const after = await requireEntry(query, name, id);
  await recordChange(query, by, { action: 'list.add', subject: name, before: null, after });
  return after;
}

function repeated(open: EntryJson, { reason, expires_at }: NewEntry): EntryJson {
  const expiresAt = expires_at === undefined ? null : new Date(expires_at).toISOString();
  if (open.reason === reason && open.expires_at === expiresAt) return open;
  throw listedAlready(open);
}

function listedAlready({ list, value, entry_id: id, added_by: by }: EntryJson): Failure {
  const why = `${list} has ${given(value)} by ${by}, perhaps with another reason or expiry: end the entry ${id} first`;
  return conflict('LISTED_ALREADY', why);
}

export function requireRoom({ name, open_entries }: store.LockedList, more: number): void {
  if (open_entries + more <= ENTRIES_MAX) return;
  throw conflict(
    'LIST_FULL',
    `${name} would have more than ${ENTRIES_MAX} entries: end some first`,
  );
}

async function requireEntry(query: Query, list: string, id: string): Promise<EntryJson> {
  const found = await store.findEntry(query, list, id);
  if (found !== undefined) return found;
  throw new Failure('not-found', 'ENTRY_UNKNOWN', `${list} has no entry ${given(id)}`);
}

/** Ends an entry that is in force. */
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
