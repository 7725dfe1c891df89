/** `/v1/scorecard-group`: the text by which the cells of amounts are told apart. */
import { z } from 'zod';
import { metadataName } from '../../../core/domain/metadata.ts';
import { TYPE_GROUP } from '../../../core/score/scorecard/day-table.ts';
import { readFieldsOfNight } from '../../../core/store/scorecards/read-night.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, timeText } from '../../../kit/database/statement.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { plainText, reasonText } from '../../../kit/words/plain-text.ts';
import type { Officer } from '../../../kit/words/principal.ts';

const NAME_CHARS_MAX = 49;

export const newGroupSchema = z
  .strictObject({
    group: plainText(NAME_CHARS_MAX).meta({
      description: '`type`, or `metadata.` and a declared text that is not personal.',
      example: 'type',
    }),
    reason: reasonText.meta({ example: 'Amounts differ by category.' }),
  })
  .meta({ id: 'NewScorecardGroup' });

export const groupSchema = newGroupSchema
  .extend({ named_by: z.string(), named_at: z.iso.datetime() })
  .meta({ id: 'ScorecardGroup' });
type GroupJson = z.infer<typeof groupSchema>;

const COLUMNS = `field as "group", reason, named_by, ${timeText('named_at')} as named_at`;
const read = firstOf<GroupJson>(
  'read-scorecard-group',
  `select ${COLUMNS} from market.scorecard_groups order by version desc limit 1`,
);
const write = onlyOf<GroupJson, [group: string, reason: string, by: string]>(
  'write-scorecard-group',
  `insert into market.scorecard_groups (field, reason, named_by) values ($1, $2, $3) returning ${COLUMNS}`,
);

/** The group counts from the next table on. @throws InvalidFields for a name that no such text has */
export const nameGroup = (
  database: Pick<Database, 'transaction'>,
  { group, reason }: z.infer<typeof newGroupSchema>,
  by: Officer,
): Promise<GroupJson> =>
  database.transaction(async (query) => {
    const texts = [...(await readFieldsOfNight(query))].flatMap(([name, type]) =>
      type === 'text' ? metadataName(name) : [],
    );
    const known = [TYPE_GROUP, ...texts];
    if (!known.includes(group)) {
      const detail = `must be one of ${known.join(', ')}, not ${given(group)}`;
      throw new InvalidFields([{ pointer: '/group', detail }]);
    }
    const before = (await read(query)) ?? null;
    const after = await write(query, group, reason, by.name);
    await recordChange(query, by, { action: 'scorecard.group', subject: group, before, after });
    return after;
  });
