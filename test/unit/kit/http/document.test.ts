/**
 * Goal: the document of the API is one to build on: valid without warnings, every body with an example that its
 * schema accepts, every parameter described. Method: two linters, and rules of our own, over the document that
 * the routes make; test/contract sends the examples to a running API.
 */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { EVENT_TYPES } from '../../../../src/core/events.ts';
import { PROBLEM_NAMES, PROBLEMS } from '../../../../src/kit/http/answers/problem-types.ts';
import { TEST_TYPE } from '../../../../src/rooms/webhooks/webhook.ts';
import {
  type Content,
  documentOfRoutes,
  openApiOf,
  type Schema,
} from '../../../support/openapi.ts';

const document = await documentOfRoutes();
const openApi = openApiOf(document);

describe('is valid without warnings', () => {
  test('by @redocly/openapi-core with its strictest rules', async () => {
    const config = await createConfig({
      extends: ['recommended-strict'],
      rules: {
        'no-invalid-media-type-examples': 'error',
        'no-invalid-parameter-examples': 'error',
        'no-invalid-schema-examples': 'error',
        'parameter-description': 'error',
        'no-unused-components': 'error',
      },
    });
    const source = JSON.stringify(document);
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    const said = problems.map(
      ({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`,
    );
    expect(said).toEqual([]);
  });

  test('by @seriousme/openapi-schema-validator', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  });
});

/** Every object of a part of the document, with those that it refers to. */
function objectsOf(part: unknown, seen = new Set<unknown>()): Schema[] {
  if (typeof part !== 'object' || part === null || seen.has(part)) return [];
  seen.add(part);
  const { $ref } = part as Schema;
  const name = typeof $ref === 'string' ? ($ref.split('/').at(-1) ?? '') : '';
  const referred = document.components.schemas[name];
  const parts = [...Object.values(part), referred].flatMap((one) => objectsOf(one, seen));
  return Array.isArray(part) ? parts : [part as Schema, ...parts];
}

/** Patterns that JavaScript, Python and Rust read alike: neither classes of Unicode, nor look-around, nor names. */
const PORTABLE =
  /^(?:[\w ^$.*+?|:/=,-]|\\\.|\((?!\?(?!:))|\)|\{\d+(?:,\d*)?\}|\[\^?(?:(?!--|&&|~~)(?:[^\\[\]]|\\x[0-9a-f]{2}))+\])+$/;

test('every pattern means the same to JavaScript, Python and Rust', () => {
  const patterns = objectsOf(document).flatMap(({ pattern }) =>
    typeof pattern === 'string' ? pattern : [],
  );
  expect([...new Set(patterns)].filter((one) => !PORTABLE.test(one))).toEqual([]);
  expect(patterns.length).toBeGreaterThan(300);
  for (const bad of [
    '^\\p{Cc}$',
    '^\\d$',
    '(?<=a)b',
    '(?=a)',
    '(?<name>a)',
    '(?P<name>a)',
    '[a&&b]',
    '\\w',
  ]) {
    expect(PORTABLE.test(bad), bad).toBe(false);
  }
});

test('answers and events are open for members of later releases, and requests are not', () => {
  const answers = openApi.operations.map(({ operation }) => operation.responses);
  const read = objectsOf([answers, document.webhooks]);
  expect(read.filter(({ additionalProperties }) => additionalProperties === false)).toEqual([]);
  const bounds = read.filter(({ minimum }) => minimum === Number.MIN_SAFE_INTEGER);
  expect(bounds).toEqual([]);
  expect(read.length).toBeGreaterThan(1000);
  const { TransactionInput } = document.components.schemas;
  expect(TransactionInput?.['additionalProperties']).toBe(false);
  expect(document.info.description).toContain('a client ignores what it does not know');
});

test('no schema has the name that generators give a choice within another schema', () => {
  const { schemas } = document.components;
  const pascal = (name: string) =>
    name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const made = Object.entries(schemas).flatMap(([name, schema]) =>
    Object.entries(Object(schema?.['properties'])).flatMap(([member, value]) =>
      'enum' in Object(value) ? name + pascal(member) : [],
    ),
  );
  expect(made.filter((name) => name in schemas)).toEqual([]);
  expect(made.length).toBeGreaterThan(20);
});

test('every operation may answer 500, which is a problem', () => {
  const schemas = openApi.operations.map(
    ({ operation }) => operation.responses['500']?.content?.['application/problem+json']?.schema,
  );
  const problem = { $ref: '#/components/schemas/Problem' };
  expect(schemas).toEqual(openApi.operations.map(() => problem));
});

/** Bodies of requests and answers by name. */
function bodies(): [name: string, Content][] {
  return openApi.operations.flatMap(({ method, path, operation }) => {
    const { requestBody, responses } = operation;
    const answers = Object.entries(responses).map(([status, { content = {} }]) => [
      status,
      content,
    ]);
    const all = [['request', requestBody?.content ?? {}], ...answers] as [string, Content][];
    return all.map(([part, content]): [string, Content] => [`${method} ${path} ${part}`, content]);
  });
}

test('every body has an example, and its own schema accepts it', () => {
  const wrong: string[] = [];
  for (const [name, content] of bodies()) {
    for (const [type, { schema, example, examples }] of Object.entries(content)) {
      // A binary file has no text to show.
      if (schema['format'] === 'binary') continue;
      const values =
        examples === undefined ? [example] : Object.values(examples).map(({ value }) => value);
      const validate = openApi.validator(schema);
      for (const value of values) {
        if (value === undefined) wrong.push(`${name} ${type}: no example`);
        else if (!validate(value)) {
          wrong.push(`${name} ${type}: ${JSON.stringify(validate.errors)}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(bodies().length).toBeGreaterThan(100);
});

test('every line of an example of lines is accepted by the schema of a line', () => {
  const lines = bodies().flatMap(([name, content]) => {
    const { schema, example } = content['application/x-ndjson'] ?? {};
    const validate = openApi.validator(Object(schema?.['contentSchema']) as Schema);
    const texts = String(example ?? '')
      .split('\n')
      .filter(Boolean);
    return texts.map((text) => [name, validate(JSON.parse(text)), validate.errors]);
  });
  expect(lines.filter(([, isValid]) => !isValid)).toEqual([]);
  expect(lines.length).toBeGreaterThan(3);
});

test('every type of event stands in it with its headers, and its schema accepts the example', () => {
  const sent = Object.entries(document.webhooks).flatMap(([name, { post }]) =>
    Object.values(post?.requestBody?.content ?? {}).map(({ schema, example }) => {
      const validate = openApi.validator(schema);
      const headers = post?.parameters?.map((one) => one.name);
      expect([name, validate(example), validate.errors]).toEqual([name, true, null]);
      expect(headers).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature']);
      return Object(example).type;
    }),
  );
  expect([...new Set(sent)].sort()).toEqual([...EVENT_TYPES, TEST_TYPE].sort());
});

/** Ends of bounds that a number or a text without a list of values has. */
function bounds(schema: Schema): unknown[] {
  const isNumber = schema['type'] === 'integer' || schema['type'] === 'number';
  return isNumber ? [schema['minimum'], schema['maximum']] : [];
}

test('every parameter is described, and whole numbers are integers with bounds', () => {
  const parameters = openApi.operations.flatMap(({ method, path, operation }) =>
    (operation.parameters ?? []).map((one) => ({ ...one, at: `${method} ${path} ${one.name}` })),
  );
  const undescribed = parameters.filter(({ description = '' }) => description === '');
  expect(undescribed.map(({ at }) => at)).toEqual([]);
  const headers = parameters.filter((one) => one.in === 'header');
  const unshown = headers.filter((one) => one.example === undefined && !one.schema['examples']);
  expect(unshown.map(({ at }) => at)).toEqual([]);
  const unbounded = parameters.filter(({ schema }) => bounds(schema).includes(undefined));
  expect(unbounded.map(({ at }) => at)).toEqual([]);
  const digits = parameters.filter(({ schema }) => String(schema['pattern']).includes('^\\d{1'));
  expect(digits.map(({ at }) => at)).toEqual([]);
  const limits = parameters.filter(({ name }) => name === 'limit');
  expect(limits.length).toBeGreaterThan(3);
  for (const { schema } of limits) {
    expect(schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 200, default: 50 });
  }
});

test('every read of a market takes a preference for the primary, and says that it was applied', () => {
  const lacking = openApi.operations.filter(({ method, path, operation }) => {
    const isRead = method === 'GET' && path.startsWith('/v1/');
    const isTaken = operation.parameters?.some((one) => one.example === 'read=primary') === true;
    const isSaid = operation.responses['200']?.headers['Preference-Applied'] !== undefined;
    return isTaken !== isRead || (isRead && !isSaid);
  });
  expect(lacking.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('every operation that takes a query may refuse it', () => {
  const lacking = openApi.operations.filter(
    ({ operation: { parameters = [], responses } }) =>
      parameters.some((one) => one.in === 'query') && responses['422'] === undefined,
  );
  expect(lacking.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('every type of problem stands in it with what it means and what cures it', () => {
  const { Problem } = document.components.schemas;
  const text = String(Problem?.['description']);
  for (const name of PROBLEM_NAMES) {
    const { status, meaning, cure } = PROBLEMS[name];
    expect(text).toContain(`| \`${name}\` | ${status} | ${meaning} | ${cure} |`);
  }
});
