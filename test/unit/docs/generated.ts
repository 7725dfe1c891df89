/** The generated documents, as the code of this commit defines them. */
import { FEATURE_LIST, FEATURE_SCHEMA } from '../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../src/core/score/rules/rule-sets.ts';
import { describeSettings } from '../../../src/kit/config/config.ts';
import { PROBLEM_NAMES, PROBLEMS } from '../../../src/kit/http/answers/problem-types.ts';
import { RETENTIONS } from '../../../src/main/rooms.ts';
import { readCatalogue } from '../../support/metric-catalogue.ts';
import { documentOfRoutes } from '../../support/openapi.ts';
import { accessLines } from './access-list.ts';

const HOW = 'Made by test/unit/docs/generated.test.ts from the code';
const LINE_CHARS_MAX = 96;

/** `.env.example`: every setting commented out with its default, so that copying it changes nothing. */
export function environmentExample(): string {
  const settings = describeSettings().map(({ name, description, byDefault }) =>
    [...wrap(description).map((line) => `# ${line}`), `#${name}=${byDefault}`].join('\n'),
  );
  return [
    `# ${HOW}; see docs/reference.md.`,
    '# A line without a value shows a setting that is absent by default.',
    '',
    settings.join('\n\n'),
    '',
  ].join('\n');
}

function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 1 > LINE_CHARS_MAX) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

function settingsList(): string {
  return list(
    describeSettings().map(
      ({ name, description, byDefault }) =>
        `\`${name}\`${byDefault === '' ? '' : ` (\`${byDefault}\`)`}: ${description}`,
    ),
  );
}

/** The list has the engine's own metrics: prom-client documents those of the process (`risk_process_…`, `risk_nodejs_…`). */
function metricsList(): string {
  return list(
    readCatalogue()
      .all.filter(({ name }) => !/^risk_(process|nodejs)_/.test(name))
      .map(({ name, labels, help }) => {
        const inBrackets = labels.length > 0 ? ` (${labels.join(', ')})` : '';
        return `\`${name}\`${inBrackets}: ${help}`;
      }),
  );
}

/** Tables whose rows end, then the names of those whose rows never do. */
function retentionList(): string {
  const named = (tables: readonly string[]) => tables.map((name) => `\`${name}\``).join(', ');
  const stays = RETENTIONS.filter(({ ends }) => ends.startsWith('never'));
  const lines = RETENTIONS.filter((one) => !stays.includes(one)).map(
    ({ tables, ends, setting }) =>
      `${named(tables)}${setting === undefined ? '' : ` (\`${setting}\`)`}: ${ends}`,
  );
  return list([...lines, `never: ${named(stays.flatMap(({ tables }) => tables))}`]);
}

const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');

/** Every rule of the deciding rule set; a band as `from value: weight`. */
function reasonsList(): string {
  return list(
    currentRuleSet.rules.map(({ code, sentence, bands }) => {
      const weights = bands.map(({ from, weight }) => `${from}: ${weight}`).join(', ');
      return `\`${code}\`: ${sentence} (${weights})`;
    }),
  );
}

/** Numbered from 0, as in the stored vector. */
function featuresList(): string {
  return FEATURE_LIST.map(
    ({ name, unit, description }, index) => `${index}. \`${name}\` (${unit}): ${description}`,
  ).join('\n');
}

async function accessList(): Promise<string> {
  return list(accessLines(await documentOfRoutes()));
}

function problemsList(): string {
  return list(
    PROBLEM_NAMES.map((name) => {
      const { status, meaning, cure } = PROBLEMS[name];
      return `\`${name}\` (${status}): ${meaning} ${cure}`;
    }),
  );
}

/** docs/reference.md. */
export async function reference(): Promise<string> {
  return [
    '# Reference',
    '',
    `${HOW} and compared with it in every check; do not edit.`,
    '`npx vitest run test/unit/docs --update` writes it anew.',
    '',
    '## Settings',
    '',
    'Read from the environment at start, checked all at once; a bad or unknown one ends the process with',
    'exit code 78 and the list of problems. An empty value counts as absent. In brackets stands the default.',
    '',
    settingsList(),
    '',
    '## Access',
    '',
    'A key may do what any of its roles may. `own`: only with objects of its own client; objects of another client are',
    'answered as unknown ones, unless the key has `analyst` or `admin` besides. Accounts, merchants, models and dead letters',
    'belong to the market and have no client. `/livez`, `/readyz`, `/openapi.json` and `/docs` need no key.',
    '',
    await accessList(),
    '',
    '## Problems',
    '',
    'Every error is `application/problem+json` (RFC 9457); its `type` is `urn:risk:problem:` and one of these. Each says what',
    'happened, and then what to do.',
    '',
    problemsList(),
    '',
    '## Metrics',
    '',
    '`GET /metrics`, Prometheus text format. Names end in their unit; labels stand in brackets.',
    '',
    metricsList(),
    '',
    '## Retention',
    '',
    'Tables in Postgres, with the setting in days after which rows end. Where none is named, no row ends by its age.',
    '',
    retentionList(),
    '',
    '## Reason codes',
    '',
    `Rule set \`${currentRuleSet.id}\`: review from a score of ${currentRuleSet.verdicts.review}, decline from ${currentRuleSet.verdicts.decline}. A rule measures one`,
    'value; its bands, in brackets, turn the value into a weight ([rules](rules.md)). `GET /v1/reason-codes` says what a rule reads.',
    '',
    reasonsList(),
    '',
    '## Features',
    '',
    `Schema ${FEATURE_SCHEMA}, in the order of the stored vector. A missing value is NaN (null in an explanation), and no rule`,
    'fires on it.',
    '',
    featuresList(),
    '',
  ].join('\n');
}
