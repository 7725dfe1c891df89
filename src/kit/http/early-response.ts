/**
 * An answer that comes before the end of its request's body. The rest of the body is read and dropped for a while: a client
 * that writes all of it before it reads would otherwise meet a broken pipe in place of the answer.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';

/** With less time slow senders never see the answer, and with more each of them holds a connection for longer. */
const UNREAD_BODY_MS_MAX = 2000;
const REFUSED_MIN = 400;

export class EarlyResponse extends ServerResponse {
  override writeHead(status: number, ...rest: unknown[]): this {
    const { req: request } = this;
    if (!request.complete) {
      const isLast = !this.shouldKeepAlive;
      // Node closes the connection of a last answer at once.
      if (status >= REFUSED_MIN) this.shouldKeepAlive = true;
      this.once('finish', () => readOn(request, isLast));
    }
    return super.writeHead(status, ...(rest as []));
  }
}

function readOn(request: IncomingMessage, isLast: boolean): void {
  const { socket } = request;
  const end = () => socket.destroySoon();
  if (request.complete) {
    if (isLast) end();
    return;
  }
  const timer = setTimeout(end, UNREAD_BODY_MS_MAX);
  request.once('close', () => clearTimeout(timer));
  if (isLast) request.once('end', end);
  request.resume();
}
