/** The part of Redis' protocol that starting one needs; every reply is a single line. */
import { createConnection } from 'node:net';

const TIMEOUT_MS = 1000;

/** Sends the commands in one write; resolves to one reply line each, or rejects when nobody answers. */
export function askRedis(
  port: number,
  commands: readonly (readonly string[])[],
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const lines = received.split('\r\n');
      if (lines.length <= commands.length) return;
      resolve(lines.slice(0, commands.length));
      socket.destroy();
    });
    socket.write(commands.map(encodeCommand).join(''));
  });
}

function encodeCommand(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
