/**
 * Goal: an address and an instant are values: however a client writes them, they have one quota, one search, one answer and one
 * idempotency key. Method: an API process, which is sent each spelling.
 */
import { describe, expect, test } from 'vitest';
import { limitScope } from '../support/rooms/corridors/requests.ts';
import { openRunningApi } from '../support/running-api.ts';
import {
  type Answer,
  answerOf,
  type Input,
  input,
  postBatch,
  postJson,
  postOne,
} from '../support/submit.ts';

const api = await openRunningApi();

const V6 = ['2001:db8::7', '2001:DB8::7', '2001:db8:0:0:0:0:0:7', '2001:0db8::0007'];
const V4 = ['203.0.113.7', '::ffff:203.0.113.7', '::FFFF:CB00:7107'];
const INSTANTS = [
  '2026-11-20T09:30:00Z',
  '2026-11-20t09:30:00.0000z',
  '2026-11-20T10:30:00+01:00',
  '2026-11-20T00:30:00.000-09:00',
];

const linesOf = async (lines: readonly Input[]) => {
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  const type = { 'Content-Type': 'application/x-ndjson' };
  const answer = await postJson(api, body, '/v1/transactions/batch', type);
  return (await answer.text())
    .trim()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};
const statusOf = ({ status, body }: Answer) => [status, body.status];

describe('a repetition', () => {
  const sent = input({ created_at: INSTANTS[0], ip: V6[0] });
  const spelled = (n: number, fields: Input = {}) => ({
    ...sent,
    created_at: INSTANTS[n % INSTANTS.length],
    ip: V6[n % V6.length],
    ...fields,
  });

  test('in another spelling is a duplicate: alone, in a batch and in lines', async () => {
    const first = await postOne(api, sent);
    expect(first.status).toBe(201);
    for (const n of [0, 1, 2, 3])
      expect(statusOf(await postOne(api, spelled(n)))).toEqual([200, 'duplicate']);
    expect((await postBatch(api, [spelled(1)])).body).toMatchObject({ accepted: 0, duplicates: 1 });
    const { transaction_id } = first.body;
    expect(await linesOf([spelled(2), spelled(3)])).toEqual([
      { index: 0, status: 'duplicate', transaction_id },
      { index: 1, status: 'duplicate', transaction_id },
    ]);
    const read = await answerOf(await api.request(`/v1/transactions/${transaction_id}`));
    expect(read.body).toMatchObject({ created_at: '2026-11-20T09:30:00.000Z', ip: V6[0] });
  });

  test('within a request is one transaction in a batch and in lines', async () => {
    const own = (key: string) => [0, 1, 2, 3].map((n) => spelled(n, { idempotency_key: key }));
    expect((await postBatch(api, own('in a batch'))).body).toMatchObject({
      accepted: 1,
      duplicates: 3,
    });
    const lines = await linesOf(own('in lines'));
    expect(lines.map(({ status }: { status: string }) => status)).toEqual([
      'accepted',
      ...Array(3).fill('duplicate'),
    ]);
  });

  test('of another address or instant is none, and the fields that differ are named alone', async () => {
    const own = (fields: Input) => ({ ...spelled(1, { idempotency_key: 'another' }), ...fields });
    expect((await postOne(api, own({}))).status).toBe(201);
    for (const [fields, named] of [
      [{ ip: '2001:db8::8' }, 'whose ip differs'],
      [{ created_at: '2026-11-20T09:30:00.001Z', ip: V6[2] }, 'whose created_at differs'],
      [{ created_at: undefined }, 'whose created_at differs'],
      [{ amount: '7', created_at: INSTANTS[3], ip: V6[3] }, 'whose amount differs'],
    ] as const) {
      const { status, body } = await postOne(api, own(fields));
      expect([status, body.type]).toEqual([422, 'urn:risk:problem:key-conflict']);
      expect(body.errors[0].detail).toContain(named);
    }
    const rivals = [
      own({ idempotency_key: 'rival' }),
      own({ idempotency_key: 'rival', ip: V4[0] }),
    ];
    expect(
      (await postBatch(api, [rivals[0] as Input, { ...rivals[1], created_at: INSTANTS[2] }])).body
        .detail,
    ).toContain('its ip differs');
  });
});

test('a write that is repeated with its time in another spelling gets the kept answer', async () => {
  const put = (ends_at: string) =>
    api.request('/v1/controls/throttle/corridor:US-PH', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'throttle-1' },
      body: JSON.stringify({
        in_force: true,
        rate_per_second: 5,
        burst: 10,
        reason: 'why',
        ends_at,
      }),
    });
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  expect((await put(inAnHour)).status).toBe(200);
  const again = await put(inAnHour.replace('Z', '+00:00'));
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
  expect((await put(new Date(Date.now() + 7_200_000).toISOString())).status).toBe(422);
});

test.each([
  ['address', 'address', V6],
  ['address that is IPv4', 'address', V4],
  ['id', 'device', ['d-\u00e9', 'd-e\u0301', ' d-e\u0301\u00a0']],
])(
  'a write that is repeated with its %s in another spelling gets the kept answer',
  async (name, kind, values) => {
    const list = { name: `once-${kind}`, effect: 'watch', kind, description: 'x' };
    expect((await api.post('/v1/lists', list)).status).toBe(200);
    const add = (value: string) =>
      api.request(`/v1/lists/once-${kind}/entries`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `of an ${name}` },
        body: JSON.stringify({ value, reason: 'why' }),
      });
    const answers = [];
    for (const value of values) answers.push(await add(value));
    expect(
      answers.map(({ status, headers }) => [status, headers.get('idempotency-replayed')]),
    ).toEqual(values.map((_, nth) => [200, nth === 0 ? null : 'true']));
    const other = kind === 'device' ? 'd-e' : '2001:db8::8';
    expect((await add(other)).status).toBe(422);
  },
);

test.each([
  ['a port', '203.0.113.7:443'],
  ['brackets', '[2001:db8::7]'],
  ['a zone', 'fe80::1%eth0'],
  ['a prefix length', '203.0.113.0/24'],
  ['octal digits', '203.0.113.007'],
])('an address with %s is refused, in a search too', async (_name, ip) => {
  const said = 'must be an IPv4 or IPv6 address, without port, brackets, zone or prefix length';
  const { status, body } = await postOne(api, input({ ip, account_id: 'spelled' }));
  expect([status, body.errors[0]]).toEqual([
    422,
    { pointer: '/ip', detail: `${said}, not '${ip}'` },
  ]);
  expect((await api.request(`/v1/transactions?ip=${encodeURIComponent(ip)}`)).status).toBe(422);
});

test('six spellings of two addresses are two parties, two searches and two values of answers', async () => {
  await limitScope(api, 'limit-transactions', 'each:address', { rate_per_second: 0.001, burst: 3 });
  for (const spellings of [V6, V4.concat(V4[0] ?? '')]) {
    const answers = await Promise.all(
      spellings.map((ip) => postOne(api, input({ ip, account_id: 'spelled' }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 429]);
    for (const { status, body } of answers) {
      if (status !== 201) continue;
      const read = await answerOf(await api.request(`/v1/transactions/${body.transaction_id}`));
      expect(read.body.ip).toBe(spellings[0]);
    }
    for (const ip of spellings) {
      const found = await api.request(
        `/v1/transactions?account_id=spelled&ip=${encodeURIComponent(ip)}`,
      );
      expect((await answerOf(found)).body.items).toHaveLength(3);
    }
  }
});
