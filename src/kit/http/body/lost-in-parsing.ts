/** Refuses a JSON text of which a parser loses a part without a word: the first of two members of a name, or digits of a number. */
import type { Sliced } from '../../process/pauses.ts';
import { shortText } from '../../words/describe-issue.ts';
import { inexact } from '../../words/exact-number.ts';
import {
  FIELD_CHARS_MAX,
  type FieldError,
  InvalidFields,
  jsonPointer,
} from '../../words/field-errors.ts';
import {
  BODY_DEPTH_MAX,
  type BodyShape,
  endOfNumber,
  endOfString,
  isNumberStart,
  lostNumber,
  SLICE_BYTES,
  shapeOf,
} from './body-shape.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;

const TWICE = 'must be given once, not several times';
/** More faults than anybody reads at once. */
const FAULTS_MAX = 20;

type Options = {
  readonly shape?: BodyShape;
  /** The pointer of the text, where the text is a part of a body. */
  readonly within?: string;
  /** The level from which numbers are looked at; 2 leaves those of the outermost object out. */
  readonly numbersFrom?: number;
  /** Whether a member of the outermost object is read; the other members may be deep, and may lose digits and names. */
  readonly isRead?: (name: string) => boolean;
};

/**
 * @param bytes JSON in UTF-8
 * @param value the same, parsed
 * @throws InvalidFields with a pointer to each member whose name its object has already, and to each number that no double is
 */
export function* refuseLost(
  bytes: Uint8Array,
  value: unknown,
  options: Options = {},
): Sliced<void> {
  const { within = '', isRead } = options;
  const { depth, parts, isExact } = options.shape ?? (yield* shapeOf(bytes));
  const isDeep = depth > BODY_DEPTH_MAX;
  // No schema takes a deeper body, but a member of a row that is read may stand beside a deep member.
  if (isDeep ? isRead === undefined : isExact && parts === partsOf(value)) return;
  const lost = yield* findLost(bytes, options);
  const errors = lost.map(({ pointer, detail }) => ({ pointer: within + pointer, detail }));
  if (errors.length > 0) throw new InvalidFields(errors);
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

/** Members and numbers that a parser loses, in the order of the text. */
function* findLost(
  json: Uint8Array,
  { numbersFrom = 0, isRead = () => true }: Options,
): Sliced<FieldError[]> {
  const errors: FieldError[] = [];
  const levels: Level[] = [];
  const note = (detail: string | undefined) => {
    if (detail === undefined || !isRead(String(levels[0]?.at))) return;
    errors.push({ pointer: pointerTo(levels), detail });
  };
  let quotedAt = 0;
  let quotedEnd = 0;
  let pauseAt = SLICE_BYTES;
  for (let at = 0; at < json.length && errors.length < FAULTS_MAX; at++) {
    if (at >= pauseAt) {
      yield;
      pauseAt = at + SLICE_BYTES;
    }
    const byte = json[at] ?? 0;
    const level = levels.at(-1);
    if (byte === QUOTE) {
      quotedAt = at;
      at = endOfString(json, at + 1);
      quotedEnd = at + 1;
    } else if (byte === COLON && level !== undefined) {
      const quoted = Buffer.from(json.subarray(quotedAt, quotedEnd)).toString();
      level.at = String(JSON.parse(quoted));
      if (level.names?.has(level.at) === true) note(TWICE);
      level.names?.add(level.at);
    } else if (isNumberStart(byte)) {
      const end = endOfNumber(json, at);
      if (levels.length >= numbersFrom) note(numberFault(json, at, end));
      at = end - 1;
    } else {
      move(levels, byte);
    }
  }
  return errors;
}

function numberFault(json: Uint8Array, from: number, end: number): string | undefined {
  const lost = lostNumber(json, from, end);
  return lost && inexact(lost);
}

/** Follows a comma or a bracket. */
function move(levels: Level[], byte: number): void {
  const level = levels.at(-1);
  if (byte === COMMA && typeof level?.at === 'number') level.at++;
  else if (byte === 0x5b) levels.push({ names: undefined, at: 0 });
  else if (byte === 0x7b) levels.push({ names: new Set(), at: '' });
  else if (byte === 0x5d || byte === 0x7d) levels.pop();
}

const pointerTo = (levels: readonly Level[]) =>
  jsonPointer(levels.map(({ at }) => shortText(String(at), FIELD_CHARS_MAX)));
