/** Requests about lists whose answers the document has to have: from a list's making to the end of an entry, and what is refused. */
import { type Call, callOf } from '../../call.ts';
import type { RunningApi } from '../../running-api.ts';
import { answerOf } from '../../submit.ts';

/** The requests, in this order. */
export async function listRequests({
  post,
  request,
}: Pick<RunningApi, 'post' | 'request'>): Promise<Call[]> {
  const wanted = { name: 'stolen', effect: 'block', kind: 'device', description: 'stolen ones' };
  await post('/v1/lists', wanted);
  const path = '/v1/lists/stolen/entries';
  const value = { value: 'device-1', reason: 'why' };
  const { body } = await answerOf(await post(path, value));
  const one = `${path}/${body.entry_id}`;
  const lines = { 'Content-Type': 'application/x-ndjson' };
  const imports = (list: string) => `/v1/lists/${list}/imports`;
  const sent = (list: string, line: object) =>
    callOf('POST', `${imports(list)}?reason=why`, line, lines);
  const first = await answerOf(
    await request(`${imports('stolen')}?reason=why`, {
      ...{ method: 'POST', headers: lines, body: JSON.stringify({ value: 'device-9' }) },
    }),
  );
  const imported = `${imports('stolen')}/${first.body.import_id}`;
  const requests: Parameters<typeof callOf>[] = [
    ['POST', '/v1/lists', wanted],
    ['POST', '/v1/lists', { ...wanted, name: 'vip', effect: 'allow', kind: 'account' }],
    ['POST', '/v1/lists', { ...wanted, kind: 'hash' }],
    ['POST', '/v1/lists', { ...wanted, name: 'shared-x' }],
    ['GET', '/v1/lists'],
    ['GET', '/v1/lists/lookup?kind=device&value=device-1'],
    ['GET', '/v1/lists/lookup?kind=address&value=x'],
    ['POST', path, { ...value, value: 'device-2', expires_at: '2099-01-01T00:00:00Z' }],
    ['POST', path, { ...value, value: 'device-1', reason: 'another' }],
    ['POST', path, {}],
    ['POST', '/v1/lists/none/entries', value],
    ['GET', path],
    ['GET', `${path}?as_of=2020-01-01&limit=1`],
    ['GET', `${path}?state=all&as_of=2020-01-01`],
    ['GET', '/v1/lists/none/entries'],
    ['DELETE', one],
    ['DELETE', `${path}/999`],
    ['DELETE', `${path}/x`],
    ['GET', imports('stolen')],
    ['GET', imports('none')],
    ['DELETE', imported],
    ['DELETE', `${imports('stolen')}/999`],
    ['POST', `${imports('stolen')}?reason=why`, {}],
  ];
  return [
    ...requests.map((request) => callOf(...request)),
    sent('stolen', { value: 'device-10' }),
    sent('stolen', { value: '' }),
    sent('none', { value: 'x' }),
  ];
}
