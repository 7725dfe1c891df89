/** Goal: no expression harms a process. Method: a table of bad ones; each is answered with problems, within a time. */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../../../src/core/domain/feature-schema.ts';
import { compileRuleSet } from '../../../../../../src/core/score/rules/compile-rule-set.ts';
import { processorMsOf } from '../../../../../support/processor-time.ts';
import { FIELDS, LISTS } from '../../../../../support/random-expressions.ts';

const ANSWER_MAX_MS = 50;

const ruleSetOf = (when: string) => ({
  version: 2,
  id: 'bad@1',
  feature_schema: 3,
  metadata: FIELDS,
  rules: [{ id: 'bad', code: 'BAD', sentence: 'A sentence.', when, weight: 0.5 }],
  verdicts: { all: { review: 500, decline: 800 } },
});

function problemsOf(when: string) {
  let compiled: ReturnType<typeof compileRuleSet> = { problems: [] };
  const tookMs = processorMsOf(() => {
    compiled = compileRuleSet(ruleSetOf(when), { lists: LISTS, fields: null });
  });
  return { tookMs, problems: 'problems' in compiled ? compiled.problems : [] };
}

// The first use makes V8 compile, which is not of the input.
problemsOf('siblings >');

const chain = (part: string, count: number) =>
  Array.from({ length: count }, () => part).join(' + ');

/** Each with what is allowed in its stead. */
const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['1 MB', `siblings > ${'1'.repeat(1_000_000)}`, /at most 262144 bytes/],
  ['100,000 signs', `${'!'.repeat(100_000)}true`, /at most 4000 characters/],
  ['3,900 signs', `${'!'.repeat(3900)}true`, /at most 24 deep/],
  ['3,900 brackets', '('.repeat(3900), /at most 24 deep/],
  ['lists in lists', '['.repeat(3900), /at most 24 deep/],
  ['conditions in conditions', 'true ? true : '.repeat(250), /at most 24 deep/],
  ['brackets between texts of brackets', '((((("))))))" == '.repeat(10), /at most 24 deep/],
  ['brackets between three quotes', '((((("""a" ))))) "b""" == '.repeat(10), /at most 24 deep/],
  ['brackets between comments', '(((((// )))))\n'.repeat(10), /at most 24 deep/],
  ['members of members', `a${'.b'.repeat(1900)} == 1`, /at most 500/],
  ['900 additions', `${chain('1', 900)} > siblings`, /at most 500/],
  ['many texts without an end', '"'.repeat(3999), /./],
  ['backslashes', `"${'\\'.repeat(3990)}`, /./],
  ['nothing', ' ', /a name, a number/],
  ['no end', 'siblings >', /a name, a number/],
  ['an open bracket', '(siblings > 1', /`\)`/],
  ['a text without an end', 'currency == "US', /ends on the same line/],
  ['a character of no token', 'siblings @ 1', /an operator/],
  ['a division by zero', 'siblings / 0 > 1', /a divisor other than 0/],
  ['a division by what becomes zero', 'siblings / (2 - 2) > 1', /a divisor other than 0/],
  ['digits that a double drops', 'siblings > 0.10000000000000001', /a double keeps, as 0\.1/],
  ['digits of a sum', 'siblings > 1 + 9007199254740993.0', /keeps, as 9007199254740992/],
  ['an overflow', '1e308 * 10 > siblings', /a double can hold/],
  ['an integer too large', '99999999999999999999 > siblings', /a whole number below/],
  ['an unsigned integer', 'siblings > 3u', /a number/],
  ['a reserved prototype name', '__proto__ == 1', /does not reserve/],
  ['the constructor', 'constructor == 1', /a name of the catalogue/],
  ['a prototype name of the metadata', 'metadata.__proto__ == 1', /`metadata\.points`/],
  [
    'the constructor of the metadata',
    'metadata.constructor == 1',
    /`metadata` of the rule set names/,
  ],
  ['an index by text', 'metadata["tier"] == "gold"', /a name, a number/],
  ['a list of a prototype name', 'in_list("__proto__")', /the name of a list/],
  ['a list that nobody has', 'in_list("stolem")', /the name of a list: stolen/],
  ['an unknown function', 'sqrt(siblings) > 2', /`is_missing\(name\)`/],
  ['a function of objects', 'hasOwnProperty("a")', /`is_missing\(name\)`/],
  ['matches', 'currency.matches("(a+)+$")', /a name, a number/],
  ['all', '[1, 2].all(x, x > 1)', /a name, a number/],
  ['a map', '{"a": 1} == {"a": 1}', /a name, a number/],
  ['a condition of CEL', 'siblings > 1 ? true : false', /a name, a number/],
  ['a remainder', 'siblings % 2 == 0', /a name, a number/],
  ['bytes', 'b"US" == currency', /a number, a text/],
];

test.each(BAD)('an expression is refused that has %s', { retry: 2 }, (_, when, allowed) => {
  const { tookMs, problems } = problemsOf(when);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.map(({ at, detail }) => at?.allowed ?? detail).join('; ')).toMatch(allowed);
  expect(tookMs).toBeLessThan(ANSWER_MAX_MS);
});

test('a rule set is refused whatever it is', () => {
  const rules = { ...ruleSetOf('true'), rules: [] };
  const bad: unknown[] = [
    null,
    undefined,
    7,
    'text',
    [],
    {},
    { ...rules, version: 1 },
    { ...rules, id: 'none' },
    { ...rules, feature_schema: 9 },
    { ...rules, more: 1 },
    { ...rules, rules: [null] },
    JSON.parse('{"__proto__": {"version": 2}}'),
    { ...rules, verdicts: { all: { review: 800, decline: 500 } } },
  ];
  for (const one of bad) expect(compileRuleSet(one)).toHaveProperty('problems');
});

test('brackets in texts and comments are not counted', () => {
  const brackets = '('.repeat(60);
  for (const when of [`currency == "${brackets}"`, `// ${brackets}\ncurrency == '${brackets}'`]) {
    expect(problemsOf(when).problems).toEqual([]);
  }
});

test('a text that would be code stays a text', () => {
  const texts = ['"]); globalThis.reached = 1; //', '\u2028', `$\{globalThis.reached = 1}`, "'\\"];
  for (const text of texts) {
    const quoted = JSON.stringify(text);
    const source = ruleSetOf(`currency in [${quoted}] || currency == ${quoted}`);
    const plain = text.replaceAll(/[{}]/g, '');
    const rules = source.rules.map((rule) => ({ ...rule, detail: `${plain} {currency}` }));
    const compiled = compileRuleSet({ ...source, rules });
    if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
    const { program } = compiled.ruleSet;
    const vector = new Float64Array(FEATURE_COUNT);
    expect(program.decide(vector, [text], Number.NaN)).toBe(1);
    expect(program.decide(vector, ['USD'], Number.NaN)).toBe(0);
    expect(program.details[0]?.(vector, [text], Number.NaN)).toBe(`${plain} ${text}`);
  }
  expect(globalThis).not.toHaveProperty('reached');
});
