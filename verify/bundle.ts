/** A bundle: a score, a line of the audit log or a gap of the log, with the proof that the log sealed it. */
import { hashOf, leafHash, rootOfInclusion } from './merkle.ts';
import { type Checkpoint, openCheckpoint, type TrustedKey } from './note.ts';
import { type Fields, scoreBytes } from './score.ts';

export const FORMAT = 'risk-evidence/2';

export type Proof = {
  /** Canonical JSON (RFC 8785): what was hashed; the values of a score, from which its bytes are made; the leaf of a gap. */
  readonly content: string;
  /** The place of a score among the hashes of its set (base64); absent for other kinds. */
  readonly set?: { readonly index: number; readonly hashes: string };
  readonly leaf: string;
  readonly index: number;
  readonly path: readonly string[];
};

export type Bundle = {
  readonly format: string;
  readonly checkpoint: string;
  /** The score, line or gap that the bundle proves, then the rule set, the model and the line of the table that a score names. */
  readonly proofs: readonly Proof[];
};

export type Proven = { readonly checkpoint: Checkpoint; readonly contents: readonly Fields[] };

/** @throws Error that says what the bundle does not prove */
export function openBundle(bundle: Bundle, keys: readonly TrustedKey[]): Proven {
  if (bundle.format !== FORMAT) throw new Error(`the format is ${bundle.format}, not ${FORMAT}`);
  const checkpoint = openCheckpoint(bundle.checkpoint, keys);
  if (bundle.proofs.length === 0) throw new Error('the bundle proves nothing');
  const contents = bundle.proofs.map((proof) => openProof(proof, checkpoint));
  const [first = {}, ...others] = contents;
  for (const other of others) requireNamed(first, other);
  return { checkpoint, contents };
}

function openProof(proof: Proof, { size, root }: Checkpoint): Fields {
  const content = JSON.parse(proof.content) as Fields;
  const leaf = JSON.parse(proof.leaf) as Fields;
  requireContent(proof, content, leaf);
  const hash = leafHash(Buffer.from(proof.leaf));
  const path = proof.path.map((one) => Buffer.from(one, 'base64'));
  const made = rootOfInclusion(hash, proof.index, size, path);
  if (made === undefined || !made.equals(root)) {
    throw new Error(`the leaf at ${proof.index} is not in the tree of ${size} leaves`);
  }
  return content;
}

/** Compares the content with the hash in its leaf. @throws Error where the two differ */
function requireContent({ content: text, leaf: own, set }: Proof, content: Fields, leaf: Fields) {
  const { kind, id } = content;
  const isSealed = (bytes: Uint8Array) => hashOf(bytes).toString('hex') === leaf['sha256'];
  if (leaf['kind'] !== 'scores') {
    const isOwn = kind === 'gap' ? text === own : isSealed(Buffer.from(text));
    if (leaf['kind'] !== kind || leaf['id'] !== id || !isOwn)
      throw new Error(`the ${kind} ${id} has another hash than its leaf says`);
    return;
  }
  const [index, hashes] = [set?.index ?? -1, Buffer.from(set?.hashes ?? '', 'base64')];
  const isWhole = hashes.length === 32 * Number(leaf['count']) && isSealed(hashes);
  if (!isWhole || !hashOf(scoreBytes(text)).equals(hashes.subarray(32 * index, 32 * index + 32)))
    throw new Error(`the ${kind} ${id} is not in the set of its leaf`);
}

/** Serial of the table of the day whose hash a line of the audit log says. */
export const tableOf = ({ action, after }: Fields): unknown =>
  action === 'scorecard.build' ? (after as Fields)['serial'] : undefined;

/** @throws Error where the score names another rule set, model or table than the bundle has */
function requireNamed(score: Fields, named: Fields): void {
  const { kind, id } = named;
  const isNamed =
    kind === 'audit'
      ? typeof score['scorecard'] === 'number' && score['scorecard'] === tableOf(named)
      : isVersion(kind === 'model' ? score['model'] : score['rule_set'], named);
  if (score['kind'] !== 'score' || !isNamed)
    throw new Error(`the score does not name ${kind} ${id}`);
}

/** A derived rule set has the name of its base in front. */
const isVersion = (name: unknown, { kind, id }: Fields) =>
  name === id || (kind === 'rule-set' && String(name).startsWith(`${id}-`));
