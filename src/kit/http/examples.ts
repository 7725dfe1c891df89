/**
 * Examples of bodies, made of examples of their members, so that the document shows the same account, person and time everywhere.
 * A schema's own `example` goes before the table, and the table before the type.
 */

/** Parts of JSON Schema that an example depends on. */
type Schema = {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly items?: Schema;
  readonly maximum?: number;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly type?: string | readonly string[];
};
export type Schemas = Readonly<Record<string, Schema>>;

const TRANSACTION_ID = '01a1f84a-95c0-7000-8000-00000000002a';

/** By the name of the member, where its schema takes the value and names no format. */
const MEMBERS: Readonly<Record<string, unknown>> = {
  account_id: 'acc_17',
  action: 'case.claim',
  amount: '125.50',
  assignee: 'Ann',
  author: 'Ann',
  breaker: 'redis:open',
  cause: 'approval',
  client: 'shop',
  code: 'VELOCITY_COUNT_1H',
  contribution: 445,
  corridor: 'US-EG',
  country: 'US',
  cure: 'Correct the cause, then replay.',
  currency: 'USD',
  degradation: 0,
  description: 'Many more transactions within an hour than this account usually makes.',
  destination: 'EG',
  detail: '14 transactions within an hour, usually 0.6',
  device_id: 'device-4f2a',
  dispute_sources: ['chargeback', 'bank'],
  error_code: 'SCORING_FAILED',
  feature: 'count_1h',
  feature_names: ['amount', 'amount_log'],
  feature_schema: 3,
  features: ['count_1h', 'usual_1h'],
  format: 'xgboost-json',
  from: '2026-11-01T00:00:00.000Z',
  golden_source: 'training',
  id: 'velocity-count-1h',
  identity: 'Ann',
  ip: '203.0.113.7',
  key_id: 'k7Qd2mXa',
  list: 'stolen-devices',
  market: 'market_0',
  market_amount: '125.50',
  market_currency: 'USD',
  merchant_id: 'm_9',
  message: 'Payments to Egypt are paused.',
  milder_ids: [TRANSACTION_ID],
  model: 'fraud@2026-11-20',
  model_id: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  name: 'count_1h',
  note: 'Called the cardholder',
  officer: 'Ann',
  owner: 'Ann',
  pointer: '/rules/0/when',
  probability: 0.29,
  reason: 'a wave of stolen cards',
  reasons: ['VELOCITY_COUNT_1H'],
  request: '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f',
  reviewer: 'Ann',
  risk: 0.87,
  roles: ['analyst'],
  rule: 'velocity-count-1h',
  rule_set: 'default@3',
  runbook: 'HighQueueDepth',
  score: 870,
  session_id: '4fQd2mXa1',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  signal: 'queue_entries',
  state: 'active',
  stream: '{market_0:US-EG:0}:transactions',
  stricter_ids: [TRANSACTION_ID],
  subject: 'fraud@2026-11-20',
  tag: '"2-9f86d081884c7d65"',
  to: 'canary:5',
  token: 'tok_0f3a5c7e91b24d6688aa00ccee113355',
  transaction_id: TRANSACTION_ID,
  unit: 'transactions',
  url: 'https://shop.example/risk-events',
  verdict: 'decline',
  version: 1,
  who: 'Ann',
};

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-11-20T09:30:00.000Z',
  date: '2026-11-20',
  uuid: TRANSACTION_ID,
};
const COUNT = 3;
const SHARE = 0.25;

/** An example that the schema accepts, unless the schema has a pattern or a check that no example of its members knows. */
export function exampleOf(schema: Schema, schemas: Schemas, name = ''): unknown {
  const referred = schemas[schema.$ref?.split('/').at(-1) ?? ''];
  if (referred !== undefined) return exampleOf(referred, schemas, name);
  const ways = schema.anyOf ?? schema.oneOf ?? [schema];
  const told = ways.find((way) => hasMembers(way) || (way.items && hasMembers(way.items)));
  const isNullable = ways.some(({ type }) => [type].flat().includes('null'));
  const known = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
  const [own] = [
    schema.example,
    schema.examples?.[0],
    schema.const,
    ways.some((way) => takes(way, known)) ? known : undefined,
    told === undefined && isNullable ? null : undefined,
    schema.default,
    schema.enum?.[0],
  ].filter((value) => value !== undefined);
  if (own !== undefined) return own;
  const way = told ?? ways[0] ?? schema;
  return way === schema ? exampleOfType(way, schemas, name) : exampleOf(way, schemas, name);
}

/** `corridors` is `corridor`, `deliveries` is `delivery`: of names of members and paths alone. */
export const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/s$/, '');

const hasMembers = ({ $ref, properties }: Schema) => $ref !== undefined || properties !== undefined;

function exampleOfType(schema: Schema, schemas: Schemas, name: string): unknown {
  const { type, items = {}, properties = {}, required = [], minimum, maximum } = schema;
  const types = [type].flat();
  // A schema of any value takes this value, too.
  if (type === undefined) return null;
  if (types.includes('array')) return [exampleOf(items, schemas, singular(name))];
  if (types.includes('object')) {
    const members = Object.entries(properties).filter(([member]) => required.includes(member));
    return Object.fromEntries(
      members.map(([member, of]) => [member, exampleOf(of, schemas, member)]),
    );
  }
  if (types.includes('boolean')) return false;
  if (types.includes('string')) return FORMATS[schema.format ?? ''] ?? textOf(name);
  const number = types.includes('integer') ? COUNT : SHARE;
  return Math.min(maximum ?? Infinity, Math.max(minimum ?? -Infinity, number));
}

/** A person by whom something was done, a counted id, or the name in words. */
function textOf(name: string): string {
  if (name.endsWith('_by')) return 'Ann';
  return name.endsWith('_id') ? '41' : name.replaceAll('_', ' ');
}

function takes({ type, enum: words, format, items }: Schema, value: unknown): boolean {
  if (format !== undefined && typeof value === 'string') return false;
  if (words !== undefined) return words.includes(value);
  if (Array.isArray(value))
    return items !== undefined && value.every((element) => takes(items, element));
  const own = Number.isInteger(value) ? 'integer' : typeof value;
  return [type ?? []]
    .flat()
    .some((taken) => taken === own || (taken === 'number' && own === 'integer'));
}

/** Adds an example to each JSON body of a part of the document that has none. */
export function addExamples(part: unknown, schemas: Schemas): void {
  if (typeof part !== 'object' || part === null) return;
  for (const [name, value] of Object.entries(part)) {
    // Events show what a webhook is sent.
    if (name === 'callbacks') continue;
    if (name === 'application/json') addExample(value, schemas);
    else addExamples(value, schemas);
  }
}

type Content = { readonly schema: Schema; example?: unknown; readonly examples?: object };

function addExample(content: Content, schemas: Schemas): void {
  if (content.example !== undefined || content.examples !== undefined) return;
  content.example = exampleOf(content.schema, schemas);
}
