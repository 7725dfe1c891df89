/**
 * Files of data that a command is given: YAML, of which JSON is a part. What is wrong is told all at once, each by line and
 * column. What makes a small file large or its parser slow is refused by the tokens, before anything is parsed.
 */

import { open } from 'node:fs/promises';
import { CST, isMap, isNode, isScalar, isSeq, Lexer, type Node, parseDocument } from 'yaml';
import { decodeText } from '../client/text-lines.ts';
import { shortText } from '../words/describe-issue.ts';
import { exactNumber, inexact } from '../words/exact-number.ts';
import { Failure } from '../words/failure.ts';

/** From 1, as editors count. */
type Position = { readonly line: number; readonly column: number };
type DataProblem = Position & { readonly detail: string };

export type DataFile = {
  /** Undefined where there are problems. */
  readonly value: unknown;
  readonly problems: readonly DataProblem[];
  /**
   * Finds a field, or the nearest one around it.
   * @param within position in the field's text
   */
  readonly locate: (pointer: string, within?: Position) => Position;
};

/** Levels of brackets, or of dashes and names in a line: the parser takes a frame of the stack for each. */
const LEVELS_MAX = 32;
/** More problems than anybody reads at once. */
const PROBLEMS_MAX = 100;
const CHARS_SHOWN = 40;

/** The value of a file, whose fields the API checks. @throws Failure `invalid` with every problem */
export async function readDataFile(path: string, bytesMax: number) {
  const { value, problems } = await openDataFile(path, bytesMax);
  if (problems.length === 0) return Object(value);
  const lines = problems.map((problem) => sayProblem(path, problem));
  throw new Failure('invalid', 'FILE_INVALID', lines.join('\n'));
}

export const sayProblem = (path: string, { line, column, detail }: DataProblem) =>
  `${path}:${line}:${column}: ${detail}`;

/** @throws Failure `invalid` for a file that is too large, or no text */
export async function openDataFile(path: string, bytesMax: number): Promise<DataFile> {
  return parseData(await readText(path, bytesMax));
}

/** The text of a file in UTF-8, without its BOM. @throws Failure `invalid` */
export async function readText(path: string, bytesMax: number): Promise<string> {
  const bytes = await readBounded(path, bytesMax);
  try {
    return decodeText(bytes);
  } catch (error) {
    throw unusable(path, error);
  }
}

export function parseData(text: string): DataFile {
  const at = (offset: number): Position => {
    const before = text.slice(0, offset);
    return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
  };
  const refused = refusedTokens(text);
  const document =
    refused.length > 0
      ? undefined
      : parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: false });
  const problems = [...refused];
  for (const { code, message, pos } of [
    ...(document?.errors ?? []),
    ...(document?.warnings ?? []),
  ]) {
    problems.push([pos[0], MESSAGES[code] ?? message]);
  }
  const root = document?.contents ?? null;
  problems.push(...refusedNodes(root));
  problems.sort(([left], [right]) => left - right);
  return {
    value: problems.length > 0 ? undefined : document?.toJS(),
    problems: problems
      .slice(0, PROBLEMS_MAX)
      .map(([offset, detail]) => ({ ...at(offset), detail })),
    locate: (pointer, within) => {
      const { name, node } = nodeAt(root, pointer);
      const inText = within && isScalar(node) ? offsetWithin(text, node, within) : undefined;
      return at(inText ?? name);
    },
  };
}

type Refused = [offset: number, detail: string];

const REFUSED: Readonly<Record<string, string>> = {
  alias: 'must be written out, without an alias',
  anchor: 'must be without an anchor',
  'directive-line': 'must be without a directive',
  'explicit-key-ind': 'must be a name before a colon',
  tag: 'must be without a tag',
};
const MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a file must have one document',
  RESOURCE_EXHAUSTION: 'levels must be fewer',
};

/** Finds what no file needs, and levels beyond the bound. */
function refusedTokens(text: string): Refused[] {
  const refused: Refused[] = [];
  let [brackets, inLine] = [0, 0];
  for (const [type, token, offset] of tokensOf(text)) {
    if (type === 'newline') inLine = 0;
    else if (brackets === 0 && IN_LINE.has(type)) inLine++;
    brackets += BRACKETS[type] ?? 0;
    const detail = REFUSED[type];
    if (detail !== undefined) {
      refused.push([offset, `${shortText(token.trim(), CHARS_SHOWN)} ${detail}`]);
    }
    const isDeep = brackets + inLine > LEVELS_MAX;
    if (isDeep) refused.push([offset, `levels must be at most ${LEVELS_MAX}`]);
    if (isDeep || refused.length === PROBLEMS_MAX) break;
  }
  return refused;
}

const IN_LINE = new Set(['seq-item-ind', 'map-value-ind']);
const BRACKETS: Readonly<Record<string, number>> = {
  'flow-map-start': 1,
  'flow-map-end': -1,
  'flow-seq-start': 1,
  'flow-seq-end': -1,
};

/** Precedes a token that is a text, whatever it begins with. */
const TEXT_FOLLOWS = '\u001f';
/** Tokens without a length in the file: a document begins, an open bracket ends with the document. */
const EMPTY = ['\u0002', '\u0018'];

function* tokensOf(
  text: string,
): Generator<readonly [type: string, token: string, offset: number]> {
  let [offset, isText] = [0, false];
  for (const token of new Lexer().lex(text)) {
    if (token === TEXT_FOLLOWS) isText = true;
    if (token === TEXT_FOLLOWS || EMPTY.includes(token)) continue;
    yield [isText ? 'scalar' : (CST.tokenType(token) ?? ''), token, offset];
    isText = false;
    offset += token.length;
  }
}

/** Names that stand twice, and numbers that no double is. The parser compares each name with all before. */
function* refusedNodes(node: unknown): Generator<Refused> {
  if (isScalar(node) && typeof node.value === 'number') {
    const { source = '', value } = node;
    if (!isKept(source, value)) yield [startOf(node), `a number ${inexact(source)}`];
  }
  if (isSeq(node)) for (const element of node.items) yield* refusedNodes(element);
  if (!isMap(node)) return;
  const names = new Set<unknown>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? key.value : key;
    if (names.has(name)) yield [startOf(key), `${String(name)} must stand here once`];
    names.add(name);
    yield* refusedNodes(value);
  }
}

/** Other forms than decimals are whole numbers: 0x1f and 0o17. */
const isKept = (source: string, value: number) =>
  /^0[xo]/.test(source) ? BigInt(source) === BigInt(value) : exactNumber(source) !== undefined;

const startOf = (node: unknown) => (isNode(node) ? (node.range?.[0] ?? 0) : 0);

/** The node of a pointer, or the nearest one around it, and where its name begins: the node itself in a list. */
function nodeAt(root: Node | null, pointer: string) {
  const parts = pointer.split('/').slice(1);
  let found: { readonly name: number; readonly node: unknown } = {
    name: startOf(root),
    node: root,
  };
  for (const part of parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    const { node } = found;
    const items = isMap(node) || isSeq(node) ? node.items : [];
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && key.value === part)
      : undefined;
    const element = isSeq(node) ? items[Number(part)] : undefined;
    if (pair !== undefined) found = { name: startOf(pair.key), node: pair.value };
    else if (element !== undefined) found = { name: startOf(element), node: element };
    else return { name: found.name, node: null };
  }
  return found;
}

/** Where a position of a scalar's value stands in the file; undefined where the value is not written as it is. */
function offsetWithin(
  text: string,
  { value, range, type }: Node & { value: unknown; type?: string },
  { line, column }: Position,
): number | undefined {
  if (typeof value !== 'string' || !range) return undefined;
  const [start, end] = range;
  const raw = text.slice(start, end);
  const [first = '', ...lines] = raw.split('\n');
  if (type !== 'BLOCK_LITERAL') {
    const at = raw.indexOf(value);
    return at < 0 ? undefined : start + at + offsetOf(value.split('\n'), line) + column - 1;
  }
  const indentOf = (all: readonly string[]) =>
    /^ */.exec(all.find((line) => line.trim() !== '') ?? '')?.[0].length ?? 0;
  const indent = indentOf(lines) - indentOf(value.split('\n'));
  return start + first.length + 1 + offsetOf(lines, line) + indent + column - 1;
}

const offsetOf = (lines: readonly string[], line: number) =>
  lines.slice(0, line - 1).reduce((sum, line) => sum + line.length + 1, 0);

/** Reads a file that a command is given, unless the file is too large. @throws Failure `invalid` with the name of the file */
export async function readBounded(path: string, bytesMax: number): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > bytesMax) throw new Error(`${size} bytes, at most ${bytesMax} are taken`);
    return await file.readFile();
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return new Failure('invalid', 'FILE_INVALID', `${path}: ${why}`, { cause: error });
}
