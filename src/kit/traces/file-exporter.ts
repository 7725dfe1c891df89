/**
 * Appends spans to a file, one a line, each as a request of OTLP in JSON: the receiver `otlpjsonfile` of a collector reads
 * such files.
 */
import { appendFile, stat } from 'node:fs/promises';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { toError } from '../words/failure.ts';

/** A larger file takes no more spans. Larger: a forgotten file fills the disk; smaller: a day of traces does not fit. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

const [DONE, FAILED] = [0, 1];

export function createFileExporter(path: string, warn: (message: string) => void): SpanExporter {
  let isFull = false;
  let written = Promise.resolve();
  const write = async (text: string) => {
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    if (size + text.length > FILE_BYTES_MAX) {
      if (!isFull) warn(`${path} has ${size} bytes and takes no more`);
      isFull = true;
      return;
    }
    await appendFile(path, text);
  };
  return {
    export: (spans, done) => {
      const lines = spans.map((span) => {
        const json = JsonTraceSerializer.serializeRequest([span]);
        return json === undefined ? '' : `${Buffer.from(json).toString('utf8')}\n`;
      });
      written = written
        .then(() => write(lines.join('')))
        .then(
          () => done({ code: DONE }),
          (error: unknown) => done({ code: FAILED, error: toError(error) }),
        );
    },
    forceFlush: () => written,
    shutdown: () => written,
  };
}
