/** The generated documents, as the code of this commit defines them. */
import { FEATURE_LIST, FEATURE_SCHEMA } from '../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../src/core/score/rules/rule-sets.ts';
import { describeSettings } from '../../../src/kit/config/config.ts';
import { PROBLEM_NAMES, PROBLEMS } from '../../../src/kit/http/answers/problem-types.ts';
import { createMetrics } from '../../../src/kit/metrics/metrics.ts';
import { ROLES } from '../../../src/kit/words/principal.ts';
import { RETENTIONS, ROOMS } from '../../../src/main/rooms.ts';
import { documentOfRoutes } from '../../support/openapi.ts';
import { accessRows } from './access-table.ts';

const HOW = 'Made by test/unit/docs/generated.test.ts from the code';
const LINE_CHARS_MAX = 96;

/** A Markdown table with its columns aligned. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) =>
    Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const format = (line: readonly string[]) =>
    `| ${widths.map((width, column) => (line[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [format(lines[0] ?? []), rule, ...lines.slice(1).map(format)].join('\n');
}

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

function settingsTable(): string {
  const rows = describeSettings().map(({ name, description, byDefault }) => [
    `\`${name}\``,
    byDefault === '' ? '–' : `\`${byDefault}\``,
    description,
  ]);
  return table(['setting', 'default', 'meaning'], rows);
}

/** Our own metrics only: the process metrics (`risk_process_…`, `risk_nodejs_…`) are prom-client's. */
function metricsTable(): string {
  const { registry, make } = createMetrics();
  for (const room of ROOMS) room.metrics?.(make);
  const rows = registry
    .getMetricsAsArray()
    .filter(({ name }) => !/^risk_(process|nodejs)_/.test(name))
    .map((metric) => [
      `\`${metric.name}\``,
      metric.constructor.name.toLowerCase(),
      'labelNames' in metric && Array.isArray(metric.labelNames) && metric.labelNames.length > 0
        ? metric.labelNames.join(', ')
        : '–',
      metric.help,
    ]);
  return table(['metric', 'type', 'labels', 'meaning'], rows);
}

function retentionTable(): string {
  const rows = RETENTIONS.map(({ tables, ends, setting }) => [
    tables.map((name) => `\`${name}\``).join(', '),
    setting === undefined ? '–' : `\`${setting}\``,
    ends,
  ]);
  return table(['table', 'setting', 'when its rows end'], rows);
}

/** Every rule of the deciding rule set; a band as `from value: weight`. */
function reasonsTable(): string {
  const rows = currentRuleSet.rules.map(({ rule, bands }) => [
    `\`${rule.reasonCode}\``,
    rule.summary,
    bands.map(({ from, weight }) => `${from}: ${weight}`).join(', '),
    rule.features.map((name) => `\`${name}\``).join(', '),
  ]);
  return table(['code', 'meaning', 'bands', 'features it reads'], rows);
}

function featuresTable(): string {
  const rows = FEATURE_LIST.map(({ name, unit, description }, index) => [
    String(index),
    `\`${name}\``,
    unit,
    description,
  ]);
  return table(['', 'feature', 'unit', 'meaning'], rows);
}

async function accessTable(): Promise<string> {
  const rows = accessRows(await documentOfRoutes());
  return table(['', ...ROLES.map((role) => `\`${role}\``)], rows);
}

function problemsTable(): string {
  const rows = PROBLEM_NAMES.map((name) => {
    const { status, meaning, cure } = PROBLEMS[name];
    return [`\`${name}\``, String(status), meaning, cure];
  });
  return table(['type', 'status', 'meaning', 'cure'], rows);
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
    'exit code 78 and the list of problems. An empty value counts as absent.',
    '',
    settingsTable(),
    '',
    '## Access',
    '',
    'The table shows what a key with one role may do; a key with several roles may do what any of them may. `own`: only with',
    "objects of its own client; another client's objects are answered as unknown ones. A key that has",
    '`analyst` or `admin` besides `ingest` reaches the objects of the whole market (`yes`). Accounts, merchants, models and dead letters belong to the market and',
    'have no client. `/livez`, `/readyz`, `/openapi.json` and `/docs` need no key.',
    '',
    await accessTable(),
    '',
    '## Problems',
    '',
    'Every error is `application/problem+json` (RFC 9457); its `type` is `urn:risk:problem:` and one of these.',
    '',
    problemsTable(),
    '',
    '## Metrics',
    '',
    '`GET /metrics`, Prometheus text format. Names end in their unit.',
    '',
    metricsTable(),
    '',
    '## Retention',
    '',
    'Tables in Postgres. Where no setting is named, no row ends by its age.',
    '',
    retentionTable(),
    '',
    '## Reason codes',
    '',
    `Rule set \`${currentRuleSet.id}\`: review from a score of ${currentRuleSet.verdicts.review}, decline from ${currentRuleSet.verdicts.decline}. A rule measures one value; the`,
    'bands turn it into a weight, rising evenly from one band to the next. The rules that fired combine as',
    'independent causes: risk = 1 − Π (1 − weight), score = round (1000 · risk).',
    '',
    reasonsTable(),
    '',
    '## Features',
    '',
    `Schema ${FEATURE_SCHEMA}, in the order of the stored vector. A missing value is NaN (null in an explanation), and no rule`,
    'fires on it.',
    '',
    featuresTable(),
    '',
  ].join('\n');
}
