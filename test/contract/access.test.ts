/**
 * Goal: access is what the OpenAPI document says, for every role, operation and object of the own or another client.
 * Method: the table is made from the document that an API process serves, and each of its cells is tried.
 */
import { expect, test } from 'vitest';
import { isApart, ROLES, type Role } from '../../src/kit/words/principal.ts';
import { reachOf } from '../support/access.ts';
import { type OpenApi, readOpenApi } from '../support/openapi.ts';
import { insertPersonKey } from '../support/people.ts';
import { openRunningApi } from '../support/running-api.ts';
import { idAt, storeDeadLetters, storeScoresOf } from '../support/stored-rows.ts';
import { answerOf, input, labelInput, postLabels, send } from '../support/submit.ts';

const NOW = Date.now();
/** Callers: the roles, and requests without a key or with an unknown one. */
const CALLERS = [...ROLES, 'no key', 'unknown key'] as const;
const OBJECTS = ['own', 'other', 'unknown'] as const;
type Caller = (typeof CALLERS)[number];
type Whose = (typeof OBJECTS)[number];

type Call = { readonly path: string; readonly body?: unknown };
/** How an operation names an object, and its answer for an unknown object; 404 by default. */
type Naming = {
  readonly call: (whose: Whose) => Call | Promise<Call>;
  readonly unknown?: number;
  /** Whether an answer of 200 has the object, where an unknown object is no problem of its own. */
  readonly has?: (body: { readonly items: readonly unknown[] }) => boolean;
};
type Cell = ReturnType<typeof makeCells>[number];

const keys = new Map<string, string>();
const clientOf: Record<Whose, string> = { own: 'shop', other: 'bank', unknown: 'nobody' };
const transactions: Record<Whose, string> = { own: '', other: '', unknown: idAt(NOW, 99) };
const letters: Record<Whose, string> = {
  own: idAt(NOW, 1),
  other: idAt(NOW, 2),
  unknown: idAt(NOW, 98),
};

async function makeKey(roles: readonly Role[], client: string) {
  const made = await answerOf(await api.post('/v1/keys', { roles, client, owner: 'test' }));
  const { status, body } = made;
  expect(status, JSON.stringify(body)).toBe(201);
  return body as { readonly key_id: string; readonly key: string };
}

// Each cell has an address of its own, as lookups of unknown keys are limited by address.
const api = await openRunningApi({ RISK_TRUSTED_PROXIES: '127.0.0.1' });
const openApi = await readOpenApi(api.url);
for (const role of ROLES) {
  const { key } = isApart(role)
    ? { key: await insertPersonKey(api.testDatabase, 'Ann', [role]) }
    : await makeKey([role], clientOf.own);
  keys.set(role, key);
}
for (const whose of ['own', 'other'] as const) {
  const client = clientOf[whose];
  const { key } = await makeKey(['ingest'], client);
  const parties = { account_id: `account-of-${client}`, merchant_id: `merchant-of-${client}` };
  const { body } = await send(api, 'POST', '/v1/transactions', input(parties), key);
  transactions[whose] = body.transaction_id;
}
await storeScoresOf(api.database, [transactions.own, transactions.other]);
const stored = [transactions.own, transactions.other];
await postLabels(
  api,
  stored.map((transaction_id) => labelInput({ transaction_id })),
);
await storeDeadLetters(
  api.database,
  (['own', 'other'] as const).map((whose) => ({
    ...{ id: letters[whose], transactionId: transactions[whose], failedAtMs: NOW },
  })),
);

const byTransaction = (path: string): Naming => ({
  call: (whose) => ({ path: path.replace('{id}', transactions[whose]) }),
});
const byLetter = (path: string): Naming => ({
  call: (whose) => ({ path: path.replace('{id}', letters[whose]) }),
});
const byLetters = (path: string): Naming => ({
  call: (whose) => ({ path, body: { ids: [letters[whose]], limit: 1 } }),
  unknown: 200,
});

/** Operations that name an object that belongs to a client. */
const NAMINGS: Readonly<Record<string, Naming>> = {
  readTransaction: byTransaction('/v1/transactions/{id}'),
  readScore: byTransaction('/v1/scores/{id}'),
  acceptLabels: {
    call: (whose) => ({
      path: '/v1/labels',
      body: { labels: [labelInput({ transaction_id: transactions[whose] })] },
    }),
    unknown: 422,
  },
  listLabels: {
    call: (whose) => ({ path: `/v1/labels?transaction_id=${transactions[whose]}` }),
    unknown: 200,
    has: ({ items }) => items.length > 0,
  },
  readAccountProfile: {
    call: (whose) => ({ path: `/v1/accounts/account-of-${clientOf[whose]}/profile` }),
  },
  readMerchantProfile: {
    call: (whose) => ({ path: `/v1/merchants/merchant-of-${clientOf[whose]}/profile` }),
  },
  readDeadLetter: byLetter('/v1/dead-letters/{id}'),
  replayDeadLetter: byLetter('/v1/dead-letters/{id}/replay'),
  replayDeadLetters: byLetters('/v1/dead-letters/replay'),
  purgeDeadLetters: byLetters('/v1/dead-letters/purge'),
  revokeKey: {
    // Each cell revokes a key of its own.
    call: async (whose) => {
      const id =
        whose === 'unknown' ? 'nobody' : (await makeKey(['ingest'], clientOf[whose])).key_id;
      return { path: `/v1/keys/${id}` };
    },
  },
};

/**
 * Objects of the market, and objects that only roles of the market may reach. An idempotency key is looked up in the caller's
 * client for every role, which test/integration/rooms/search/search-http.test.ts shows.
 */
const OF_THE_MARKET = [
  ...[
    'readModel',
    'compareShadow',
    'proposeModel',
    'actAlone',
    'readScorecard',
    'proposeScorecard',
  ],
  ...['revokeIdentity', 'explainScore', 'readHabit', 'endSession'],
  ...['changeTransaction', 'readDeviceProfile', 'findTransactionByKey'],
  ...['proveScore', 'proveAuditLine'],
  ...['readCase', 'addNote', 'claimCase', 'keepCaseLock', 'releaseCase'],
  ...['assignCase', 'escalateCase', 'decideCase', 'confirmDecision', 'returnCase', 'undoDecision'],
  ...['listListImports', 'importListEntries', 'endListImport'],
  ...['listEntries', 'addListEntry', 'endListEntry'],
  ...['readWebhook', 'changeWebhook', 'deleteWebhook', 'rotateWebhookSecret', 'testWebhook'],
  ...['listDeliveries', 'redeliver', 'changeControl', 'noteControl', 'listControlHistory'],
  ...['readCorridor', 'checkCorridor', 'configureCorridor', 'compareLogs', 'liftHold'],
  ...['applySuggestion', 'readApproval', 'confirmApproval', 'withdrawApproval'],
  ...['readRuleSet', 'changeRuleSet', 'submitRuleSet', 'retireRuleSet'],
  ...['rollOutRuleSet', 'rollBackRuleSet', 'readBacktest', 'readBacktestBands', 'cancelBacktest'],
  'resumeBacktest',
  ...['declareMetadataField', 'withdrawMetadataField', 'declarePersonalField', 'readSubject'],
  ...['readMarket', 'checkMarket', 'recordDrill', 'requestRollback', 'requestDrop'],
];

function isReached({ operation }: OpenApi['operations'][number], caller: Caller, whose?: Whose) {
  if (caller === 'no key' || caller === 'unknown key') return false;
  const reach = reachOf(operation, caller);
  return (whose === 'own' && reach !== 'none') || (whose === 'other' && reach === 'all');
}

function expectedOf(operation: OpenApi['operations'][number], caller: Caller, whose?: Whose) {
  const { security } = operation.operation;
  if (security?.length === 0) return 'let in';
  if (caller === 'no key' || caller === 'unknown key') return 401;
  const reach = reachOf(operation.operation, caller);
  if (reach === 'none') return 403;
  if (whose === undefined) return 'let in';
  const { responses, operationId = '' } = operation.operation;
  const isFound = isReached(operation, caller, whose);
  const found = Object.keys(responses).find((status) => status.startsWith('2'));
  return isFound ? Number(found) : (NAMINGS[operationId]?.unknown ?? 404);
}

function makeCells() {
  return openApi.operations.flatMap((one) => {
    const { method, path } = one;
    const operationId = one.operation.operationId ?? '';
    const objects = NAMINGS[operationId] === undefined ? [undefined] : OBJECTS;
    return objects.flatMap((whose) =>
      CALLERS.map((caller) => ({
        // `whose` is undefined for an operation that names no object with a client.
        ...{ caller, method, path, operationId, whose },
        /** `let in`: neither 401 nor 403, whatever the answer to a request without a body is. */
        expected: expectedOf(one, caller, whose),
        /** Whether the caller reaches the object. */
        isFound: isReached(one, caller, whose),
      })),
    );
  });
}

async function tryCell(cell: Cell, index: number) {
  const { caller, method, path, operationId, whose } = cell;
  const naming = NAMINGS[operationId];
  const call: Call =
    naming === undefined || whose === undefined
      ? { path: path.replaceAll(/\{\w+\}/g, transactions.unknown) }
      : await naming.call(whose);
  const headers = new Headers({ 'X-Forwarded-For': `10.0.${index >> 8}.${index & 255}` });
  const key = caller === 'unknown key' ? `risk_nobody_${index}` : keys.get(caller);
  if (key !== undefined) headers.set('Authorization', `Bearer ${key}`);
  if (call.body !== undefined) headers.set('Content-Type', 'application/json');
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  return await answerOf(await fetch(api.url + call.path, { method, headers, body }));
}

test('every path with a parameter has an entry that says to whom its objects belong', () => {
  const undecided = openApi.operations
    .filter(({ path }) => path.includes('{'))
    .map(({ operation }) => operation.operationId ?? '')
    .filter((id) => NAMINGS[id] === undefined && !OF_THE_MARKET.includes(id));
  expect(undecided).toEqual([]);
});

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

test("each role reaches what the document says, of its own client's and of others'", async () => {
  const cells = makeCells();
  const wrong: string[] = [];
  const unknowns = new Map<string, string>();
  for (const [index, cell] of cells.entries()) {
    const { status, body } = await tryCell(cell, index);
    const isLetIn = ![401, 403, 429].includes(status) && (status < 500 || cell.path === '/readyz');
    const isRight = cell.expected === 'let in' ? isLetIn : status === cell.expected;
    const name = `${cell.caller}: ${cell.method} ${cell.path} ${cell.whose ?? ''}`.trim();
    const has = status === 200 ? NAMINGS[cell.operationId]?.has : undefined;
    if (has !== undefined && has(body) !== cell.isFound) wrong.push(`${name}: finds it or not`);
    if (!isRight) wrong.push(`${name}: ${status} in place of ${cell.expected}`);
    // Another client's object is answered as an unknown one: but for the id that the request names, which is repeated.
    if (cell.whose === 'own' || status < 400) continue;
    const key = `${cell.caller} ${cell.operationId}`;
    const said = JSON.stringify({ ...body, instance: '' }).replaceAll(ID, 'ID');
    if (said !== (unknowns.get(key) ?? said)) wrong.push(`${name}: ${said}`);
    unknowns.set(key, said);
  }
  expect(wrong).toEqual([]);
  expect(cells.length).toBeGreaterThan(CALLERS.length * openApi.operations.length);
});

test("the document marks four operations as own objects only, all of them ingest's", () => {
  const own = openApi.operations.filter(({ operation }) => reachOf(operation, 'ingest') === 'own');
  expect(own.map(({ operation }) => operation.operationId).sort()).toEqual([
    ...['acceptLabels', 'listLabels', 'readScore', 'readTransaction'],
  ]);
});

test('an explanation inside a transaction takes the role that reads explanations', async () => {
  const { key } = await makeKey(['ingest'], clientOf.own);
  const headers = { Authorization: `Bearer ${key}`, 'X-Forwarded-For': '10.1.0.2' };
  const expand = async (expansion: string) => {
    const path = `/v1/transactions/${transactions.own}?expand=${expansion}`;
    return await answerOf(await fetch(api.url + path, { headers }));
  };
  expect((await expand('labels,explanation')).status).toBe(403);
  expect(await expand('score,labels,neighbours')).toMatchObject({ status: 200 });
});

test("a role beside ingest finds another client's transaction where it would by itself", async () => {
  const path = `/v1/transactions/${transactions.other}`;
  const answers = await Promise.all(
    ROLES.map(async (role) => {
      const roles: Role[] = [...new Set<Role>(['ingest', role])];
      const { key } = isApart(role)
        ? { key: await insertPersonKey(api.testDatabase, 'Bob', roles) }
        : await makeKey(roles, clientOf.own);
      const headers = { Authorization: `Bearer ${key}`, 'X-Forwarded-For': '10.1.0.1' };
      return [role, (await answerOf(await fetch(api.url + path, { headers }))).status];
    }),
  );
  expect(Object.fromEntries(answers)).toEqual({
    ...{ ingest: 404, operator: 404, risk_officer: 404, analyst: 200, admin: 200, auditor: 200 },
    personal_data: 404,
  });
});
