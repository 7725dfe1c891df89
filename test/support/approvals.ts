/** Decisions of two people for tests: straight in the database, and over an API. */
import { randomUUID } from 'node:crypto';
import type { Api } from '../../src/core/room.ts';
import { type Approval, approvalSchema } from '../../src/kit/approvals/approval.ts';
import {
  confirm as carryOut,
  type Executors,
  listApprovals,
} from '../../src/kit/approvals/approvals.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import type { Officer } from '../../src/kit/words/principal.ts';
import { ROOMS } from '../../src/main/rooms.ts';
import type { TestDatabase } from './database.ts';
import { insertPersonKey } from './people.ts';
import type { RunningApi } from './running-api.ts';
import { send } from './submit.ts';

/** Two people agree on the drop of a month. */
export async function agreeOnDrop(database: Pick<TestDatabase, 'sql'>, month: string) {
  const make = async (name: string) => {
    return { name, keyId: keyIdOf(await insertPersonKey(database, name, ['risk_officer'])) };
  };
  await insertApproval(database, 'month-drop', [await make('Moe'), await make('Nan')], {}, month);
}

export const keyIdOf = (key: string): string => key.split('_')[1] ?? '';

/** @param by name and key id of the two people @returns the id of an approval that both have confirmed */
export async function insertApproval(
  { sql }: Pick<TestDatabase, 'sql'>,
  kind: Approval['kind'],
  [first, second]: readonly { readonly name: string; readonly keyId: string }[],
  detail: object = {},
  subject: string = randomUUID(),
): Promise<string> {
  const [made] = await sql<{ id: string }>(
    `insert into approvals (kind, subject, detail, proposed_by, proposed_by_key, ends_at)
     values ($1, $5, $2, $3, $4, now() + interval '1 day') returning approval_id as id`,
    [kind, JSON.stringify(detail), first?.name, first?.keyId, subject],
  );
  const id = made?.id ?? '';
  await sql(
    `update approvals set confirmed_by = $2, confirmed_by_key = $3, confirmed_at = clock_timestamp() where approval_id = $1`,
    [id, second?.name, second?.keyId],
  );
  return id;
}

/** The executors of all rooms. */
export async function openExecutors(): Promise<Executors<Api>> {
  const all = await Promise.all(ROOMS.map(({ routes }) => routes?.()));
  return Object.assign({}, ...all.map((routes) => routes?.executors));
}

/** Confirms by the functions that the route calls. */
export async function confirmIn(database: Database, id: string, by: Officer): Promise<Approval> {
  return await carryOut(database, await openExecutors(), id, by, undefined as unknown as Api);
}

/** Confirms what waits for a subject. */
export async function confirmWaiting(database: Database, subject: string, by: Officer) {
  const waiting = await listApprovals(database.query, undefined, undefined, 'waiting', 200);
  const found = waiting.find((approval) => approval.subject === subject);
  return await confirmIn(database, found?.approval_id ?? `nothing waits for ${subject}`, by);
}

export const confirm = (api: Pick<RunningApi, 'request'>, key: string, id: string) =>
  send(api, 'POST', `/v1/approvals/${id}/confirm`, undefined, key);

/** Confirms what waits. @returns what the confirmation did */
export async function confirmed(
  api: Pick<RunningApi, 'request'>,
  key: string,
  { approval_id: id }: { readonly approval_id: string },
): Promise<NonNullable<Approval['result']>> {
  const { status, body } = await confirm(api, key, id);
  if (status !== 200) throw new Error(`${status}: ${body.detail}`);
  return approvalSchema.parse(body).result ?? {};
}
