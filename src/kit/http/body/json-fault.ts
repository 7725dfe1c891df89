/** Says why a body or a line is no JSON: empty, not UTF-8, cut off, or where it breaks the grammar. */
import { shortText } from '../../words/describe-issue.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const LENIENT = new TextDecoder();
const REPLACEMENT = '\u{fffd}';
/** Longest part of a line that a message repeats. */
const EXCERPT_CHARS_MAX = 40;

/**
 * @param bytes that could not be parsed
 * @param forLines what a sender of lines is told
 */
export function jsonFault(bytes: Uint8Array, forLines = ''): string {
  if (bytes.byteLength === 0) return 'The body is empty, and must be JSON.';
  if (!isUtf8(bytes)) return 'The body is not in UTF-8.';
  const text = LENIENT.decode(bytes);
  const at = faultAt(text);
  if (at >= text.length) return 'The body is not JSON: it ends too early.';
  const before = text.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const where = `line ${before.length}, column ${column}`;
  return isJson(text.slice(0, at))
    ? `The body goes on behind a whole value of JSON, at ${where}${forLines}.`
    : `The body is not JSON: look at ${where}.`;
}

/**
 * A predicate of the line, with the column and a short part of it.
 * @param bytes that could not be parsed
 */
export function lineFault(bytes: Uint8Array): string {
  const line = LENIENT.decode(bytes);
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  const isJsonAllowed = isUtf8(bytes);
  const at = isJsonAllowed ? faultAt(text) : text.indexOf(REPLACEMENT);
  const must = `must be ${isJsonAllowed ? 'JSON' : 'UTF-8'}, one object a line`;
  if (at < text.length) {
    return `${must}, and is not from column ${at + 1} on: '${beginning(text.slice(at))}'`;
  }
  return `${must}, and ends too early, after column ${text.length}: '${ending(text)}'`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const beginning = (text: string) => shortText(text, EXCERPT_CHARS_MAX - 1);

function ending(text: string): string {
  const chars = [...text.slice(-2 * EXCERPT_CHARS_MAX)];
  const isCut = chars.length > EXCERPT_CHARS_MAX;
  const shown = isCut ? ['…', ...chars.slice(1 - EXCERPT_CHARS_MAX)] : chars;
  return shortText(shown.join(''), EXCERPT_CHARS_MAX);
}

/** Where a text stops to be JSON; its length where it ends too early. */
function faultAt(text: string): number {
  try {
    JSON.parse(text);
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    // The message quotes the text, so a position is looked for in no such message.
    if (said.startsWith('Unexpected token')) return unexpectedAt(text);
    const position = / at position (\d+)/.exec(said)?.[1];
    const isString = said.startsWith('Unterminated string');
    if (position !== undefined && !isString) return Number(position);
  }
  return text.length;
}

const WORD = /-?\d[\d.eE+-]*|true|false|null/y;
const BLANK = ' \t\r\n';

/** Where a value must stand and does not: the parser has no position for such a place, and everything before it is JSON. */
function unexpectedAt(text: string): number {
  let before = '';
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const end = BLANK.includes(char) ? at + 1 : tokenEnd(text, at, before);
    if (end === undefined) return at;
    if (!BLANK.includes(char)) before = char;
    at = end;
  }
  return at;
}

/** Undefined where the token may not stand behind the one that begins with `before`. */
function tokenEnd(text: string, at: number, before: string): number | undefined {
  const char = text.charAt(at);
  if ('[{'.includes(char)) return at + 1;
  if (']},:'.includes(char)) {
    const isEmpty = before + char === '[]' || before + char === '{}';
    const isValueDue = ['', '[', '{', ',', ':'].includes(before);
    return isValueDue && !isEmpty ? undefined : at + 1;
  }
  if (char === '"') return stringEnd(text, at);
  WORD.lastIndex = at;
  return WORD.test(text) ? WORD.lastIndex : undefined;
}

function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1;
  return at + 1;
}
