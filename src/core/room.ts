/**
 * A room is one capability, in one folder, that adds to an API process, to a worker process and to the command line.
 * `src/main/rooms.ts` lists the rooms. Core and kit know none of them, so a room can be deleted by its folder and its line.
 */
import type { Hono } from 'hono';
import type { Executors } from '../kit/approvals/approvals.ts';
import type { Guards } from '../kit/breakers/guards.ts';
import type { Command } from '../kit/command/command.ts';
import type { Config } from '../kit/config/config.ts';
import type { Changes } from '../kit/database/follow-changes.ts';
import type { PoolName } from '../kit/database/open-database.ts';
import type { Database } from '../kit/database/pool.ts';
import type { Databases } from '../kit/database/replica/choose-database.ts';
import type { OpenReplicas } from '../kit/database/replica/replicas.ts';
import type { Leadership } from '../kit/duties/leadership.ts';
import type { Retention } from '../kit/duties/purge.ts';
import type { Duty } from '../kit/duties/run-duties.ts';
import type { RequestGate } from '../kit/http/admission/shed.ts';
import type { AppEnv } from '../kit/http/app-env.ts';
import type { Authenticator } from '../kit/http/auth/auth.ts';
import type { BodyLimits } from '../kit/http/body/body.ts';
import type { DocumentPart } from '../kit/http/document.ts';
import { type Operation, pathsOf, routesOf } from '../kit/http/operation.ts';
import type { Log } from '../kit/metrics/log.ts';
import type { MakeMetrics } from '../kit/metrics/make-metrics.ts';
import type { Metrics } from '../kit/metrics/metrics.ts';
import type { RedisClient } from '../kit/redis/connection.ts';
import type { Actor } from '../kit/words/principal.ts';
import type { Ingest, OnLabelled } from './accept/ingest.ts';
import type { Limiter } from './accept/limits/limiter.ts';
import type { EventSource } from './events.ts';
import type { OpenPersonal, Personal } from './personal.ts';
import type { Judge, Models, OpenModels } from './score/judge.ts';
import type { InputSources, OpenLists } from './score/rules/rule-inputs.ts';
import type { ControlWatch } from './store/controls/watch-controls.ts';
import type { ScoredStatement } from './store/scores/score-values.ts';
import type { KafkaClients } from './stream/kafka/clients.ts';
import type { ReadKafka } from './stream/kafka/watch-kafka.ts';
import type { Replies } from './stream/settle/replies.ts';
import type { RolloutCounts } from './work/rollout-counts.ts';

export type Room = {
  readonly name: string;
  /** Loaded when the command runs, or when the table of commands is printed. */
  readonly commands?: Readonly<
    Record<string, (openModels: OpenModels) => Promise<{ readonly command: Command }>>
  >;
  /** Loaded where an API serves, or documents its operations. */
  readonly routes?: () => Promise<RoomRoutes>;
  /** Routes of an API process that need no market. */
  readonly pages?: () => Promise<Hono<AppEnv>>;
  readonly worker?: (worker: Worker) => Promise<WorkerRoom>;
  readonly training?: Training;
  /** Sources of the room's events for other systems. */
  readonly events?: () => Promise<readonly EventSource[]>;
  /** Registered models for explanations, what-ifs and verification; of one room at most. */
  readonly models?: OpenModels;
  /** Answers of lists that rules read; of one room at most. */
  readonly lists?: OpenLists;
  /** Opens tokens in place of personal values; at most one room does. */
  readonly personal?: OpenPersonal;
  /** When the rows of the room's tables end. */
  readonly tables?: readonly Retention[];
  /** Makes the metrics of the room; called once a market of a process that reports them. */
  readonly metrics?: (make: MakeMetrics) => object;
  /** Runs in the commit that stores labels. */
  readonly onLabelled?: OnLabelled;
};

type RoomRoutes = {
  readonly document: DocumentPart;
  readonly open: (api: Api) => ApiRoom | Promise<ApiRoom>;
  /** Carry out what two people decide, by kind. */
  readonly executors?: Executors<Api>;
};

/** The routes of operations under one tag. */
export const routesUnder = (
  tag: string,
  description: string,
  operations: readonly Operation<Api>[],
) => ({
  document: { paths: pathsOf(operations, tag), tags: { [tag]: description } },
  open: (api: Api): ApiRoom => ({ routes: [routesOf(operations, api.limits, api)] }),
});

/** A market of an API process, as rooms see it. */
export type Api = Pick<Authenticator, 'authenticate'> &
  Pick<RequestGate, 'isSubmitting'> & {
    readonly config: Config;
    readonly log: Log;
    /** Aborted when the process drains. */
    readonly draining: AbortSignal;
    readonly databases: Databases & { readonly replica: OpenReplicas | null };
    /** Opens a pool of its own to the primary, which the process closes. */
    readonly openPool: (name: PoolName) => Database;
    readonly redis: RedisClient;
    readonly guards: Guards;
    readonly metrics: Metrics;
    readonly models: Models;
    /** For rules that are tried. */
    readonly inputSources: InputSources;
    /** Executors of all rooms carry out decisions of two people. */
    readonly executors: Executors<Api>;
    readonly ingest: Ingest;
    readonly personal: Personal;
    /** Undefined where no KAFKA_URL is set. */
    readonly kafka: KafkaClients | undefined;
    readonly readKafka: ReadKafka;
    readonly controls: ControlWatch;
    readonly replies: Replies;
    readonly limits: BodyLimits;
    /** Functions called after a request has stored labels, whatever its answer. */
    readonly afterLabels: Set<() => void>;
  };

export type ApiRoom = {
  /** In mounting order; paths below /v1 need a key. */
  readonly routes: readonly Hono<AppEnv>[];
  /** Resolves once nothing of the room is under way; called when the process has stopped serving. */
  readonly ended?: () => Promise<unknown>;
};

export type TrainingOptions = {
  /** The first UTC day that is judged by what is learnt, in days since 1970. */
  readonly day: number;
  readonly maturityDays: number;
  readonly by: Actor;
  readonly signal: AbortSignal;
};

/** Work that one trainer of a market does at a time. `run` loads its modules, as each stays in memory. */
export type Training = {
  readonly name: string;
  /** Between two looks, and before the first. */
  readonly everyMs: number;
  /** Wait after work that has begun, whatever its end. */
  readonly againMs: number;
  readonly isDue: (database: Database, day: number, timeOfDayMs: number) => Promise<boolean>;
  readonly run: (database: Database, options: TrainingOptions) => Promise<unknown>;
};

/** A worker process, as rooms see it. */
export type Worker = {
  readonly config: Config;
  readonly log: Log;
  /** Unique for this start of this process. */
  readonly name: string;
  readonly database: Database;
  /** Follows subjects in Postgres, by one statement a process. */
  readonly changes: Pick<Changes, 'follow'>;
  readonly redis: RedisClient;
  readonly guards: Guards;
  readonly metrics: Metrics;
  readonly leadership: Leadership;
  readonly controls: ControlWatch;
  /** Undefined where no KAFKA_URL is set. */
  readonly kafka: KafkaClients | undefined;
  readonly readKafka: ReadKafka;
  /** Limits of what workers do. */
  readonly limiter: Pick<Limiter, 'limits' | 'takeSome'>;
  /** Counts what a model in a rollout decides. */
  readonly rolloutCounts: Pick<RolloutCounts, 'note'>;
  /** Sources of all rooms' events for other systems. */
  readonly events: readonly EventSource[];
  readonly openModels: OpenModels;
};

export type WorkerRoom = {
  readonly duties: readonly Duty[];
  /** Lets models decide beside the rules; of one room at most. */
  readonly judge?: Judge;
  /** Runs in the statement that stores scores. */
  readonly onScored?: ScoredStatement;
};
