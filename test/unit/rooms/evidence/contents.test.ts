/**
 * Goal: what is sealed has one text, whatever wrote it and in whatever order. Method: the examples of RFC 8785, and committed
 * texts with their hashes: a change of either breaks evidence that was given away.
 */
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../../src/rooms/evidence/log/canonical.ts';
import {
  auditContent,
  contentLeaf,
  modelContent,
  ruleSetContent,
  type ScoreTexts,
  scoreContent,
  setLeaf,
} from '../../../../src/rooms/evidence/log/contents.ts';
import { leafHash } from '../../../../src/rooms/evidence/log/tree.ts';

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

test('a score is written as canonical JSON of its fields, bit for bit as it was sealed', () => {
  const text = scoreContent(SCORE);
  expect(canonicalJson(JSON.parse(text))).toBe(text);
  expect(text).toMatchInlineSnapshot(
    `"{"account_id":"acc \\"17\\"\\n é","attempts":1,"corridor":"US-EG","degradation":0,"feature_schema":4,"features":"01ff0a","features_crc32":-17,"id":"0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f","kind":"score","model":"fraud@2026-11-20","probability":null,"reasons":[{"code":"NEW_DEVICE","contribution":12.5,"detail":"first seen"},{"code":"X","contribution":100,"detail":""}],"risk":0.00001,"rule_inputs":{"a":true,"b":"1.50"},"rule_set":"default@3-manual-from-2500.5-USD","salt":0,"score":612,"scored_at":"2026-11-27T08:05:00.123Z","v":1,"verdict":"review"}"`,
  );
  expect(leafHash(text).toString('hex')).toMatchInlineSnapshot(
    `"f7f2c205d14d88a571e93b90468bc66f09b17e26e1973a7ed3ea9b6c99c5beaf"`,
  );
  const plain = scoreContent({
    ...SCORE,
    model: null,
    reasons: '[]',
    ruleInputs: null,
    risk: '0.5',
  });
  expect(canonicalJson(JSON.parse(plain))).toBe(plain);
  expect(plain).not.toBe(text);
});

test('lines, models and rule sets are bound to their kind and version', () => {
  const line = auditContent({
    auditId: '41',
    changedAt: new Date('2026-11-27T08:05:00.000Z'),
    who: 'Bob',
    keyId: null,
    action: 'limit.set',
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
      "{"action":"limit.set","after":{"kind":"amount","limit":"2500.50"},"before":null,"changed_at":"2026-11-27T08:05:00.000Z","id":"41","key_id":null,"kind":"audit","request":"r-1","subject":"US-EG","v":1,"who":"Bob"}",
      "{"artefact_sha256":"abababababababababababababababababababababababababababababababab","calibration":null,"created_at":"2026-11-20T00:00:00.000Z","created_by":"Ann","feature_schema":4,"format":"xgboost-json","id":"fraud@2026-11-20","kind":"model","v":1}",
      "{"approved_at":null,"approved_by":null,"author":null,"id":"default@3","kind":"rule-set","source_sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","v":1}",
    ]
  `);
  const leaf = contentLeaf('audit', '41', line, '2026-11-27T08:05:01.000Z', false);
  expect(leaf.text).toMatchInlineSnapshot(
    `"{"id":"41","kind":"audit","sealed_at":"2026-11-27T08:05:01.000Z","sha256":"47c38b2a2d0947f9eca03203ad59af1e587d30fb590d97b75c198572a1a8a298","v":1}"`,
  );
  expect(leaf.hash).toEqual(leafHash(leaf.text));
  const set = setLeaf(leafHash('x'), 3, '2026-11-27T08:05:01.000Z', true);
  expect(set.text).toMatchInlineSnapshot(
    `"{"before":true,"count":3,"kind":"scores","root":"3c7e9bc930dc93f01fa69985ef242d9f9e861f3c5355aa24ce5ef4b4b8a70ccb","sealed_at":"2026-11-27T08:05:01.000Z","v":1}"`,
  );
});
