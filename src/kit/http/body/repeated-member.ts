/**
 * Refuses a JSON text in which an object has a name twice, as a parser silently takes the last of them. Most texts are cleared
 * without a second reading: a text that is as long as its value written out has room for nothing else.
 */
import { shortText } from '../../words/describe-issue.ts';
import { FIELD_CHARS_MAX, InvalidFields, jsonPointer } from '../../words/field-error.ts';
import { BODY_DEPTH_MAX, endOfString, shapeOf } from './body-shape.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

/**
 * @param bytes JSON in UTF-8
 * @param text the same, decoded
 * @param value the same, parsed
 * @throws InvalidFields with a pointer to the first member whose name its object has already
 */
export function refuseRepeated(bytes: Uint8Array, text: string, value: unknown): void {
  // Writers put a space behind each colon and comma, or behind none.
  const space = text.charCodeAt(text.indexOf(':') + 1) === SPACE ? 1 : 0;
  if (writtenChars(value, space, BODY_DEPTH_MAX) === text.length) return;
  const { depth, parts } = shapeOf(bytes);
  // No schema takes a deeper body.
  if (depth > BODY_DEPTH_MAX || parts === partsOf(value)) return;
  const pointer = findRepeated(bytes);
  throw new InvalidFields([{ pointer, detail: 'must be given once, not several times' }]);
}

/**
 * The fewest characters that write a value out. NaN: it is too deep.
 * @param space characters behind each colon and comma
 */
function writtenChars(value: unknown, space: number, levels: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return digitsOf(value);
  if (typeof value !== 'object' || value === null) return String(value).length;
  if (levels === 0) return Number.NaN;
  // There is a comma less than there are parts.
  let chars = 1 - space;
  if (Array.isArray(value)) {
    for (const element of value) chars += 1 + space + writtenChars(element, space, levels - 1);
    return value.length === 0 ? 2 : chars;
  }
  for (const name in value) {
    const member = (value as Members)[name];
    chars += name.length + 4 + 2 * space;
    // Most members are texts, and a call for each would double the time.
    chars +=
      typeof member === 'string' ? member.length + 2 : writtenChars(member, space, levels - 1);
  }
  return chars;
}

type Members = Readonly<Record<string, unknown>>;

/** The fewest characters of a number, or 1 where an exponent might be shorter than all its digits. */
function digitsOf(number: number): number {
  const size = Math.abs(number);
  return size >= 0.01 && size < 1e15 && number % 1000 !== 0 ? String(number).length : 1;
}

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
