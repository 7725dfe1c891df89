/**
 * A process that listens and does not accept: its queue of connections is full, so the kernel drops the packets of further
 * connections, as a network does on the way to an address that is dead. Once it goes on, it answers HTTP.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { waitUntil } from './wait-until.ts';

const PROGRAM = `
const servers = process.argv.slice(2).map((port) =>
  require('node:http').createServer((_request, response) => response.end())
    .listen({ host: process.argv[1], port: Number(port), backlog: 1 }));
Promise.all(servers.map((server) => require('node:events').once(server, 'listening')))
  .then(() => console.log(servers.map((server) => server.address().port).join()));`;
/** More than the queue of a server with a backlog of 1 holds. */
const FILLERS = 6;
const STATE_SYN_SENT = '02';

/** @param ports 0 stands for a free port */
export async function startFullListener(host: string, ports: readonly number[]) {
  const child = spawn(process.execPath, ['-e', PROGRAM, host, ...ports.map(String)]);
  const [said] = await once(child.stdout, 'data');
  const taken = String(said).trim().split(',').map(Number);
  child.kill('SIGSTOP');
  const isStopped = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T ');
  await waitUntil(isStopped, 5000, 'the stop');
  const fillers = taken.flatMap((port) =>
    Array.from({ length: FILLERS }, () => createConnection({ host, port })),
  );
  for (const filler of fillers) filler.on('error', () => undefined);
  const pending = () => taken.reduce((sum, port) => sum + countPending(host, port), 0);
  const connected = () => fillers.filter((filler) => !filler.connecting).length;
  const isFull = () => connected() > 0 && connected() + pending() === fillers.length;
  await waitUntil(isFull, 5000, 'a full queue');
  const before = pending();
  return {
    ports: taken,
    /** Lets it accept once somebody else is connecting to it. */
    acceptNext: async () => {
      await waitUntil(() => pending() > before, 5000, 'another connection');
      child.kill('SIGCONT');
    },
    [Symbol.asyncDispose]: async () => {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

/** Connections of this network to the port that have sent a packet and have no answer. */
function countPending(host: string, port: number): number {
  const hexadecimal = (n: number, digits: number) =>
    n.toString(16).toUpperCase().padStart(digits, '0');
  // The kernel writes the bytes of an address from the last one to the first.
  const bytes = host.split('.').reverse();
  const to = `${bytes.map((byte) => hexadecimal(Number(byte), 2)).join('')}:${hexadecimal(port, 4)}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => {
    const [, , remote = '', state] = line.trim().split(/\s+/);
    return remote === to && state === STATE_SYN_SENT;
  }).length;
}
