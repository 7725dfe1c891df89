/** Requests about rule sets by one person: a draft from its first line to its end, and what is refused. */
import { hashRuleSet } from '../../../../src/core/score/rules/rule-set-data.ts';
import { type Call, callOf } from '../../call.ts';
import { always } from './officers.ts';

export function ruleSetRequests(scored: string, unknown: string): Call[] {
  const source = always('own@1');
  const send = (method: string, path: string, body: unknown, more = {}) =>
    callOf(method, `/v1/rule-sets${path}`, body, more);
  const step = (word: string, id = 'own@1') => callOf('POST', `/v1/rule-sets/${id}/${word}`);
  const tag = `"1-${hashRuleSet(source).slice(0, 16)}"`;
  const rollout = { corridor: 'US-EG', to: 'shadow' };
  const field = (method: string, name: string, body?: object) =>
    callOf(method, `/v1/metadata-fields/${name}`, body);
  const tier = { type: 'text', description: 'basic or gold' };
  return [
    field('PUT', 'tier', tier),
    callOf('PUT', '/v1/scorecard-group', { group: 'metadata.tier', reason: 'why' }),
    callOf('PUT', '/v1/scorecard-group', { group: 'metadata.none', reason: 'why' }),
    field('PUT', 'tier', { ...tier, type: 'number' }),
    field('PUT', 'order-id', tier),
    ['GET', '/v1/metadata-fields'],
    field('DELETE', 'tier'),
    field('DELETE', 'tier'),
    send('POST', '', source),
    send('POST', '', source),
    send('POST', '', { ...source, rules: 1 }),
    ['GET', '/v1/rule-sets/own@1'],
    ['GET', '/v1/rule-sets/none@1'],
    send('PUT', '/own@1', source),
    send('PUT', '/own@1', source, { 'If-Match': tag }),
    send('PUT', '/other@1', source, { 'If-Match': tag }),
    send('PUT', '/none@1', always('none@1'), { 'If-Match': tag }),
    send('POST', '/check', source),
    send('POST', '/check', { ...source, rules: [{ id: 'x' }] }),
    ['GET', '/v1/rule-sets/catalogue'],
    send('POST', '/test', { source, transaction_id: scored }),
    send('POST', '/test', { rule_set: 'default@4', features: { amount: 1 }, corridor: 'US-EG' }),
    send('POST', '/test', { rule_set: 'none@1', transaction_id: unknown }),
    send('POST', '/test', { source, features: { amout: 1 } }),
    ...['submit', 'retire'].map((word) => step(word, 'none@1')),
    ...['submit', 'submit'].map((word) => step(word)),
    send('POST', '/own@1/rollout', rollout),
    send('POST', '/own@1/rollout', { ...rollout, to: 'canary:0' }),
    send('POST', '/none@1/rollout', rollout),
    send('POST', '/own@1/rollback', { corridor: 'US-EG' }),
    send('POST', '/own@1/rollback', { corridor: 'brazil' }),
    send('POST', '/none@1/rollback', { corridor: 'US-EG' }),
    ...['retire', 'retire'].map((word) => step(word)),
  ];
}
