/** Progress of a replay for a person: a bar on a terminal, a line every few seconds elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import type { PostProgress } from './post-file.ts';

type ReplayProgressView = {
  readonly posting: (progress: PostProgress) => void;
  /** All rows are answered; `accepted` of them are awaited. */
  readonly posted: (accepted: number) => void;
  readonly settling: (final: number) => void;
  [Symbol.dispose](): void;
};

const LINE_EVERY_MS = 5_000;

export function createReplayProgress(
  terminal: boolean,
  note: (text: string) => void,
  rowsAre = 'transactions',
): ReplayProgressView {
  return terminal ? barView(rowsAre) : lineView(note, rowsAre);
}

function barView(rowsAre: string): ReplayProgressView {
  const startedMs = performance.now();
  const bar = new SingleBar(
    {
      format: '{bar} {percentage}%  {rows}  {phase}',
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  bar.start(1, 0, { rows: '', phase: 'posting' });
  let accepted = 0;
  return {
    posting: ({ rows, bytesRead, bytes }) => {
      bar.setTotal(Math.max(1, bytes));
      bar.update(Math.min(bytesRead, bytes), { rows: postedText(rows, rowsAre, startedMs) });
    },
    posted: (total) => {
      accepted = total;
      bar.setTotal(Math.max(1, total));
      bar.update(0, { rows: finalText(0, total), phase: 'scoring' });
    },
    settling: (final) => {
      bar.update(final, { rows: finalText(final, accepted) });
    },
    [Symbol.dispose]: () => {
      bar.stop();
    },
  };
}

function lineView(note: (text: string) => void, rowsAre: string): ReplayProgressView {
  const startedMs = performance.now();
  let notedMs = startedMs;
  let accepted = 0;
  const now = (text: () => string) => {
    if (performance.now() - notedMs < LINE_EVERY_MS) return;
    notedMs = performance.now();
    note(text());
  };
  return {
    posting: ({ rows, bytesRead, bytes }) => {
      const percent = Math.floor((100 * Math.min(bytesRead, bytes)) / Math.max(1, bytes));
      now(() => `posting ${percent}%  ${postedText(rows, rowsAre, startedMs)}`);
    },
    posted: (total) => {
      accepted = total;
    },
    settling: (final) => {
      now(() => `scoring ${finalText(final, accepted)}`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

function postedText(rows: number, rowsAre: string, startedMs: number): string {
  const seconds = Math.max(0.001, (performance.now() - startedMs) / 1000);
  return `${rows} ${rowsAre}, ${Math.round(rows / seconds)}/s`;
}

function finalText(final: number, accepted: number): string {
  return `${final} of ${accepted} final`;
}
