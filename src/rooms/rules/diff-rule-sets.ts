/** Differences between the sources of two rule sets. Pure. */
import { canonicalJson } from '../../core/domain/metadata.ts';

type Source = Readonly<Record<string, unknown>>;

/**
 * Changes from the first to the second, in the order of members and rules; a rule that is added or removed has a `+` or `-` before
 * each of its lines.
 * @param linesOf a whole rule, as its reader writes it
 */
export function diffRuleSets(
  before: unknown,
  after: unknown,
  linesOf: LinesOf = (rule) => [`rule ${Object(rule).id}: ${textOf(rule)}`],
): string[] {
  return diffMembers(before, after, '', linesOf);
}

type LinesOf = (rule: unknown) => readonly string[];

/** @param path of the two, with a dot at its end */
function diffMembers(before: unknown, after: unknown, path: string, linesOf: LinesOf): string[] {
  const [was, is]: Source[] = [Object(before), Object(after)];
  const members = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])];
  return members.flatMap((name) => {
    const [before, other] = [was?.[name], is?.[name]];
    if (name === 'rules' && Array.isArray(before) && Array.isArray(other))
      return diffRules(before, other, linesOf);
    if (isObject(before) && isObject(other))
      return diffMembers(before, other, `${path}${name}.`, linesOf);
    return textOf(before) === textOf(other)
      ? []
      : `${path}${name}: ${textOf(before)} -> ${textOf(other)}`;
  });
}

const isObject = (value: unknown) => value === Object(value) && !Array.isArray(value);

function diffRules(
  before: readonly unknown[],
  after: readonly unknown[],
  linesOf: LinesOf,
): string[] {
  const [was, is] = [byId(before), byId(after)];
  const gone = [...was].flatMap(([id, rule]) => (is.has(id) ? [] : signed('-', linesOf(rule))));
  const lines = [...is].flatMap(([id, rule]) => {
    const known = was.get(id);
    if (known === undefined) return [signed('+', linesOf(rule))];
    return diffMembers(known, rule, '', linesOf).map((line) => `rule ${id}: ${line}`);
  });
  const common = (ids: Iterable<string>, other: ReadonlyMap<string, unknown>) =>
    [...ids].filter((id) => other.has(id)).join(', ');
  const order = common(is.keys(), was);
  return [
    ...gone,
    ...lines,
    ...(order === common(was.keys(), is) ? [] : [`order of rules: ${order}`]),
  ];
}

const signed = (sign: '+' | '-', lines: readonly string[]) =>
  lines.map((line) => `${sign} ${line}`).join('\n');

const byId = (rules: readonly unknown[]) =>
  new Map(rules.map((rule): [string, unknown] => [String(Object(rule).id), rule]));

const textOf = (value: unknown) =>
  value === undefined ? 'absent' : canonicalJson({ value }).slice('{"value":'.length, -1);
