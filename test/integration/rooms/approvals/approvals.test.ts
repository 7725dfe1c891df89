/**
 * Goal: what takes two people is done once, by two, in time, whatever its kind. Method: an API process; each kind is proposed by
 * its own route, and confirmed by the author, by others at once, too late and after a withdrawal.
 */
import { describe, expect, test } from 'vitest';
import { textOfDay } from '../../../../src/core/score/scorecard/day-table.ts';
import { listTableDays } from '../../../../src/core/store/scorecards/find-tables.ts';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { events } from '../../../../src/rooms/approvals/events.ts';
import { confirm, keyIdOf, openExecutors } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { learntTable, policyValue, storeTable, storeUntaken } from '../../../support/policies.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { freezeMarket } from '../../../support/rooms/corridors/freeze-market.ts';
import { startPrivateApi } from '../../../support/rooms/privacy/requests.ts';
import { always, makeApproved, makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { RUNNING_API_KEY } from '../../../support/running-api.ts';
import { answerOf, input, postOne, send } from '../../../support/submit.ts';

const api = await openForFile(startPrivateApi({}));
const { sql } = api.testDatabase;
const person = (name: string) =>
  insertPersonKey(api.testDatabase, name, ['analyst', 'operator', 'risk_officer', 'admin']);
const ann = await person('Ann');
const [bob, cy] = [await person('Bob'), await person('Cy')];
const as = (key: string, method: string, path: string, body?: object) =>
  send(api, method, path, body, key);
const rollOut = await openForFile(startRollOut(api.testDatabase));
const wanted = { name: 'vip', effect: 'allow', kind: 'account', description: 'a list' };
const blocking = { ...wanted, name: 'stolen', effect: 'block', kind: 'merchant' };
for (const list of [wanted, blocking])
  expect((await as(ann, 'POST', '/v1/lists', list)).status).toBe(200);

type Proposed = { readonly approval_id: string };
type Kind = {
  /** Proposes something new each time. */
  readonly propose: (nth: number) => Promise<Proposed>;
  /** How often it was done. */
  readonly count: (nth: number) => Promise<number>;
};
const rows = async (text: string, ...values: unknown[]) => (await sql(text, values)).length;
const proposed = async (method: string, path: string, body?: object): Promise<Proposed> => {
  const { status, body: answer } = await as(ann, method, path, body);
  expect(status, answer.detail).toBeLessThan(300);
  return answer;
};

const letter = (nth: number) => String.fromCodePoint(65 + nth);
const corridor = (nth: number) => `ZZ-${letter(Math.trunc(nth / 26))}${letter(nth % 26)}`;
const tokens = new Map<number, string>();
/** A command carries the decision out, of which the approval is the record. */
function recorded(pathOf: () => Promise<string>): Kind {
  let last = '';
  return {
    async propose() {
      last = (await proposed('POST', await pathOf(), { reason: 'why' })).approval_id;
      return { approval_id: last };
    },
    count: () => rows('select from approvals where approval_id = $1 and result is not null', last),
  };
}
const TODAY = Math.floor(Date.now() / DAY_MS);
const CORRIDORS = ['US-EG', 'US-MX', 'US-PH', 'US-IN'];
const SHADOW = { corridor: 'US-EG', to: 'shadow' };
const KINDS = {
  'list-entry': {
    propose: (nth) =>
      proposed('POST', '/v1/lists/vip/entries', { value: `acc_${nth}`, reason: 'why' }),
    count: (nth) => rows('select from list_entries where value = $1', `acc_${nth}`),
  },
  'list-import': {
    async propose(nth) {
      const path = '/v1/lists/vip/imports?reason=why';
      const headers = {
        Authorization: `Bearer ${ann}`,
        'Content-Type': 'application/x-ndjson',
      };
      const body = JSON.stringify({ value: `imported_${nth}` });
      return (await answerOf(await api.request(path, { method: 'POST', headers, body }))).body;
    },
    count: (nth) =>
      rows(
        'select from list_entries join list_imports i using (import_id) where value = $1 and i.valid_from is not null',
        `imported_${nth}`,
      ),
  },
  'rule-set': {
    async propose(nth) {
      await proposed('POST', '/v1/rule-sets', always(`written${nth}@1`));
      return await proposed('POST', `/v1/rule-sets/written${nth}@1/submit`);
    },
    count: (nth) =>
      rows(`select from rule_sets where rule_set = $1 and state = 'approved'`, `written${nth}@1`),
  },
  'rule-set-rollout': {
    async propose(nth) {
      const officer = (name: string) => makeOfficer(api.testDatabase, name);
      const people = [await officer('Eve'), await officer('Fay')] as const;
      await makeApproved(api.database, people, always(`rolled${nth}@1`));
      return await proposed('POST', `/v1/rule-sets/rolled${nth}@1/rollout`, SHADOW);
    },
    count: (nth) => rows('select from rollouts where rule_set = $1', `rolled${nth}@1`),
  },
  'model-rollout': {
    propose: async (nth) =>
      await proposed('POST', `/v1/models/${await rollOut.register(nth)}/proposals`, SHADOW),
    count: (nth) =>
      rows('select from rollouts join models using (model_id) where model = $1', `m@${nth}`),
  },
  'scorecard-policy': {
    async propose(nth) {
      await storeTable(api.testDatabase, learntTable('approved', { day: TODAY - nth }).table);
      const { format: _, ...terms } = policyValue({ review_share: nth / 1000 });
      const corridor = CORRIDORS[nth % CORRIDORS.length];
      return await proposed('POST', '/v1/scorecard-policies', {
        ...terms,
        corridor,
        reason: 'why',
      });
    },
    count: (nth) =>
      rows(
        `select from controls join models on scope = 'model:' || model join rollouts using (model_id)
          where kind = 'scorecard' and (value -> 'policy' ->> 'review_share')::float8 = $1`,
        nth / 1000,
      ),
  },
  'scorecard-table': {
    propose: async (nth) => {
      const day = textOfDay(await storeUntaken(api.testDatabase, TODAY + nth));
      return await proposed('POST', `/v1/scorecards/${day}/proposals`, { reason: 'why' });
    },
    count: async (nth) => {
      const inUse = await listTableDays(api.database.query);
      return inUse.filter(({ day }) => day === TODAY + nth).length;
    },
  },
  control: {
    async propose(nth) {
      const path = `/v1/controls/limit-requests/client:c${nth}`;
      const limit = { in_force: true, rate_per_second: 100, burst: 100, reason: 'why' };
      await proposed('PUT', path, limit);
      const raised = await as(ann, 'PUT', path, { ...limit, burst: 200 });
      expect(raised.body.control.value.burst).toBe(100);
      return raised.body.approval;
    },
    count: (nth) =>
      rows(`select from controls where scope = $1 and value ->> 'burst' = '200'`, `client:c${nth}`),
  },
  key: {
    propose: async (nth) => {
      const key = { identity: `Gus ${nth}`, roles: ['personal_data', 'risk_officer'] };
      return Object(await proposed('POST', '/v1/keys', key)).approval;
    },
    count: (nth) =>
      rows('select from api_keys where identity = $1 and confirmed_at is not null', `Gus ${nth}`),
  },
  corridor: {
    propose: (nth) => proposed('POST', '/v1/corridors', { id: corridor(nth), reason: 'why' }),
    count: (nth) => rows('select from corridors where corridor = $1', corridor(nth)),
  },
  erasure: {
    async propose(nth) {
      const sent = await postOne(api, input({ metadata: { customer: `Ann ${nth}` } }));
      const stored = await as(ann, 'GET', `/v1/transactions/${sent.body.transaction_id}`);
      const value = stored.body.metadata.customer;
      tokens.set(nth, value);
      await proposed('POST', '/v1/lists/stolen/entries', { value, reason: 'why' });
      const erasure = { field: 'metadata.customer', value, reason: 'request 117' };
      return await proposed('POST', '/v1/erasures', erasure);
    },
    count: (nth) => rows('select from erasures where token = $1', tokens.get(nth)),
  },
  'month-drop': recorded(async () => `/v1/months/${new Date().toISOString().slice(0, 7)}/drop`),
  'market-rollback': recorded(async () => {
    await freezeMarket(api.database);
    return `/v1/markets/${api.testDatabase.market}/rollback`;
  }),
} satisfies Readonly<Record<string, Kind>>;

test('each kind that a room carries out is tried here, and another kind is refused', async () => {
  expect(Object.keys(KINDS).sort()).toEqual(Object.keys(await openExecutors()).sort());
  const { status, body } = await as(ann, 'GET', '/v1/approvals?kind=none');
  expect([status, body.errors[0].pointer]).toEqual([422, '/kind']);
});

let nth = 0;
describe.each(Object.entries<Kind>(KINDS))('%s', (name, kind) => {
  test('is not confirmed by who proposed it, nor by another key of this person, nor by whom this person made', async () => {
    const { approval_id: id } = await kind.propose(++nth);
    const second = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer']);
    const made = await insertPersonKey(api.testDatabase, `Dee ${nth}`, ['risk_officer']);
    await sql('update api_keys set made_by = $2 where key_id = $1', [keyIdOf(made), keyIdOf(ann)]);
    for (const key of [ann, second, made]) {
      const { status, body } = await confirm(api, key, id);
      expect([status, body.detail]).toEqual([409, expect.stringContaining('another person must')]);
    }
    expect((await confirm(api, RUNNING_API_KEY, id)).status).toBe(403);
    expect(await kind.count(nth)).toBe(0);
  });

  test('is done once by people who confirm at once, and the same again gets the same answer', async () => {
    const { approval_id: id } = await kind.propose(++nth);
    const answers = await Promise.all([bob, cy, bob, cy].map((key) => confirm(api, key, id)));
    const done = answers.filter(({ status }) => status === 200);
    expect([done.length, answers.filter(({ status }) => status === 409).length]).toEqual([2, 2]);
    expect(done[0]?.body).toEqual(done[1]?.body);
    expect(done[0]?.body).toMatchObject({ kind: name, state: 'confirmed', proposed_by: 'Ann' });
    expect(await kind.count(nth)).toBe(1);
    const lines = await sql<{ who: string }>(
      `select who from audit_log where action like 'approval.%' and after ->> 'approval_id' = $1 order by audit_id`,
      [id],
    );
    expect(lines.map(({ who }) => who)).toEqual(['Ann', done[0]?.body.confirmed_by]);
  });

  test('is not done once it has expired or was withdrawn', async () => {
    const late = await kind.propose(++nth);
    await sql('alter table approvals disable trigger approvals_keep');
    await sql('update approvals set ends_at = now() where approval_id = $1', [late.approval_id]);
    await sql('alter table approvals enable trigger approvals_keep');
    const expired = await confirm(api, bob, late.approval_id);
    expect([expired.status, expired.body.detail]).toEqual([
      409,
      expect.stringContaining('expired'),
    ]);
    const { approval_id: id } = await kind.propose(++nth);
    const withdrawn = await as(ann, 'POST', `/v1/approvals/${id}/withdraw`);
    expect([withdrawn.status, withdrawn.body.state]).toEqual([200, 'withdrawn']);
    expect((await confirm(api, bob, id)).status).toBe(409);
    expect([await kind.count(nth - 1), await kind.count(nth)]).toEqual([0, 0]);
  });
});

test('Postgres itself refuses a confirmation by one person, and a changed approval', async () => {
  const { approval_id: id } = await KINDS['list-entry'].propose(++nth);
  const set = (by: string, key: string) =>
    sql(
      'update approvals set confirmed_by = $2, confirmed_by_key = $3, confirmed_at = clock_timestamp() where approval_id = $1',
      [id, by, keyIdOf(key)],
    );
  await expect(set('Ann', ann)).rejects.toThrow("are not two people's");
  await expect(set('Ann', bob)).rejects.toThrow('may not approve');
  const made = await insertPersonKey(api.testDatabase, 'Dee', ['risk_officer']);
  await sql('update api_keys set made_by = $2 where key_id = $1', [keyIdOf(made), keyIdOf(ann)]);
  await expect(set('Dee', made)).rejects.toThrow("are not two people's");
  await expect(sql(`update approvals set detail = '{}'`)).rejects.toThrow('never change');
  await expect(sql('delete from approvals')).rejects.toThrow('never change');
  await set('Bob', bob);
});

test('an approval of a kind that this release does not have is refused, and waits on', async () => {
  const [{ id } = { id: '' }] = await sql<{ id: string }>(
    `insert into approvals (kind, subject, detail, proposed_by, proposed_by_key, ends_at)
     values ('of-another-release', 'x', '{}', 'Ann', $1, now() + interval '1 day') returning approval_id::text as id`,
    [keyIdOf(ann)],
  );
  const { status, body } = await confirm(api, bob, id);
  expect([status, body.code]).toEqual([409, 'KIND_UNKNOWN']);
  expect((await as(bob, 'GET', `/v1/approvals/${id}`)).body.state).toBe('waiting');
});

test('the command of a proposal names the command of the second person', async () => {
  const by = (key: string, ...args: string[]) =>
    runRisk(args, { RISK_URL: api.url, RISK_API_KEY: key });
  const added = await by(ann, 'lists', 'add', 'vip', 'acc_cli', '--reason', 'why');
  const [, id = ''] = /bin\/risk approvals confirm (\d+)$/m.exec(added.stderr) ?? [];
  const listed = await by(cy, 'approvals', 'list', '--kind', 'list-entry', '--state', 'waiting');
  expect(listed.stdout).toMatch(new RegExp(`^${id} +list-entry +vip acc_cli +waiting`, 'm'));
  expect((await by(bob, 'approvals', 'confirm', id)).stdout).toContain('confirmed');
  const key = ['keys', 'issue', '--role', 'personal_data', '--identity', 'Cy'];
  expect((await by(ann, ...key)).stderr).toMatch(/bin\/risk approvals confirm \d+$/m);
  const withdrawn = await by(ann, 'approvals', 'withdraw', id);
  expect([withdrawn.code, withdrawn.stderr]).toEqual([1, expect.stringContaining('is confirmed')]);
  expect((await by(ann, 'approvals', 'show', id)).stdout).toContain('acc_cli');
  expect((await by(ann, 'approvals', 'show', '999')).stderr).toContain('no approval');
});

test('what waits is told once to those who may confirm it', async () => {
  const { approval_id: id } = await KINDS['list-entry'].propose(++nth);
  const told = async () =>
    (await Promise.all(events.map(({ find }) => find(api.database.query, Date.now())))).flat();
  const found = (await told()).find((event) => event.id === `approval_${id}`);
  expect(found).toMatchObject({
    type: 'approval.waiting',
    data: {
      ...{ action: 'list-entry', reason: 'why', who: 'Ann' },
      approval: { approval_id: id, kind: 'list-entry', reason: 'why', proposed_by: 'Ann' },
      recipients: expect.arrayContaining(['Bob', 'Cy']),
    },
  });
  expect(Object(found?.data).recipients).not.toContain('Ann');
  expect((await confirm(api, bob, id)).status).toBe(200);
  expect((await told()).map((event) => event.id)).not.toContain(`approval_${id}`);
});
