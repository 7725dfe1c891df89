/**
 * Goal: a row becomes a command by what the document says. Method: a server that records the request, and a document of
 * a few operations; test/unit/docs reads the usage of every real command, which fails where a row does not fit.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { UsageError, usageOf } from '../../../../src/kit/command/command.ts';
import { commandOf } from '../../../../src/kit/command/rows.ts';
import { runCommand } from '../../../support/run-command.ts';

const id = z.string().meta({ description: 'The thing.' });
const responses = { 200: { description: 'It is done.' } };
const body = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });
const PATHS: ZodOpenApiPathsObject = {
  '/v1/things': {
    get: {
      ...{ operationId: 'listThings', summary: 'Things', responses },
      requestParams: {
        query: z.object({
          kind: z.enum(['red', 'blue']).optional().meta({ description: 'Only this kind.' }),
          open: z.boolean().optional().meta({ description: 'Only open ones.' }),
          limit: z.int().min(1).max(200).default(50),
          cursor: z.string().optional(),
        }),
        header: z.object({
          'Thing-Note': z.string().optional(),
        }),
      },
    },
  },
  '/v1/things/{id}': {
    post: {
      ...{ operationId: 'changeThing', summary: 'Change a thing', responses },
      requestParams: { path: z.object({ id }) },
      requestBody: body(
        z.object({
          name: z.string(),
          owner: z.string().nullable(),
          size: z.number().min(0).max(1).optional(),
          tags: z.array(z.enum(['new', 'old'])).optional(),
        }),
      ),
    },
    delete: {
      ...{ operationId: 'deleteThing', summary: 'Delete a thing', responses },
      requestParams: { path: z.object({ id }) },
    },
  },
  '/v1/other-things/{id}/parts/{part_id}': {
    get: {
      ...{ operationId: 'listParts', summary: 'Parts', 'x-command': 'things parts' },
      requestParams: { path: z.object({ id, part_id: id }) },
      responses: {
        200: {
          description: 'All of them.',
          ...body(
            z.object({
              items: z.array(
                z.object({ part: z.string(), of: z.object({}), size: z.int().nullable() }),
              ),
            }),
          ),
        },
      },
    },
  },
};

const command = commandOf({
  name: 'things',
  summary: 'Lists and changes things.',
  notes: 'Example: risk things list',
  document: async () => ({ paths: PATHS }),
  actions: {
    list: {
      operation: 'listThings',
      columns: ['thing_id', 'tags', { field: 'owner.name', title: 'whose' }],
      flags: { shut: { summary: 'Only shut ones.', fields: { open: false } } },
    },
    rename: { operation: 'changeThing', words: { NAME: 'name' }, options: { tag: 'tags' } },
    show: { operation: 'changeThing', fields: { name: 'x' }, shows: 'thing' },
    delete: { operation: 'deleteThing', says: 'The thing is deleted.' },
  },
});

let requests: string[];
let answers: (object | undefined)[];
const serve = async (request: IncomingMessage, response: ServerResponse) => {
  const { method, url, headers } = request;
  const note = headers['thing-note'] ?? '';
  requests.push([method, url, note, await text(request)].filter(Boolean).join(' '));
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  response.writeHead(answer === undefined ? 204 : 200).end(answer && JSON.stringify(answer));
};
const server = createServer((request, response) => void serve(request, response));
beforeAll(() => new Promise<void>((done) => void server.listen(0, '127.0.0.1', done)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  answers = [{}];
});

const run = async (...args: string[]) => {
  const { port } = server.address() as AddressInfo;
  return (await runCommand(command, { RISK_URL: `http://127.0.0.1:${port}` }, args)).stdout;
};

test('options, words and fixed fields go where the document has them', async () => {
  answers = [{ items: [], next_cursor: null }];
  await run('list', '--kind', 'red', '--open', '--thing-note', 'abc');
  await run('list', '--shut', '--limit', '7');
  await run('rename', 'a/b', 'new name', '--size', '0.5', '--tag', 'new', '--tag', 'old');
  await run('--json', 'show', '1');
  expect(requests).toEqual([
    'GET /v1/things?kind=red&open=true&limit=50 abc',
    'GET /v1/things?open=false&limit=7',
    'POST /v1/things/a%2Fb {"name":"new name","owner":null,"size":0.5,"tags":["new","old"]}',
    'POST /v1/things/1 {"name":"x","owner":null}',
  ]);
});

test('an operation that names its command needs no row: words are of its path, columns are plain members', async () => {
  answers = [{ items: [{ part: 'a', of: {}, size: 2 }] }];
  expect((await run('parts', '7', '8')).split('\n')).toEqual(['part  size', 'a        2', '']);
  expect(requests).toEqual(['GET /v1/other-things/7/parts/8']);
  expect(await usageOf(command, 'parts')).toContain('risk things parts OTHER_THING PART [options]');
});

test('a list is read page by page, to the limit, and shown by its columns', async () => {
  const row = (n: number) => ({ thing_id: n, tags: ['a', 'b'], owner: { name: `owner ${n}` } });
  answers = [
    { items: [row(1), row(2)], next_cursor: 'c' },
    { items: [row(3)], next_cursor: null },
  ];
  expect((await run('list')).split('\n')).toEqual([
    'thing  tags  whose',
    '    1  a b   owner 1',
    '    2  a b   owner 2',
    '    3  a b   owner 3',
    '',
  ]);
  expect(requests[1]).toBe('GET /v1/things?cursor=c&limit=48');
  answers = [{ items: [row(1)], next_cursor: 'more' }];
  expect(JSON.parse(await run('list', '--limit', '1', '--json'))).toEqual([row(1)]);
});

test.each([
  [[], 'ACTION is missing'],
  [['delete'], 'THING is missing'],
  [['delete', '1', '2'], "unexpected argument '2'"],
  [['list', '--kind', 'green'], "--kind must be one of red, blue, not 'green'"],
  [['list', '--limit', '0'], '--limit must be a whole number from 1 to'],
  [['list', '--thing-note', 'two\nlines'], '--thing-note must be printable ASCII'],
  [['rename', '1', 'x', '--size', '2'], '--size must be a number from 0 to 1'],
])('%j is a usage error, without a request', async (args, message) => {
  await expect(run(...args)).rejects.toThrow(UsageError);
  await expect(run(...args)).rejects.toThrow(message);
  expect(requests).toEqual([]);
});
