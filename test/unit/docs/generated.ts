/** The generated documents, as the code of this commit defines them. */
import { describeSettings } from '../../../src/kit/config/config.ts';
import { RETENTIONS } from '../../../src/main/rooms.ts';
import { readCatalogue } from '../../support/metric-catalogue.ts';

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

/** docs/reference.md. */
export function reference(): string {
  return [
    '# Reference',
    '',
    `${HOW}: do not edit. A running API has the rest: \`/docs\` (operations with their roles), \`/docs/problems\`,`,
    '`GET /v1/reason-codes`, `GET /v1/rule-sets`, `GET /v1/features`.',
    '',
    '## Settings',
    '',
    'Read from the environment at start; a bad or unknown one ends the process with exit code 78 and the list of',
    'problems. An empty value counts as absent. In brackets stands the default.',
    '',
    settingsList(),
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
  ].join('\n');
}
