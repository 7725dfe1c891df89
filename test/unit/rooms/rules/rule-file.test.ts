/**
 * Goal: a file says all of a rule set, so that export and import are inverses, and its examples are tests by the compiler that
 * decides. Method: generated rule sets; `risk rules` on files without an API.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../../src/core/domain/metadata.ts';
import { compileRuleSet } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { hashRuleSet } from '../../../../src/core/score/rules/rule-set-data.ts';
import { parseData } from '../../../../src/kit/command/data-file.ts';
import { toYaml } from '../../../../src/rooms/rules/rule-file.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { runsOf } from '../../../support/thorough.ts';

/** Texts that mean something else where they stand bare. */
const MARKED = [
  'off',
  'null',
  '0x1F',
  '1e3',
  '# a',
  '- a',
  'a: b',
  '&a',
  ' a ',
  "'",
  '"',
  '|',
  '\n',
  'a\n\n b\n',
  '\t',
  '\r\n',
  '\u2028',
  '\u0085',
  '\ufeff',
  '…',
  '~',
  '%',
];
const text = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.constantFrom(...MARKED))
  .filter((one) => !one.includes('\u0000') && one.isWellFormed());
const sentence = text.map((one) => one.replaceAll(/[{}]/g, '.'));
const weight = fc.double({ min: 0, max: 1, noNaN: true, minExcluded: true });
const given = fc.record(
  {
    count_1h: fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
    corridor: text,
    'in_list.stolen': fc.boolean(),
    'rate.USD': fc.integer(),
  },
  { requiredKeys: [] },
);
const expected = fc.oneof(
  fc.record({ fires: fc.boolean() }),
  fc.record({ verdict: fc.constantFrom('approve', 'review', 'decline') }),
);
const example = fc.tuple(given, expected).map(([one, wanted]) => ({ given: one, ...wanted }));
const when = fc.oneof(
  fc.constantFrom('count_1h > 2', 'true', '!in_list("stolen")'),
  text.map((one) => `currency ==\n  ${JSON.stringify(one)} // ${JSON.stringify(one)}`),
);
const bands = fc
  .uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    ...{ minLength: 1, maxLength: 4 },
    comparator: 'SameValueZero',
  })
  .map((froms) => froms.sort((a, b) => a - b).map((from) => ({ from: from + 0, weight: 0.5 })));
const effect = fc.oneof(
  fc.record({ when, weight }),
  fc.record({ when, verdict: fc.constantFrom('block', 'review') }),
  fc.record({ measure: fc.constant('count_1h * 2'), bands }),
);
const optional = fc.record(
  {
    corridors: fc.constantFrom(['US-EG'], ['NO-NO', 'US-MX']),
    state: fc.constantFrom('on', 'off'),
    policy: fc.boolean(),
    detail: sentence,
    examples: fc.array(example, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const ruleSets = fc
  .record({
    rules: fc.array(fc.tuple(sentence, effect, optional), { maxLength: 6 }),
    corridors: fc.constantFrom(undefined, { 'NO-NO': { review: 1, decline: 2 } }),
  })
  .map(({ rules, corridors }) => ({
    ...{ version: 2, id: 'own@1', feature_schema: 3 },
    rules: rules.map(([one, ofEffect, more], at) => ({
      ...{ id: `r${at}`, code: `R${at}`, sentence: one, ...ofEffect, ...more },
    })),
    verdicts: { all: { review: 500, decline: 800 }, ...(corridors && { corridors }) },
  }));

test('import of an export, and export of an import, give the same bytes', () => {
  fc.assert(
    fc.property(ruleSets, (source) => {
      const compiled = compileRuleSet(source);
      expect(compiled).not.toHaveProperty('problems');
      const stored = canonicalJson(source);
      const file = toYaml(JSON.parse(stored));
      const { value, problems } = parseData(file);
      expect(problems).toEqual([]);
      expect(canonicalJson(value)).toBe(stored);
      expect(hashRuleSet(Object(value))).toBe(hashRuleSet(source));
      expect(toYaml(Object(value))).toBe(file);
    }),
    { numRuns: runsOf(300) },
  );
});

/** No API is there. */
async function risk(action: string, file: string, ...more: readonly string[]) {
  const path = join(temporaryFolder(), 'own.yaml');
  writeFileSync(path, file);
  const { code, stdout, stderr } = await runRisk(['rules', action, path, ...more], {
    RISK_URL: 'http://127.0.0.1:1',
  });
  return { code, lines: `${stdout}${stderr}`.replaceAll(`${path}:`, '').trim().split('\n') };
}

const FILE = `# Of the wave of November.
version: 2
id: own@1
feature_schema: 3
verdicts: { all: { review: 500, decline: 800 } }
rules:
  - id: fast # the first
    sentence: "Many in an hour: a bot."
    code: FAST
    when: count_1h >= 5 && corridor != "US-MX"
    weight: 0.6
    examples:
      - given: { count_1h: 5, corridor: US-EG }
        fires: true
        verdict: review
      - given: { corridor: US-EG }
        fires: false
      - given: { count_1h: 9, corridor: US-MX }
        verdict: approve
  - id: stolen
    sentence: A stolen device.
    code: STOLEN
    when: |
      in_list("stolen")
    verdict: block
    examples:
      - given: { in_list.stolen: true, probability: 0.01 }
        verdict: decline
      - given: {}
        fires: false
`;

test('a file is checked and its examples run without an API', async () => {
  const { sha256 } = Object(compileRuleSet(parseData(FILE).value)).ruleSet;
  expect(await risk('check', FILE)).toMatchObject({
    code: 0,
    lines: [expect.stringContaining(`is accepted, ${sha256}`)],
  });
  expect(await risk('test', FILE)).toEqual({ code: 0, lines: ['5 examples pass, 0 fail'] });
});

test('examples that fail are told by their lines', async () => {
  const file = FILE.replace('>= 5', '>= 6').replace('block', 'allow');
  expect(await risk('test', file)).toEqual({
    code: 1,
    lines: [
      '13:9: example 1 of rule fast must fire, and does not; must give review, not approve',
      '27:9: example 1 of rule stolen must give decline, not approve',
      '3 examples pass, 2 fail',
    ],
  });
});

test('all problems are told at once, by line and column of the file', async () => {
  const file = FILE.replace('weight: 0.6', 'weight: a lot\n    wieght: 0.6')
    .replace('in_list("stolen")', 'currency == "USD" &&\n      amont > money(5, "USD")')
    .replace('in_list.stolen: true', 'in_list.stolen: yes, cuont_1h: 1');
  const wanted = [
    "11:5: /rules/0/weight must be a number, not 'a lot'",
    '12:5: /rules/0/wieght is not a field; weight is',
    '26:7: /rules/1/when must have `amount`, not `amont`',
    "29:18: /rules/1/examples/0/given/in_list.stolen must be true or false, not 'yes'",
    '29:39: /rules/1/examples/0/given/cuont_1h is no name of the catalogue; count_1h is',
  ];
  expect(await risk('check', file)).toEqual({ code: 1, lines: wanted });
  expect((await risk('test', file)).code).toBe(1);
  const { lines } = await risk('check', file, '--json');
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    sha256: null,
    problems: [{ pointer: '/rules/0/weight', line: 11, column: 5 }, {}, {}, {}, {}],
  });
});
