/** Refuses a JSON text in which an object has a name twice, as a parser silently takes the last of them. */
import { shortText } from '../../words/describe-issue.ts';
import { FIELD_CHARS_MAX, InvalidFields, jsonPointer } from '../../words/field-errors.ts';
import { BODY_DEPTH_MAX, endOfString, shapeOf } from './body-shape.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * @param bytes JSON in UTF-8
 * @param value the same, parsed
 * @throws InvalidFields with a pointer to the first member whose name its object has already
 */
export function refuseRepeated(
  bytes: Uint8Array,
  value: unknown,
  { depth, parts } = shapeOf(bytes),
): void {
  // No schema takes a deeper body.
  if (depth > BODY_DEPTH_MAX || parts === partsOf(value)) return;
  const pointer = findRepeated(bytes);
  throw new InvalidFields([{ pointer, detail: 'must be given once, not several times' }]);
}

type Members = Readonly<Record<string, unknown>>;

/** Objects, arrays and members of objects, as `shapeOf` counts them in the text. */
function partsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let parts = 1;
  if (Array.isArray(value)) {
    for (const element of value) parts += partsOf(element);
    return parts;
  }
  for (const name in value) parts += 1 + partsOf((value as Members)[name]);
  return parts;
}

/** An object or array around the byte that is read. */
type Level = {
  /** Names that the object has had; undefined of an array. */
  readonly names: Set<string> | undefined;
  /** The name or index that is read. */
  at: string | number;
};

/** Pointer to the first member whose name its object has already; `''` where there is none. */
function findRepeated(json: Uint8Array): string {
  const levels: Level[] = [];
  let quotedAt = 0;
  let quotedEnd = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    const level = levels.at(-1);
    if (byte === QUOTE) {
      quotedAt = at;
      at = endOfString(json, at + 1);
      quotedEnd = at + 1;
    } else if (byte === COLON && level !== undefined) {
      const quoted = Buffer.from(json.subarray(quotedAt, quotedEnd)).toString();
      level.at = String(JSON.parse(quoted));
      if (level.names?.has(level.at) === true) return pointerTo(levels);
      level.names?.add(level.at);
    } else if (byte === COMMA && typeof level?.at === 'number') {
      level.at++;
    } else if (byte === 0x5b) {
      levels.push({ names: undefined, at: 0 });
    } else if (byte === 0x7b) {
      levels.push({ names: new Set(), at: '' });
    } else if (byte === 0x5d || byte === 0x7d) {
      levels.pop();
    }
  }
  return '';
}

const pointerTo = (levels: readonly Level[]) =>
  jsonPointer(levels.map(({ at }) => shortText(String(at), FIELD_CHARS_MAX)));
