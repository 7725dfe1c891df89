/**
 * The files that containers are made from, read as data: what the unit tests check and what
 * test/e2e/containers.test.ts runs as plain processes. The Dockerfile reader knows what our file
 * uses (comments, continued lines, exec form) and refuses the rest; a library for the whole language
 * would be a dependency for forty lines.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export type Instruction = { readonly name: string; readonly value: string };
/** A FROM and the instructions that follow it. */
export type Stage = { readonly base: string; readonly instructions: readonly Instruction[] };

const KEYWORDS = new Set([
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'RUN',
  'STOPSIGNAL',
  'USER',
  'WORKDIR',
]);

export function readText(name: string): string {
  return readFileSync(`${ROOT}${name}`, 'utf8');
}

export function parseDockerfile(text: string): Stage[] {
  const stages: { base: string; instructions: Instruction[] }[] = [];
  const source = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line) && line.trim() !== '')
    .join('\n')
    .replace(/\\\n\s*/g, '');
  for (const line of source.split('\n')) {
    const [, name = '', value = ''] = /^([A-Z]+)\s+(.+)$/.exec(line.trim()) ?? [];
    if (!KEYWORDS.has(name)) throw new Error(`not a Dockerfile instruction: ${line}`);
    if (name === 'FROM') stages.push({ base: value, instructions: [] });
    else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`${name} before FROM`);
      stage.instructions.push({ name, value });
    }
  }
  return stages;
}

/** The last instruction of that name, which is the effective one. */
export function lastOf(stage: Stage, name: string): string | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name)?.value;
}

/** The arguments of `CMD ["a", "b"]` or `HEALTHCHECK --flag CMD ["a", "b"]`; shell form is refused. */
export function execForm(value: string | undefined): string[] {
  const words: unknown = JSON.parse(value?.replace(/^[^[]*/, '') || 'null');
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
    throw new Error(`not in exec form: ${value ?? 'missing'}`);
  }
  return words;
}

export type ComposeService = {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly container_name?: string;
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly deploy?: { readonly resources?: { readonly limits?: Record<string, string> } };
};
export type Compose = {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

/** YAML merge keys resolved, as compose resolves them; variables are left as written. */
export function readCompose(): Compose {
  return parse(readText('docker-compose.yml'), { merge: true }) as Compose;
}

/** `${NAME:-default}` and `${NAME:+replacement}` with these variables set, by default none, as a new user has it. */
export function withDefaults(text: string, given: Readonly<Record<string, string>> = {}): string {
  return text
    .replace(/\$\{([A-Z_]+):-([^}]*)\}/g, (_, name, byDefault) => given[name] ?? byDefault)
    .replace(/\$\{([A-Z_]+):\+([^}]*)\}/g, (_, name, text) => (name in given ? text : ''))
    .replace(/\$\{[A-Z_]+:\?[^}]*\}/g, 'given');
}

export type RenderVariable = {
  readonly key?: string;
  readonly fromGroup?: string;
  readonly value?: string | number;
  readonly generateValue?: boolean;
  readonly fromDatabase?: { readonly name: string; readonly property: string };
  readonly fromService?: {
    readonly type: string;
    readonly name: string;
    readonly property: string;
  };
};
export type RenderService = {
  readonly type: string;
  readonly name: string;
  readonly runtime?: string;
  readonly plan?: string;
  readonly region?: string;
  readonly dockerCommand?: string;
  readonly preDeployCommand?: string;
  readonly healthCheckPath?: string;
  readonly maxShutdownDelaySeconds?: number;
  readonly maxmemoryPolicy?: string;
  readonly ipAllowList?: readonly unknown[];
  readonly envVars?: readonly RenderVariable[];
};
export type Render = {
  readonly services: readonly RenderService[];
  readonly databases: readonly Readonly<Record<string, unknown>>[];
};

export function readRender(): Render {
  return parse(readText('render.yaml')) as Render;
}
