/**
 * Goal: verify/ proves what RFC 6962 and C2SP say, and nothing else. Method: known answers, and every proof of the reference
 * trees, with each byte and each size changed.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  consistencyPath,
  inclusionPath,
  type ReadTile,
} from '../../../../src/rooms/evidence/log/tree.ts';
import { EMPTY_ROOT, isConsistent, leafHash, rootOfInclusion } from '../../../../verify/merkle.ts';
import { keyId, openCheckpoint, readKeys, subtreeMessage } from '../../../../verify/note.ts';
import { requireContinued } from '../../../../verify/verify.ts';

/** Leaves of the reference tree, in hex. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];

/** Roots of the trees of the first 1 to 8 leaves. */
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The checkpoint of c2sp.org/tlog-checkpoint with its log's signature. */
const C2SP_NOTE = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;

/** The example of Go's golang.org/x/mod/sumdb/note. */
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_NOTE = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;

const hashes = LEAVES.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
const rootAt = (size: number) => Buffer.from([EMPTY, ...ROOTS][size] ?? '', 'hex');
/** All leaves are in one tile of the engine's log, whose proofs test/evidence-foreign has checked by Go's library. */
const read: ReadTile = async () => Buffer.concat(hashes);

const mangled = (path: readonly Buffer[]) =>
  path.map((hash, at) =>
    path.with(at, Buffer.from(hash.map((byte, nth) => (nth === 0 ? byte ^ 1 : byte)))),
  );

test('each leaf of the reference trees of RFC 6962 is proven by its own path and by no other', async () => {
  expect(EMPTY_ROOT).toEqual(rootAt(0));
  for (let size = 1; size <= hashes.length; size++) {
    const root = rootAt(size);
    for (const [index, leaf] of hashes.slice(0, size).entries()) {
      const path = await inclusionPath(read, index, size);
      expect(rootOfInclusion(leaf, index, size, path)).toEqual(root);
      const others = [...mangled(path), path.slice(1), [...path, leaf]];
      for (const other of others) {
        if (other.length === path.length && path.length === 0) continue;
        expect(rootOfInclusion(leaf, index, size, other) ?? EMPTY_ROOT).not.toEqual(root);
      }
    }
  }
  expect(rootOfInclusion(EMPTY_ROOT, 1, 1, [])).toBeUndefined();
  expect(rootOfInclusion(EMPTY_ROOT, -1, 1, [])).toBeUndefined();
});

test('each tree continues each smaller one by its own proof and by no other', async () => {
  for (let to = 0; to <= hashes.length; to++) {
    const newer = rootAt(to);
    for (let from = 0; from <= to; from++) {
      const older = rootAt(from);
      const proof = await consistencyPath(read, from, to);
      expect([from, to, isConsistent(from, older, to, newer, proof)]).toEqual([from, to, true]);
      for (const other of [
        ...mangled(proof),
        [...proof, newer],
        ...proof.map((_, at) => proof.toSpliced(at, 1)),
      ])
        expect(isConsistent(from, older, to, newer, other)).toBe(false);
      if (from < to && from > 0) expect(isConsistent(from, newer, to, newer, proof)).toBe(false);
    }
  }
});

const origin = 'risk.example.com/market_0';
const ed25519 = generateKeyPairSync('ed25519');
const mlDsa44 = generateKeyPairSync('ml-dsa-44');

function vkeyOf(
  { publicKey }: { publicKey: typeof ed25519.publicKey },
  type: number,
  bytes: number,
) {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const typed = Buffer.concat([Buffer.of(type), der.subarray(-bytes)]);
  return {
    line: `${origin}+${keyId(origin, typed)}+${typed.toString('base64')}`,
    id: keyId(origin, typed),
  };
}
const keys = [vkeyOf(ed25519, 1, 32), vkeyOf(mlDsa44, 6, 1312)] as const;
const trusted = readKeys(keys.map(({ line }) => line).join('\n'));

function signed(size: number, root: Buffer, kinds: readonly ('ed25519' | 'ml-dsa-44')[]) {
  const text = `${origin}\n${size}\n${root.toString('base64')}\n`;
  const lines = kinds.map((kind) => {
    const time = Buffer.alloc(8, 1);
    const message = subtreeMessage(origin, time, { origin, size, root });
    const bytes =
      kind === 'ed25519'
        ? [Buffer.from(keys[0].id, 'hex'), sign(null, Buffer.from(text), ed25519.privateKey)]
        : [Buffer.from(keys[1].id, 'hex'), time, sign(null, message, mlDsa44.privateKey)];
    return `— ${origin} ${Buffer.concat(bytes).toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

test('a checkpoint is opened by either kind of key, and a signature of a trusted key must be right', () => {
  const root = rootAt(8);
  for (const kinds of [['ed25519'], ['ml-dsa-44'], ['ed25519', 'ml-dsa-44']] as const) {
    const note = signed(8, root, kinds);
    expect(openCheckpoint(note, trusted)).toEqual({ origin, size: 8, root });
    expect(() => openCheckpoint(note.replace('\n8\n', '\n9\n'), trusted)).toThrow('is wrong');
    expect(() => openCheckpoint(note, [])).toThrow('no trusted key');
  }
  const unsigned = signed(8, root, []);
  expect(() => openCheckpoint(unsigned, trusted)).toThrow('no signed note');
  expect(() => openCheckpoint(C2SP_NOTE, trusted)).toThrow('no trusted key');
});

test('the known key and signature of signed notes are read as they were written', () => {
  const [key] = readKeys(`# of Go's package note\n${GO_KEY}\n`);
  const [text = '', line = ''] = GO_NOTE.split('\n\n');
  const bytes = Buffer.from(line.trim().split(' ')[2] ?? '', 'base64');
  expect([key?.id, bytes.subarray(0, 4).toString('hex')]).toEqual(['c74f20a3', 'c74f20a3']);
  expect(key && verify(null, Buffer.from(`${text}\n`), key.key, bytes.subarray(4))).toBe(true);
});

test('a key whose id is of another key is refused', () => {
  expect(() => readKeys(keys[0].line.replace(origin, 'elsewhere.example'))).toThrow(
    'does not have the id',
  );
});

test('a reader who kept a checkpoint notices an old one and another history', async () => {
  const older = { origin, size: 3, root: rootAt(3) };
  const newer = { origin, size: 8, root: rootAt(8) };
  const proof = (await consistencyPath(read, 3, 8)).map((hash) => hash.toString('base64'));
  requireContinued(older, newer, proof);
  expect(() => requireContinued(newer, older, [])).toThrow('an old checkpoint');
  expect(() => requireContinued({ ...older, root: EMPTY_ROOT }, newer, proof)).toThrow(
    'two histories',
  );
  expect(() => requireContinued({ ...newer, root: EMPTY_ROOT }, newer, [])).toThrow(
    'two histories',
  );
  expect(() => requireContinued({ ...older, origin: 'other' }, newer, proof)).toThrow(
    'another log',
  );
});
