/**
 * Goal: every change of keys, people, models, rollouts, dead letters and months is recorded by the commit that makes it.
 * Method: each change runs on a real database, once as usual, and once with a log that refuses rows; then the API and the
 * command show it.
 */
import { describe, expect, test } from 'vitest';
import { closeDeadLettersOfScored } from '../../../../src/core/store/dead-letters/dead-letters.ts';
import {
  attachMonth,
  detachMonth,
  dropMonth,
  recordDetach,
} from '../../../../src/core/store/partitions/detach-months.ts';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { apiKeyHash, mintApiKey } from '../../../../src/kit/access/api-key.ts';
import {
  makeApiKey,
  revokeApiKey,
  storeBootstrapKey,
} from '../../../../src/kit/access/api-keys.ts';
import { revokeIdentity } from '../../../../src/kit/access/identities.ts';
import { monthOf, monthText } from '../../../../src/kit/words/month.ts';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { command as auditCommand } from '../../../../src/rooms/audit/commands.ts';
import { agreeOnDrop } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { runCommand } from '../../../support/run-command.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf, send } from '../../../support/submit.ts';

const NOW = Date.now();
const OLD_MONTH = monthOf(Date.UTC(2012, 4));

const api = await openForFile(startRunningApi());
const database = api.database;
const rollOut = await openForFile(startRollOut(api.testDatabase));
const model = await rollOut.register(1);
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer', 'admin']);
const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer']);
const by = { keyId: ann.split('_')[1] ?? '', name: 'Ann', request: 'test' };

type Row = { readonly audit_id: string; readonly action: string };
const readRows = (after = '0') =>
  api.testDatabase.sql<Row>('select * from audit_log where audit_id > $1 order by 1', [after]);
const newest = async () => (await readRows()).at(-1)?.audit_id ?? '0';

const keyOf = (identity: string, roles: readonly Role[] = ['risk_officer']) => {
  const { keyId, keyHash } = mintApiKey();
  return { keyId, keyHash, roles, client: 'default', expiresAt: null, holder: { identity } };
};
const as = (key: string, path: string, body: object) => send(api, 'POST', path, body, key);

let failed = 0;
/** An active dead letter whose transaction is stored. */
async function fail(): Promise<string> {
  failed += 1;
  const id = idAt(NOW, failed);
  await storeTransactions(database, [{ id, createdAtMs: NOW }]);
  const letter = idAt(NOW, 100_000 + failed);
  await storeDeadLetters(database, [{ id: letter, transactionId: id, failedAtMs: NOW - 1 }]);
  return letter;
}

type Case = {
  /** Actions of the expected rows. */
  readonly actions: readonly string[];
  /** Makes what the change needs. */
  readonly arrange?: () => Promise<unknown>;
  readonly change: (given: string) => Promise<unknown>;
  /** Reads the state that the change alters. */
  readonly state: string;
};

const PEOPLE = 'select identity, revoked_at from identities order by 1';
const KEYS = 'select key_id, confirmed_at, revoked_at from api_keys order by 1';
const ROLLOUTS = 'select * from rollouts';
const LETTERS = 'select replayed_at, purged_at from dead_letters order by dead_letter_id';
const MONTHS = `select c.relname, i.inhparent from pg_class c left join pg_inherits i on i.inhrelid = c.oid
                 where c.relname ~ 'y2012m05$' and c.relkind = 'r' order by 1`;

const proposed = (to: string) => async () =>
  (await as(ann, `/v1/models/${model}/proposals`, { corridor: 'US-EG', to })).body.approval_id;
const approve = (id: string) => as(bob, `/v1/approvals/${id}/confirm`, {});

/** In this order: months are made, detached, attached, detached and dropped. */
const CASES: Readonly<Record<string, Case>> = {
  'a key of nobody': {
    actions: ['key.create'],
    change: () =>
      makeApiKey(database, { ...keyOf('', ['analyst']), holder: { owner: 'shop' } }, by),
    state: KEYS,
  },
  'a key of a new person': {
    actions: ['identity.create', 'key.create'],
    change: () => makeApiKey(database, keyOf('Cy'), by),
    state: PEOPLE,
  },
  'a person who is taken out': {
    actions: ['identity.revoke'],
    change: () => revokeIdentity(database, 'Cy', by),
    state: PEOPLE,
  },
  'a key that is revoked': {
    actions: ['key.revoke'],
    arrange: async () => {
      const key = keyOf('Di', ['analyst']);
      await makeApiKey(database, key, by);
      return key.keyId;
    },
    change: (keyId) => revokeApiKey(database, keyId, by),
    state: KEYS,
  },
  'a new bootstrap key': {
    actions: ['key.revoke', 'key.create'],
    change: () => storeBootstrapKey(database, apiKeyHash('x'.repeat(32)), 'test'),
    state: KEYS,
  },
  'a model': {
    actions: ['model.register'],
    change: () => rollOut.register(2),
    state: 'select model from models',
  },
  'a proposal': {
    actions: ['approval.propose'],
    change: proposed('shadow'),
    state: 'select approval_id, confirmed_by from approvals',
  },
  'an approval': {
    actions: ['rollout.approve', 'approval.confirm'],
    arrange: proposed('shadow'),
    change: approve,
    state: ROLLOUTS,
  },
  'a rollback': {
    actions: ['rollout.rollback'],
    arrange: async () => approve(await proposed('canary:5')()),
    change: () => as(bob, '/v1/models/rollback', { corridor: 'US-EG' }),
    state: ROLLOUTS,
  },
  'a replay': {
    actions: ['dead-letters.replay'],
    arrange: fail,
    change: (id) => as(ann, `/v1/dead-letters/${id}/replay`, {}),
    state: LETTERS,
  },
  'a purge': {
    actions: ['dead-letters.purge'],
    arrange: fail,
    change: (id) => as(ann, '/v1/dead-letters/purge', { ids: [id] }),
    state: LETTERS,
  },
  'a letter that is closed as its transaction has a score': {
    actions: ['dead-letters.close'],
    arrange: async () => {
      const [id = ''] = await storeTransactions(database, [{ createdAtMs: NOW, score: 1 }]);
      await storeDeadLetters(database, [
        { id: idAt(NOW, 200_000), transactionId: id, failedAtMs: NOW },
      ]);
      return id;
    },
    change: (id) => closeDeadLettersOfScored(database, [id]),
    state: LETTERS,
  },
  'a new month': {
    actions: ['month.create'],
    change: () => ensurePartitions(database, [OLD_MONTH], by),
    state: MONTHS,
  },
  'a month that is put back': {
    actions: ['month.attach', 'month.attach', 'month.attach'],
    arrange: () => detachMonth(database, OLD_MONTH),
    change: () => attachMonth(database, OLD_MONTH, by),
    state: MONTHS,
  },
  'a month that is dropped': {
    actions: ['month.drop'],
    arrange: async () => {
      await detachMonth(database, OLD_MONTH);
      await agreeOnDrop(api.testDatabase, monthText(OLD_MONTH));
    },
    change: () => dropMonth(database, OLD_MONTH, by),
    state: MONTHS,
  },
};

describe('on record by the same commit, or not done:', () => {
  const sql = (text: string) => api.testDatabase.sql(text);

  test.each(Object.entries(CASES))('%s', async (_name, { actions, arrange, change, state }) => {
    const given = String(await arrange?.());
    const last = await newest();
    const before = await sql(state);
    await sql('alter table audit_log add constraint full_log check (audit_id < 0) not valid');
    try {
      await Promise.resolve(change(given)).catch(() => undefined);
      expect(await sql(state)).toEqual(before);
    } finally {
      await sql('alter table audit_log drop constraint full_log');
    }
    expect(await readRows(last)).toEqual([]);
    await change(given);
    expect(await sql(state)).not.toEqual(before);
    expect((await readRows(last)).map(({ action }) => action)).toEqual(actions);
  });
});

test('a detach is on record before it begins, as it cannot be part of a transaction', async () => {
  await ensurePartitions(database, [OLD_MONTH], by);
  const last = await newest();
  await recordDetach(database, OLD_MONTH, by);
  expect(await readRows(last)).toMatchObject([
    {
      ...{ who: 'Ann', key_id: by.keyId, action: 'month.detach', subject: '2012-05' },
      before: { state: { scores: 'attached', labels: 'attached', transactions: 'attached' } },
    },
  ]);
  await detachMonth(database, OLD_MONTH);
  await recordDetach(database, OLD_MONTH, by);
  expect(await readRows(last)).toHaveLength(1);
  await attachMonth(database, OLD_MONTH, by);
});

test('a row says who, by which key, in which request, and what was before and after', async () => {
  const last = await newest();
  const headers = { Authorization: `Bearer ${ann}`, 'X-Request-Id': 'the-request' };
  const body = JSON.stringify({ roles: ['ingest'], owner: 'shop' });
  const { body: made } = await answerOf(
    await api.request('/v1/keys', {
      ...{ method: 'POST', body },
      headers: { ...headers, 'Content-Type': 'application/json' },
    }),
  );
  const { body: listed } = await answerOf(
    await api.request('/v1/audit?action=key.create&who=Ann&limit=1', { headers }),
  );
  expect(listed).toEqual({
    items: [
      {
        audit_id: String(Number(last) + 1),
        changed_at: expect.any(String),
        ...{ who: 'Ann', key_id: by.keyId, action: 'key.create', subject: made.key_id },
        ...{ before: null, request: 'the-request' },
        after: expect.objectContaining({ key_id: made.key_id, roles: ['ingest'], owner: 'shop' }),
      },
    ],
    next_cursor: String(Number(last) + 1),
  });
  expect(JSON.stringify(listed)).not.toContain(made.key);
  const page = `/v1/audit?limit=2&cursor=${listed.next_cursor}`;
  const { body: older } = await answerOf(await api.request(page, { headers }));
  expect(older.items.map(({ audit_id }: Row) => audit_id)).toEqual([
    last,
    String(Number(last) - 1),
  ]);
  const bad = await answerOf(await api.request('/v1/audit?action=nothing', { headers }));
  expect([bad.status, bad.body.errors[0].pointer]).toEqual([422, '/action']);
});

test('risk audit shows what the API shows; a command without a key is recorded by its database role', async () => {
  const role = { name: null, keyId: null, request: 'risk keys create' };
  await makeApiKey(database, keyOf('Eve', ['analyst']), role);
  const environment = { RISK_URL: api.url, RISK_API_KEY: ann };
  const args = ['--action', 'key.create', '--limit', '1'];
  const { stdout } = await runCommand(auditCommand, environment, args);
  expect(stdout).toMatch(/database role \w+ .*key\.create .*risk keys create/);
});
