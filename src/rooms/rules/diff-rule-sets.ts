/** Differences between the sources of two rule sets, a line each. Pure. */
import { canonicalJson } from '../../core/domain/metadata.ts';

type Source = Readonly<Record<string, unknown>>;

/**
 * Changes from the first to the second, in the order of members and rules.
 * @param path of the two, with a dot at its end
 */
export function diffRuleSets(before: unknown, after: unknown, path = ''): string[] {
  const [was, is]: Source[] = [Object(before), Object(after)];
  const members = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])];
  return members.flatMap((name) => {
    const [one, other] = [was?.[name], is?.[name]];
    if (name === 'rules' && Array.isArray(one) && Array.isArray(other))
      return diffRules(one, other);
    if (isObject(one) && isObject(other)) return diffRuleSets(one, other, `${path}${name}.`);
    return textOf(one) === textOf(other)
      ? []
      : `${path}${name}: ${textOf(one)} -> ${textOf(other)}`;
  });
}

const isObject = (value: unknown) => value === Object(value) && !Array.isArray(value);

function diffRules(before: readonly unknown[], after: readonly unknown[]): string[] {
  const [was, is] = [byId(before), byId(after)];
  const gone = [...was].flatMap(([id, rule]) =>
    is.has(id) ? [] : `- rule ${id}: ${textOf(rule)}`,
  );
  const lines = [...is].flatMap(([id, rule]) => {
    const known = was.get(id);
    if (known === undefined) return [`+ rule ${id}: ${textOf(rule)}`];
    return diffRuleSets(known, rule).map((line) => `rule ${id}: ${line}`);
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

const byId = (rules: readonly unknown[]) =>
  new Map(rules.map((rule): [string, unknown] => [String(Object(rule).id), rule]));

const textOf = (value: unknown) =>
  value === undefined ? 'absent' : canonicalJson({ value }).slice('{"value":'.length, -1);
