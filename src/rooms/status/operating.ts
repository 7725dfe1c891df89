/** Status and dead letters for operators, bound once to their adapters. */
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import { encodeToken } from '../../kit/words/consistency-token.ts';
import type { Actor } from '../../kit/words/principal.ts';
import {
  type DeadLetterCommand,
  purgeDeadLetters,
  replayDeadLetters,
  type Streams,
} from '../dead-letters/change.ts';
import {
  type DeadLetterListParameters,
  groupDeadLetters,
  readDeadLetter,
  searchDeadLetters,
} from '../dead-letters/queries.ts';
import { createReadStatus, type Pipeline } from './queries/pipeline-status.ts';

export type Operating = ReturnType<typeof createOperating>;

/** @param system  system identifier of the database cluster, for consistency tokens */
export function createOperating(
  databases: Databases,
  streams: Streams,
  pipeline: Pipeline,
  system: string,
) {
  const { primary } = databases;
  return {
    readStatus: createReadStatus(databases, pipeline),
    searchDeadLetters: (parameters: DeadLetterListParameters) =>
      searchDeadLetters(primary, parameters),
    readDeadLetter: (id: string) => readDeadLetter(primary, id),
    groupDeadLetters: () => groupDeadLetters(primary),
    replayDeadLetters: async (command: DeadLetterCommand, by: Actor) => {
      const { result, write } = await replayDeadLetters(primary, streams, command, by);
      return { result, token: write && encodeToken({ system, ...write }) };
    },
    purgeDeadLetters: (command: DeadLetterCommand, by: Actor) =>
      purgeDeadLetters(primary, command, by),
  };
}
