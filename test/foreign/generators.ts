/**
 * Clients of the API that generators of other people make of its document. Each generator is fetched once into the cache of this user,
 * by the client of its registry, as are the packages that a generated client needs.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cache, fetchBy, need } from '../fuzz/programs.ts';
import { REPOSITORY } from '../support/risk.ts';

const OPENAPI_GENERATOR = '7.25.0';
const OAPI_CODEGEN = 'v2.8.2';
const OAPI_RUNTIME = 'v1.9.0';
const OPENAPI_PYTHON_CLIENT = '0.29.1';

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** The first errors of a compiler say most. */
const SAID_CHARS = 6000;

export type Client = {
  readonly language: string;
  /** Generates a client in an empty folder, and compiles it. @returns words of its source, operations among them */
  readonly make: (document: string, folder: string) => Promise<Iterable<string>>;
};

type Where = { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv };

/** @throws Error with what the program said, where it fails */
async function execute(program: string, args: readonly string[], where: Where = {}) {
  const options = { maxBuffer: OUTPUT_BYTES_MAX, ...where };
  return await promisify(execFile)(program, args, options).catch(({ stdout, stderr }) => {
    throw new Error(`${program} failed:\n${`${stderr}${stdout}`.slice(0, SAID_CHARS)}`);
  });
}

async function filesOf(folder: string, pattern: string): Promise<string[]> {
  const found = await Array.fromAsync(glob(pattern, { cwd: folder }));
  return found.map((file) => join(folder, file));
}

/** Words before a bracket: names that are declared or called. */
async function wordsOf(folder: string, pattern: string): Promise<Set<string>> {
  const files = await filesOf(folder, pattern);
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return new Set(texts.flatMap((text) => [...text.matchAll(/\w+(?=[(<])/g)].map(([word]) => word)));
}

/** @throws NotRun without Maven, or where the program cannot be had */
async function findOpenapiGenerator(): Promise<string> {
  const name = `openapi-generator-cli-${OPENAPI_GENERATOR}.jar`;
  const jar = join(cache, name);
  if (!existsSync(jar)) {
    const artifact = `-Dartifact=org.openapitools:openapi-generator-cli:${OPENAPI_GENERATOR}`;
    const copy = ['-B', '-q', 'dependency:copy', artifact, `-DoutputDirectory=${cache}`];
    await fetchBy(need('mvn'), copy);
  }
  return jar;
}

async function generate(name: string, document: string, folder: string): Promise<void> {
  const jar = await findOpenapiGenerator();
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
  const args = ['generate', '-g', name, '-i', document, '-o', folder];
  await execute(need('java'), [quiet, '-jar', jar, ...args]);
}

async function makeJava(document: string, folder: string): Promise<Iterable<string>> {
  const javac = need('javac');
  await generate('java', document, folder);
  const pom = ['-B', '-q', '-f', join(folder, 'pom.xml')];
  const lib = join(folder, 'lib');
  await fetchBy(need('mvn'), [...pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`]);
  const sources = await filesOf(folder, 'src/main/java/**/*.java');
  const list = join(folder, 'sources');
  await writeFile(list, sources.join('\n'));
  const flags = ['-nowarn', '-proc:none', '-d', join(folder, 'classes'), '-cp', join(lib, '*')];
  await execute(javac, [...flags, `@${list}`]);
  return await wordsOf(folder, 'src/main/java/**/api/*.java');
}

async function makeRust(document: string, folder: string): Promise<Iterable<string>> {
  const cargo = need('cargo');
  await generate('rust', document, folder);
  await fetchBy(cargo, ['fetch', '--manifest-path', join(folder, 'Cargo.toml')]);
  const env = { ...process.env, CARGO_TARGET_DIR: join(cache, 'generated-rust') };
  await execute(cargo, ['check', '--offline', '-q'], { cwd: folder, env });
  return await wordsOf(folder, 'src/apis/*.rs');
}

/** Nothing here compiles C#. */
async function makeCsharp(document: string, folder: string): Promise<Iterable<string>> {
  await generate('csharp', document, folder);
  const words = await wordsOf(folder, 'src/*/Api/*.cs');
  return Array.from(words, (word) => word.replace(/Async$/, ''));
}

async function makeTypescript(document: string, folder: string): Promise<Iterable<string>> {
  await generate('typescript-fetch', document, folder);
  const flags = '--noEmit --strict --target es2022 --lib es2022,dom index.ts';
  await execute(join(REPOSITORY, 'node_modules/.bin/tsc'), flags.split(' '), { cwd: folder });
  return await wordsOf(folder, 'apis/*.ts');
}

async function makeGo(document: string, folder: string): Promise<Iterable<string>> {
  const go = need('go');
  const tools = join(cache, `oapi-codegen-${OAPI_CODEGEN}`);
  const program = join(tools, 'oapi-codegen');
  const module = `github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@${OAPI_CODEGEN}`;
  if (!existsSync(program)) await fetchBy(go, ['install', module], { GOBIN: tools });
  const flags = ['-generate', 'types,client', '-package', 'risk', '-o', 'client.go'];
  await execute(program, [...flags, document], { cwd: folder });
  await execute(go, ['mod', 'init', 'risk'], { cwd: folder });
  const runtime = `github.com/oapi-codegen/runtime@${OAPI_RUNTIME}`;
  await fetchBy(go, ['-C', folder, 'get', runtime]);
  await execute(go, ['build', './...'], { cwd: folder });
  const words = await wordsOf(folder, 'client.go');
  // An operation that takes no JSON has the name of its general form alone.
  return Array.from(words, (word) => word.replace(/WithBody$/, ''));
}

/** Files of lines and of CSV are octets to this generator, which would leave out an operation that takes no other body. */
const PYTHON_CONFIG = `content_type_overrides:
  application/x-ndjson: application/octet-stream
  text/csv: application/octet-stream
`;

/** Imports each module of a package, which Python compiles as it does. */
const IMPORT_ALL = `
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
package = importlib.import_module('risk_engine_client')
for found in pkgutil.walk_packages(package.__path__, 'risk_engine_client.'):
    importlib.import_module(found.name)
    print(found.name.split('.')[-1])
`;

async function makePython(document: string, folder: string): Promise<Iterable<string>> {
  const tools = join(cache, `openapi-python-client-${OPENAPI_PYTHON_CLIENT}`);
  const bin = join(tools, 'bin');
  if (!existsSync(join(bin, 'openapi-python-client'))) {
    await fetchBy(need('python3'), ['-m', 'venv', tools]);
    const name = `openapi-python-client==${OPENAPI_PYTHON_CLIENT}`;
    await fetchBy(join(bin, 'pip'), ['install', '-q', name]);
  }
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  const out = join(folder, 'client');
  const config = join(folder, 'config.yaml');
  await writeFile(config, PYTHON_CONFIG);
  const args = ['generate', '--path', document, '--output-path', out, '--config', config];
  const program = join(bin, 'openapi-python-client');
  await execute(program, [...args, '--fail-on-warning'], { cwd: folder, env });
  const { stdout } = await execute(join(bin, 'python'), ['-c', IMPORT_ALL, out], { env });
  return stdout.split('\n');
}

export const CLIENTS: readonly Client[] = [
  { language: 'Python', make: makePython },
  { language: 'Java', make: makeJava },
  { language: 'Go', make: makeGo },
  { language: 'TypeScript', make: makeTypescript },
  { language: 'Rust', make: makeRust },
  { language: 'C#', make: makeCsharp },
];
