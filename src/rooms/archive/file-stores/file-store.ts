/** A store of the files of an archive: a folder, or a prefix in a bucket. */
export type FileStore = {
  /** Absolute path, or `s3://bucket/prefix`. */
  readonly name: string;
  /** Written once: the same bytes again change nothing. @throws Failure where the file has other bytes */
  readonly put: (file: string, bytes: Buffer) => Promise<void>;
  /** @throws Failure `unavailable` where the file cannot be read */
  readonly get: (file: string) => Promise<Buffer>;
  /** Keeps files from change and removal until a time. @returns why it cannot; null where it does */
  readonly seal: (files: readonly string[], until: Date) => Promise<string | null>;
};
