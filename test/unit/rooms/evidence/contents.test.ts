/**
 * Goal: what is sealed has one text, whatever wrote it and in whatever order. Method: the examples of RFC 8785, and committed
 * texts with their hashes: a change of either breaks evidence that was given away.
 */
import { expect, test } from 'vitest';
import {
  auditContent,
  canonicalJson,
  contentLeaf,
  gapLeaf,
  modelContent,
  ruleSetContent,
  scoreContent,
  setLeaf,
} from '../../../../src/rooms/evidence/log/contents.ts';
import { hashRows, type ScoreTexts } from '../../../../src/rooms/evidence/log/score-hash.ts';
import { hashesOf, leafHash } from '../../../../src/rooms/evidence/log/tree.ts';
import { hashOf } from '../../../../verify/merkle.ts';
import { scoreBytes } from '../../../../verify/score.ts';

const SCORE: ScoreTexts = {
  transactionId: '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f',
  scoredAtMs: Date.UTC(2026, 10, 27, 8, 5, 0, 123),
  accountId: 'acc "17"\n é',
  corridor: 'US-EG',
  score: '612',
  risk: '1e-05',
  probability: null,
  verdict: 'review',
  reasons:
    '[{"code": "NEW_DEVICE", "detail": "first seen", "contribution": 12.50}, {"code": "X", "detail": "", "contribution": 1e2}]',
  features: '01ff0a',
  featureSchema: '4',
  ruleSet: 'default@3-manual-from-2500.5-USD',
  model: 'fraud@2026-11-20',
  attempts: '1',
  degradation: '0',
  featuresCrc32: '-17',
  ruleInputs: '{"b":"1.50","a":true}',
  margin: null,
  scorecard: null,
  byRules: null,
};

test('canonical JSON is that of RFC 8785', () => {
  const value = JSON.parse(
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  );
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
  const keys = {
    '\u20ac': 1,
    '\r': 2,
    '\ufb33': 3,
    '1': 4,
    '\ud83d\ude00': 5,
    '\u0080': 6,
    '\u00f6': 7,
  };
  expect(Object.keys(JSON.parse(`[${canonicalJson(keys)}]`)[0])).toHaveLength(7);
  expect([...canonicalJson(keys).matchAll(/:(\d)/g)].map(([, nth]) => nth).join('')).toBe(
    '2467153',
  );
  for (const bad of [Number.NaN, '\ud800', undefined, () => 1])
    expect(() => canonicalJson(bad)).toThrow();
});

test('a score is written and hashed as it was sealed, and verify/ makes the same bytes of its content', () => {
  const text = scoreContent(SCORE);
  expect(canonicalJson(JSON.parse(text))).toBe(text);
  expect(text).toMatchInlineSnapshot(
    `"{"account_id":"acc \\"17\\"\\n é","attempts":1,"corridor":"US-EG","degradation":0,"feature_schema":4,"features":"01ff0a","features_crc32":-17,"id":"0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f","kind":"score","model":"fraud@2026-11-20","probability":null,"reasons":"[{\\"code\\":\\"NEW_DEVICE\\",\\"detail\\":\\"first seen\\",\\"contribution\\":12.5},{\\"code\\":\\"X\\",\\"detail\\":\\"\\",\\"contribution\\":100}]","risk":0.00001,"rule_inputs":"{\\"b\\":\\"1.50\\",\\"a\\":true}","rule_set":"default@3-manual-from-2500.5-USD","score":612,"scored_at":"2026-11-27T08:05:00.123Z","v":2,"verdict":"review"}"`,
  );
  const hash = hashRows([SCORE]);
  expect(hash.toString('hex')).toMatchInlineSnapshot(
    `"77fbe8acb78f73c317de47de4c2306bd6058796bd141b9d5bde51aab8ad18406"`,
  );
  expect(scoreBytes(text).toString('hex')).toMatchInlineSnapshot(
    `"73636f72652f320a0000000c61636320223137220a20c3a90000000200010000000555532d45470000000200000000000200040000000301ff0a00000004ffffffef000000100190a5f27c1e7d3b9a445b1f0c2d3e4f00000010667261756440323032362d31312d3230ffffffff0000006d5b7b22636f6465223a224e45575f444556494345222c2264657461696c223a226669727374207365656e222c22636f6e747269627574696f6e223a31322e357d2c7b22636f6465223a2258222c2264657461696c223a22222c22636f6e747269627574696f6e223a3130307d5d000000083ee4f8b588e368f1000000157b2262223a22312e3530222c2261223a747275657d0000002064656661756c7440332d6d616e75616c2d66726f6d2d323530302e352d555344000000020264000000080003043c490ac37800000006726576696577"`,
  );
  expect(hashOf(scoreBytes(text))).toEqual(hash);
  const judged = { ...SCORE, margin: '-3.25e-05', scorecard: '7', byRules: '401' };
  expect(scoreContent(judged)).toMatchInlineSnapshot(
    `"{"account_id":"acc \\"17\\"\\n é","attempts":1,"by_rules":401,"corridor":"US-EG","degradation":0,"feature_schema":4,"features":"01ff0a","features_crc32":-17,"id":"0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f","kind":"score","margin":-0.0000325,"model":"fraud@2026-11-20","probability":null,"reasons":"[{\\"code\\":\\"NEW_DEVICE\\",\\"detail\\":\\"first seen\\",\\"contribution\\":12.5},{\\"code\\":\\"X\\",\\"detail\\":\\"\\",\\"contribution\\":100}]","risk":0.00001,"rule_inputs":"{\\"b\\":\\"1.50\\",\\"a\\":true}","rule_set":"default@3-manual-from-2500.5-USD","score":612,"scorecard":7,"scored_at":"2026-11-27T08:05:00.123Z","v":3,"verdict":"review"}"`,
  );
  expect(hashOf(scoreBytes(scoreContent(judged)))).toEqual(hashRows([judged]));
  expect(hashRows([judged, SCORE])).toEqual(Buffer.concat([hashRows([judged]), hash]));
  const plain = { ...SCORE, model: null, reasons: '[]', ruleInputs: null };
  const both = hashRows([plain, { ...SCORE, accountId: 'é'.repeat(70_000) }, SCORE]);
  expect(hashesOf(both)[0]).toEqual(hashOf(scoreBytes(scoreContent(plain))));
  expect(hashesOf(both)[2]).toEqual(hash);
});

test.each([
  ['another member', (content: object) => ({ ...content, extra: 1 })],
  ['a missing member', ({ model: _, ...rest }: Record<string, unknown>) => rest],
  ['a fraction', (content: object) => ({ ...content, score: 612.5 })],
  ['a number as text', (content: object) => ({ ...content, score: '612' })],
  ['bytes that are not in hex', (content: object) => ({ ...content, features: '01ff0' })],
  ['another version', (content: object) => ({ ...content, v: 1 })],
])('verify/ refuses a score with %s', (_what, change) => {
  const changed = canonicalJson(change(JSON.parse(scoreContent(SCORE))));
  expect(() => scoreBytes(changed)).toThrow('the score');
  expect(() => scoreBytes(` ${scoreContent(SCORE)}`)).toThrow('canonical');
});

test('lines, models and rule sets are bound to their kind and version', () => {
  const line = auditContent({
    audit_id: '41',
    changed_at: '2026-11-27T08:05:00.000Z',
    who: 'Bob',
    key_id: null,
    action: 'control.set',
    subject: 'US-EG',
    before: null,
    after: { limit: '2500.50', kind: 'amount' },
    request: 'r-1',
  });
  const model = modelContent({
    model: 'fraud@2026-11-20',
    modelId: 'ab'.repeat(32),
    format: 'xgboost-json',
    featureSchema: 4,
    calibration: null,
    createdAt: new Date('2026-11-20T00:00:00Z'),
    createdBy: 'Ann',
  });
  const ruleSet = ruleSetContent({
    ruleSet: 'default@3',
    sha256: 'cd'.repeat(32),
    author: null,
    approvedBy: null,
    approvedAt: null,
  });
  expect([line, model, ruleSet]).toMatchInlineSnapshot(`
    [
      "{"action":"control.set","after":{"kind":"amount","limit":"2500.50"},"before":null,"changed_at":"2026-11-27T08:05:00.000Z","id":"41","key_id":null,"kind":"audit","request":"r-1","subject":"US-EG","v":1,"who":"Bob"}",
      "{"artefact_sha256":"abababababababababababababababababababababababababababababababab","calibration":null,"created_at":"2026-11-20T00:00:00.000Z","created_by":"Ann","feature_schema":4,"format":"xgboost-json","id":"fraud@2026-11-20","kind":"model","v":1}",
      "{"approved_at":null,"approved_by":null,"author":null,"id":"default@3","kind":"rule-set","source_sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","v":1}",
    ]
  `);
  const leaf = contentLeaf('audit', '41', line, '2026-11-27T08:05:01.000Z');
  expect(leaf.text).toMatchInlineSnapshot(
    `"{"id":"41","kind":"audit","sealed_at":"2026-11-27T08:05:01.000Z","sha256":"c822496051f96b0edf2c80e7cbed0c49332a62f2268259a39546676610bccb84","v":1}"`,
  );
  expect(leaf.hash).toEqual(leafHash(leaf.text));
  const set = setLeaf(Buffer.concat([leafHash('x'), leafHash('y')]), '2026-11-27T08:05:01.000Z');
  expect(set.text).toMatchInlineSnapshot(
    `"{"count":2,"kind":"scores","sealed_at":"2026-11-27T08:05:01.000Z","sha256":"9a7d90ac0acf868e732056e7a0b91ed2e33c502d74c6de0ae202585684987fea","v":2}"`,
  );
  const gap = gapLeaf('2026-11-20T07:05:01.000Z', '2026-11-27T08:05:01.000Z');
  expect(gap.text).toMatchInlineSnapshot(
    `"{"from":"2026-11-20T07:05:01.000Z","kind":"gap","to":"2026-11-27T08:05:01.000Z","v":1}"`,
  );
});
