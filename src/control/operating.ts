/** Status and dead letters for operators, bound once to their adapters. */
import type { Actor } from '../domain/principal.ts';
import type { Databases } from '../query/choose-database.ts';
import {
  type DeadLetterListParameters,
  groupDeadLetters,
  readDeadLetter,
  searchDeadLetters,
} from '../query/dead-letters.ts';
import {
  createReadFigures,
  type PipelineStatusDependencies,
  type ReadFiguresDependencies,
  readPipelineStatus,
} from '../query/pipeline-status.ts';
import type * as DeadLetterSearch from '../store/dead-letter-search.ts';
import {
  type DeadLetterCommand,
  type DeadLetterCommandDependencies,
  purgeDeadLetters,
  replayDeadLetters,
} from './dead-letter-commands.ts';

export type OperatingAdapters = {
  readonly databases: Databases;
  readonly deadLetterStore: typeof DeadLetterSearch;
} & Omit<PipelineStatusDependencies, 'readFigures'> &
  ReadFiguresDependencies &
  Omit<DeadLetterCommandDependencies, 'database' | 'now' | 'store'>;

export type Operating = ReturnType<typeof createOperating>;

export function createOperating(adapters: OperatingAdapters) {
  const { primary: database, now } = adapters.databases;
  const status = { ...adapters, readFigures: createReadFigures(adapters) };
  const deadLetters = { database, store: adapters.deadLetterStore };
  const commands = { ...adapters, ...deadLetters, now };
  return {
    readStatus: () => readPipelineStatus(status),
    searchDeadLetters: (parameters: DeadLetterListParameters) =>
      searchDeadLetters(deadLetters, parameters),
    readDeadLetter: (id: string) => readDeadLetter(deadLetters, id),
    groupDeadLetters: () => groupDeadLetters(deadLetters),
    replayDeadLetters: (command: DeadLetterCommand, by: Actor) =>
      replayDeadLetters(commands, command, by),
    purgeDeadLetters: (command: DeadLetterCommand, by: Actor) =>
      purgeDeadLetters(commands, command, by),
  };
}
