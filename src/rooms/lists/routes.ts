/** `/v1/lists`: lists, their entries with the history, and which lists have a value. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, bodyOf, change, list, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { addEntry, createList, endEntry, executeEntry, requireList } from './change.ts';
import { executeImport } from './import.ts';
import { CHANGERS, importLineSchema, importOperations, READERS } from './import-routes.ts';
import {
  ENTRIES_MAX,
  type EntryJson,
  entryParameters,
  entryPath,
  entrySchema,
  foundSchema,
  LISTS_MAX,
  listSchema,
  lookupParameters,
  namePath,
  newEntrySchema,
  newListSchema,
} from './list.ts';
import { findListed, listEntries, readLists } from './store.ts';
import { askedValue, keptValue } from './value.ts';

const HASHED: readonly string[] = ['account', 'merchant', 'device'];

const listOperations = [
  list({
    at: '/v1/lists',
    operationId: 'listLists',
    summary: 'All lists, with reference lists',
    roles: READERS,
    row: listSchema,
    says: 'All lists.',
    rows: (_, { databases: { primary } }: Api) => readLists(primary.query),
  }),
  change({
    at: '/v1/lists',
    operationId: 'createList',
    summary: 'Make a list',
    description: `A market has at most ${LISTS_MAX} lists, each with at most ${ENTRIES_MAX.toLocaleString('en-US')} entries. A list is never changed or deleted.`,
    roles: CHANGERS,
    body: bodyOf(newListSchema),
    answers: { 200: answer('The list.', listSchema) },
    run: ({ body, by }, { databases: { primary } }: Api) => createList(primary, body, by),
  }),
  list({
    at: '/v1/lists/lookup',
    operationId: 'lookUpLists',
    summary: 'Which lists have a value',
    description:
      'Lists of the kind, those of hashes for an account, merchant or device, and of an address each network that has it.',
    roles: READERS,
    query: lookupParameters,
    row: foundSchema,
    says: 'Entries in force.',
    rows: async ({ query: { kind, value: asked }, c }, { databases: { primary } }: Api) => {
      const value = await askedValue(c, kind, asked);
      const lists = await readLists(primary.query);
      const effects = new Map(lists.map((list) => [list.name, list.effect]));
      const ofKind = (wanted: string) =>
        lists.filter((list) => list.kind === wanted).map(({ name }) => name);
      const found = await findListed(primary.query, kind, ofKind(kind), value);
      if (HASHED.includes(kind)) {
        const digest = hash('sha256', value);
        found.push(...(await findListed(primary.query, 'hash', ofKind('hash'), digest)));
      }
      const effectOf = ({ list: name }: EntryJson) => effects.get(name) ?? 'watch';
      return found.map((stop) => ({ ...stop, effect: effectOf(stop) }));
    },
  }),
  list({
    at: '/v1/lists/{name}/entries',
    operationId: 'listEntries',
    summary: 'Entries of a list, newest first, as they are or were',
    roles: READERS,
    path: namePath,
    query: entryParameters,
    row: entrySchema,
    says: 'One page.',
    rows: async ({ path: { name }, query, c }, { databases: { primary } }: Api) => {
      const { kind } = await requireList(primary.query, name);
      const value = query.value && (await askedValue(c, kind, query.value));
      return await listEntries(primary.query, name, { ...query, value });
    },
    cursorOf: ({ entry_id: id }) => id,
  }),
  change({
    at: '/v1/lists/{name}/entries',
    operationId: 'addListEntry',
    summary: 'Add a value to a list',
    description:
      'In force at once in a list that blocks or watches. In an allow list the answer is the approval that another person confirms, and the key must be a person’s. The same again changes nothing; another reason or expiry needs the end of the entry before.',
    roles: CHANGERS,
    path: namePath,
    body: bodyOf(newEntrySchema),
    answers: { 200: answer('The entry, or the approval.', z.union([entrySchema, approvalSchema])) },
    run: async ({ path: { name }, body, by, c }, { databases: { primary } }: Api) => {
      if (c.get('personal') === undefined) return await addEntry(primary, name, body, by);
      const { kind } = await requireList(primary.query, name);
      const value = await keptValue(c, kind, body.value);
      return await addEntry(primary, name, { ...body, value }, by);
    },
  }),
  change({
    method: 'delete',
    at: '/v1/lists/{name}/entries/{id}',
    operationId: 'endListEntry',
    'x-command': 'lists remove',
    summary: 'End an entry; its history stays',
    roles: CHANGERS,
    path: entryPath,
    answers: { 200: answer('The entry.', entrySchema) },
    run: ({ path: { name, id }, by }, { databases: { primary } }: Api) =>
      endEntry(primary, name, id, by),
  }),
];

const operations = [...listOperations, ...importOperations];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'lists'),
  tags: { lists: 'What is allowed, blocked and watched.' },
  schemas: { ListImportLine: importLineSchema },
};

export const open = (api: Api): ApiRoom => ({
  routes: [routesOf(operations, api.limits, { ...api, running: { isOne: false } })],
});

export const executors = { 'list-entry': executeEntry, 'list-import': executeImport };
