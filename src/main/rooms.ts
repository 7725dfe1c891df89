/** The capabilities of the engine. A room is added by its folder and one line here. */
import { NO_PERSONAL, type OpenPersonal } from '../core/personal.ts';
import type { Room } from '../core/room.ts';
import { NO_MODELS, type OpenModels } from '../core/score/judge.ts';
import { NO_LISTS, type OpenLists } from '../core/score/rules/rule-inputs.ts';
import { CORE_TABLES } from '../core/store/tables.ts';
import type { Retention } from '../kit/duties/purge.ts';
import { access } from '../rooms/access/room.ts';
import { approvals } from '../rooms/approvals/room.ts';
import { archive } from '../rooms/archive/room.ts';
import { audit } from '../rooms/audit/room.ts';
import { backtest } from '../rooms/backtest/room.ts';
import { console } from '../rooms/console/room.ts';
import { corridors } from '../rooms/corridors/room.ts';
import { deadLetters } from '../rooms/dead-letters/room.ts';
import { evidence } from '../rooms/evidence/room.ts';
import { exports } from '../rooms/exports/room.ts';
import { labels } from '../rooms/labels/room.ts';
import { lists } from '../rooms/lists/room.ts';
import { models } from '../rooms/models/room.ts';
import { operate } from '../rooms/operate/room.ts';
import { privacy } from '../rooms/privacy/room.ts';
import { review } from '../rooms/review/room.ts';
import { rules } from '../rooms/rules/room.ts';
import { search } from '../rooms/search/room.ts';
import { status } from '../rooms/status/room.ts';
import { summaries } from '../rooms/summaries/room.ts';
import { webhooks } from '../rooms/webhooks/room.ts';

/** Routes are mounted and commands are listed in this order. */
export const ROOMS: readonly Room[] = [
  operate,
  status,
  corridors,
  approvals,
  archive,
  labels,
  review,
  lists,
  webhooks,
  exports,
  deadLetters,
  search,
  summaries,
  rules,
  backtest,
  models,
  access,
  audit,
  privacy,
  evidence,
  console,
];

/** Registered models, of the room that has them. */
export const openModels: OpenModels =
  ROOMS.find((room) => room.models !== undefined)?.models ?? (async () => NO_MODELS);

/** Answers of lists, of the room that has them. */
export const openLists: OpenLists =
  ROOMS.find((room) => room.lists !== undefined)?.lists ?? (async () => NO_LISTS);

/** Tokens of personal fields, of the room that has them. */
export const openPersonal: OpenPersonal =
  ROOMS.find((room) => room.personal !== undefined)?.personal ?? (async () => NO_PERSONAL);

/** When the rows of each table end. */
export const RETENTIONS: readonly Retention[] = [
  ...CORE_TABLES,
  ...ROOMS.flatMap(({ tables = [] }) => tables),
];
