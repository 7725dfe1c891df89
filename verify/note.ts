/**
 * Checkpoints of C2SP: a note of origin, size and root, signed by the log. Signatures are Ed25519 (type 0x01), or
 * ML-DSA-44 cosignatures of the log itself (type 0x06).
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { hashOf } from './merkle.ts';

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Buffer };
/** A key that the reader trusts, as `NAME+ID+BASE64` (a vkey). */
export type TrustedKey = {
  readonly name: string;
  readonly id: string;
  readonly type: number;
  readonly key: KeyObject;
};

const ED25519 = 1;
const ML_DSA_44 = 6;
/** The DER prefix (SPKI) of a raw public key. */
const SPKI: Readonly<Record<number, { readonly prefix: string; readonly bytes: number }>> = {
  [ED25519]: { prefix: '302a300506032b6570032100', bytes: 32 },
  [ML_DSA_44]: { prefix: '30820532300b06096086480165030403110382052100', bytes: 1312 },
};
const TEXT_END = '\n\n';
const SIGNATURE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/;
const SIZE = /^(0|[1-9]\d{0,15})$/;
const ROOT = /^[A-Za-z0-9+/]{43}=$/;

/** Reads a key from each line, but for empty lines and comments (#). @throws Error where a line is no key */
export function readKeys(text: string): TrustedKey[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(readKey);
}

function readKey(line: string): TrustedKey {
  const [name = '', id = '', ...rest] = line.split('+');
  // Base64 may have plus signs.
  const bytes = Buffer.from(rest.join('+'), 'base64');
  const type = bytes[0] ?? 0;
  const spki = SPKI[type];
  const raw = bytes.subarray(1);
  if (spki === undefined || raw.length !== spki.bytes) {
    throw new Error(`the key of ${name} is neither Ed25519 nor ML-DSA-44`);
  }
  if (keyId(name, bytes) !== id) throw new Error(`the key of ${name} does not have the id ${id}`);
  const der = Buffer.concat([Buffer.from(spki.prefix, 'hex'), raw]);
  return { name, id, type, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

/** @param bytes the type, then the public key */
export function keyId(name: string, bytes: Uint8Array): string {
  return hashOf(Buffer.concat([Buffer.from(`${name}\n`), bytes]))
    .subarray(0, 4)
    .toString('hex');
}

/**
 * Reads a note that a trusted key signed, and ignores signatures of unknown keys.
 * @throws Error where no trusted key signed the note, or where the signature of a trusted key is wrong
 */
export function openCheckpoint(note: string, keys: readonly TrustedKey[]): Checkpoint {
  const end = note.lastIndexOf(TEXT_END);
  const text = note.slice(0, end + 1);
  const signatures = note.slice(end + TEXT_END.length);
  if (end < 0 || !signatures.endsWith('\n')) throw new Error('the checkpoint is no signed note');
  const checkpoint = readText(text);
  let signed = 0;
  for (const line of signatures.slice(0, -1).split('\n')) {
    const [, name, base64 = ''] = SIGNATURE.exec(line) ?? [];
    if (name === undefined) throw new Error('the checkpoint has a line that is no signature');
    const bytes = Buffer.from(base64, 'base64');
    const id = bytes.subarray(0, 4).toString('hex');
    const key = keys.find((one) => one.name === name && one.id === id);
    if (key === undefined || name !== checkpoint.origin) continue;
    if (!isSigned(text, checkpoint, key, bytes.subarray(4))) {
      throw new Error(`the signature of ${name} (key ${id}) is wrong`);
    }
    signed++;
  }
  if (signed === 0) throw new Error(`no trusted key signed the checkpoint of ${checkpoint.origin}`);
  return checkpoint;
}

function readText(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  // The third line ends the text: this log has no lines of extension.
  if (origin === '' || !SIZE.test(size) || !ROOT.test(root) || rest.join() !== '') {
    throw new Error('the checkpoint is not of origin, size and root');
  }
  return { origin, size: Number(size), root: Buffer.from(root, 'base64') };
}

function isSigned(text: string, of: Checkpoint, key: TrustedKey, bytes: Buffer): boolean {
  if (key.type === ED25519) return verify(null, Buffer.from(text), key.key, bytes);
  if (bytes.length < 8) return false;
  const time = bytes.subarray(0, 8);
  return verify(null, subtreeMessage(key.name, time, of), key.key, bytes.subarray(8));
}

/** The message that an ML-DSA-44 key signs for a checkpoint (c2sp.org/tlog-cosignature). */
export function subtreeMessage(name: string, time: Uint8Array, of: Checkpoint): Buffer {
  const short = (text: string) =>
    Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(BigInt(of.size), 8);
  const label = Buffer.from('subtree/v1\n\0');
  return Buffer.concat([label, short(name), time, short(of.origin), numbers, of.root]);
}
