/**
 * Goal: verify/ says "proven" of what the log sealed and of nothing else, and in lines of its own alone. Method: a log of one leaf,
 * and bundles that a hostile exporter makes of it.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Bundle, FORMAT, openBundle } from '../../../../verify/bundle.ts';
import { hashOf, leafHash } from '../../../../verify/merkle.ts';
import { keyId, readKeys } from '../../../../verify/note.ts';
import { scoreBytes } from '../../../../verify/score.ts';
import { main } from '../../../../verify/verify.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const ID = '0190a5f2-7c1e-7d3b-9a44-5b1f0c2d3e4f';
const ORIGIN = 'risk.example.com/market_0';
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const typed = Buffer.concat([
  Buffer.of(1),
  publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
]);
const KEY = `${ORIGIN}+${keyId(ORIGIN, typed)}+${typed.toString('base64')}`;

function contentOf(over: Readonly<Record<string, unknown>>): string {
  const content: Record<string, unknown> = {
    ...{ account_id: 'acc_\ufffd', attempts: 1, corridor: 'US-EG', degradation: 0 },
    ...{ feature_schema: 1, features: '00', features_crc32: null, id: ID, kind: 'score' },
    ...{ model: 'fraud@1', probability: 0.5, reasons: '[]', risk: 0.5, rule_inputs: null },
    ...{ rule_set: 'default@3', score: 500, scored_at: '2026-03-02T00:00:00.000Z', v: 2 },
    ...{ verdict: 'approve', ...over },
  };
  const members = Object.entries(content).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(Object.fromEntries(members));
}

const SEALED = contentOf({});
const HASHES = hashOf(scoreBytes(SEALED));
const SHA256 = hashOf(HASHES).toString('hex');
const LEAF = JSON.stringify({ count: 1, kind: 'scores', sha256: SHA256, v: 2 });

function bundleOf(content: string): Bundle {
  const text = `${ORIGIN}\n1\n${leafHash(Buffer.from(LEAF)).toString('base64')}\n`;
  const id = Buffer.from(keyId(ORIGIN, typed), 'hex');
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
  const set = { index: 0, hashes: HASHES.toString('base64') };
  return {
    format: FORMAT,
    checkpoint: `${text}\n— ${ORIGIN} ${signature.toString('base64')}\n`,
    proofs: [{ content, set, leaf: LEAF, index: 0, path: [] }],
  };
}

test('a score is proven by the text that was sealed, not by another one with the same bytes', () => {
  const keys = readKeys(KEY);
  expect(openBundle(bundleOf(SEALED), keys).contents).toMatchObject([{ id: ID }]);
  for (const over of [
    { account_id: 'acc_\ud800' },
    { scored_at: '2026-02-30T00:00:00.000Z' },
    { scored_at: '2026-03-01T24:00:00.000Z' },
    { scored_at: '2026-03-02 (not 2026-04-01) 00:00:00.000Z' },
  ])
    expect(() => openBundle(bundleOf(contentOf(over)), keys)).toThrow('not written in canonical');
});

function verified(bundle: Bundle) {
  const folder = temporaryFolder();
  const [file, key] = [join(folder, 'bundle.json'), join(folder, 'keys.txt')];
  writeFileSync(file, JSON.stringify(bundle));
  writeFileSync(key, KEY);
  const lines: string[] = [];
  const code = main([file, '--key', key], (line) => lines.push(line));
  return { code, lines };
}

test('a bundle writes no line of its own, and none without its rule set and model passes for whole', () => {
  const whole = 'proven score 1 in nowhere, 1 leaves';
  const format = `1\n${whole}\u001b[1A\u2028`;
  const { code, lines } = verified({ ...bundleOf(SEALED), format });
  expect([code, lines.length]).toEqual([1, 1]);
  expect(lines[0]).toBe(lines[0]?.replaceAll(/[\p{C}\p{Zl}]/gu, '?'));

  expect(verified(bundleOf(SEALED))).toEqual({
    code: 0,
    lines: [
      `proven score ${ID} in ${ORIGIN}, 1 leaves; NOT PROVEN: its rule-set default@3; NOT PROVEN: its model fraud@1`,
    ],
  });
});
