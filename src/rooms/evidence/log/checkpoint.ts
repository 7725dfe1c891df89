/** Checkpoints of C2SP: origin, size and root, signed by the keys of the log. Ed25519 signs the text, ML-DSA-44 cosigns it. */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from './tree.ts';

export type TreeHead = { readonly origin: string; readonly size: number; readonly root: Buffer };

/** Signature types of c2sp.org/signed-note. */
const TYPES = { ed25519: 1, 'ml-dsa-44': 6 } as const;
type KeyType = keyof typeof TYPES;

export type SigningKey = {
  readonly type: KeyType;
  readonly key: KeyObject;
  /** Type and raw public key, of which key ids and verifier keys are made. */
  readonly publicBytes: Buffer;
};

const RAW_BYTES: Readonly<Record<KeyType, number>> = { ed25519: 32, 'ml-dsa-44': 1312 };

/** @throws Error for a key of another type */
export function toSigningKey(key: KeyObject): SigningKey {
  const type = key.asymmetricKeyType as string;
  if (type !== 'ed25519' && type !== 'ml-dsa-44') throw new Error(`a key of ${type} signs no note`);
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const raw = der.subarray(der.length - RAW_BYTES[type]);
  return { type, key, publicBytes: Buffer.concat([Buffer.of(TYPES[type]), raw]) };
}

function keyId(name: string, { publicBytes }: SigningKey): Buffer {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), publicBytes])).subarray(0, 4);
}

/** The verifier key: NAME+ID+BASE64. */
export function verifierKey(origin: string, key: SigningKey): string {
  const id = keyId(origin, key).toString('hex');
  return `${origin}+${id}+${key.publicBytes.toString('base64')}`;
}

const textOf = ({ origin, size, root }: TreeHead) =>
  `${origin}\n${size}\n${root.toString('base64')}\n`;

export function signCheckpoint(head: TreeHead, keys: readonly SigningKey[], nowMs: number): string {
  const text = textOf(head);
  const lines = keys.map((key) => {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(Math.floor(nowMs / 1000)));
    const bytes =
      key.type === 'ed25519'
        ? [sign(null, Buffer.from(text), key.key)]
        : [time, sign(null, subtreeMessage(head, time), key.key)];
    const line = Buffer.concat([keyId(head.origin, key), ...bytes]);
    return `— ${head.origin} ${line.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** The message that ML-DSA-44 signs (c2sp.org/tlog-cosignature): the log is its own cosigner. */
function subtreeMessage({ origin, size, root }: TreeHead, time: Buffer): Buffer {
  const name = Buffer.from(origin);
  const range = Buffer.alloc(16);
  range.writeBigUInt64BE(BigInt(size), 8);
  const short = [Buffer.of(name.length), name];
  return Buffer.concat([Buffer.from('subtree/v1\n\0'), ...short, time, ...short, range, root]);
}

/** Reads the head of a note without a look at signatures; undefined for a text that is no checkpoint. */
export function readHead(note: string): TreeHead | undefined {
  const [origin = '', size = '', root = '', end] = note.split('\n');
  const bytes = Buffer.from(root, 'base64');
  const isHead = origin !== '' && /^(0|[1-9]\d{0,15})$/.test(size) && bytes.length === 32;
  return isHead && end === '' ? { origin, size: Number(size), root: bytes } : undefined;
}

/** Whether one of the keys signed the note. */
export function isSignedBy(note: string, keys: readonly SigningKey[]): boolean {
  const head = readHead(note);
  if (head === undefined) return false;
  const lines = note.slice(note.lastIndexOf('\n\n') + 2).split('\n');
  return lines.some((line) => {
    const [dash, name, base64 = ''] = line.split(' ');
    const bytes = Buffer.from(base64, 'base64');
    const signer = keys.find((key) => keyId(head.origin, key).equals(bytes.subarray(0, 4)));
    if (dash !== '—' || name !== head.origin || signer === undefined) return false;
    const [text, signature] =
      signer.type === 'ed25519'
        ? [Buffer.from(textOf(head)), bytes.subarray(4)]
        : [subtreeMessage(head, bytes.subarray(4, 12)), bytes.subarray(12)];
    return verify(null, text, createPublicKey(signer.key), signature);
  });
}
