/** HTTP that no client library would send: raw text on a socket, and chunks without an end. */
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

/** Writes text to a socket and reads until the server closes it, or the expected text has arrived. */
export async function sendRaw(url: string, text: string): Promise<string> {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  let answer = '';
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.setEncoding('utf8').setTimeout(12_000);
  socket.on('data', (part) => {
    answer += part;
    if (/\r\n\r\n\{.*\}$/s.test(answer)) resolve(answer);
  });
  socket.on('timeout', () => resolve(`timeout ${answer}`));
  socket.on('error', () => resolve(answer));
  socket.on('close', () => resolve(answer));
  socket.write(text);
  const result = await promise;
  socket.destroy();
  return result;
}

/** Writes a whole request before it reads any of the answer, as simple clients do. */
export async function writeThenRead(
  url: string,
  head: string,
  body: Buffer,
): Promise<{ fault: Error | null; answer: string }> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.setTimeout(12_000, () => socket.destroy(new Error('silence')));
  let fault: Error | null = null;
  socket.on('error', (error) => {
    fault = error;
  });
  socket.pause();
  socket.write(head);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([new Promise((resolve) => socket.write(body, resolve)), closed]);
  let answer = '';
  socket.setEncoding('utf8').on('data', (part) => {
    answer += part;
  });
  socket.resume();
  await closed;
  return { fault, answer };
}

/** Sends a chunked body as fast as it is read, until it is answered. */
export async function sendChunks(
  url: string,
  key: string,
  chunks: number,
  chunk: Buffer,
): Promise<{ status: number; sent: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = httpRequest(`${url}/v1/transactions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
  });
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  request.on('response', (response) => {
    end();
    resolve(response.statusCode ?? 0);
    response.resume();
  });
  request.on('error', (error) => {
    end();
    reject(error);
  });
  let sent = 0;
  for (let n = 0; n < chunks && !isOver; n++) {
    sent += chunk.length;
    await new Promise((done) => request.write(chunk, done));
  }
  const status = await promise;
  request.destroy();
  return { status, sent };
}
