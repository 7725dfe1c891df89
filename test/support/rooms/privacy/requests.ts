/** Requests about personal data, well and badly, for tests of the contract. */
import { type RunningApi, startRunningApi } from '../../running-api.ts';
import { answerOf, input, postOne } from '../../submit.ts';
import { makePrivacyFolder } from './settings.ts';

type Call = readonly [method: string, path: string, init?: RequestInit & { body?: string }];

const FIELD = 'metadata.customer';

/** An API whose market declares a member of metadata; other tests store accounts themselves, so these are not declared. */
export async function startPrivateApi(environment: Record<string, string>): Promise<RunningApi> {
  const folder = await makePrivacyFolder();
  const api = await startRunningApi({ ...environment, ...folder.settings });
  const declared = await api.request(`/v1/personal-fields/${FIELD}`, { method: 'PUT' });
  if (declared.status !== 200) throw new Error(`not declared: ${await declared.text()}`);
  return {
    ...api,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export async function privacyRequests(api: RunningApi): Promise<readonly Call[]> {
  const sent = await postOne(api, input({ metadata: { customer: 'Ann Example' } }));
  const stored = await api.request(`/v1/transactions/${sent.body.transaction_id}`);
  const token: string = (await answerOf(stored)).body.metadata.customer;
  const nobodys = `tok_${'0'.repeat(32)}`;
  const headers = { 'Risk-Reason': 'case 4711' };
  const erasing = (erasure: object): Call => [
    'POST',
    '/v1/erasures',
    { body: JSON.stringify(erasure), headers: { 'Content-Type': 'application/json' } },
  ];
  const reason = 'request 117';
  return [
    ['GET', '/v1/personal-fields'],
    ...[FIELD, 'metadata.late', 'merchant_id'].map(
      (field): Call => ['PUT', `/v1/personal-fields/${field}`],
    ),
    ...[token, nobodys, 'x'].map((one): Call => ['GET', `/v1/subjects/${one}`, { headers }]),
    ['GET', `/v1/subjects/${token}`],
    erasing({ field: FIELD, value: 'nobody', reason }),
    erasing({ field: 'account_id', value: 'acc_17', reason }),
    erasing({ field: FIELD }),
    erasing({ field: FIELD, value: 'Ann Example', reason }),
    erasing({ field: FIELD, value: token, reason }),
  ];
}
