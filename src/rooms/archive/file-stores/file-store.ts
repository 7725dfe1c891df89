/** A store for the files of an archive: a folder, or a prefix in a bucket. */
export type FileStore = {
  /** Absolute path, or `s3://bucket/prefix`. */
  readonly name: string;
  /** Writes a file once; the same bytes again change nothing. @throws Failure where the file has other bytes */
  readonly put: (file: string, bytes: Buffer) => Promise<void>;
  /** Writes a whole file, and replaces a file of the same name. @throws Failure where the file is protected */
  readonly replace: (file: string, bytes: Buffer) => Promise<void>;
  /**
   * Reads at most one byte more than `bytesMax`, by which a file is seen to be larger. @throws Failure `unavailable` where the file
   * cannot be read
   */
  readonly get: (file: string, bytesMax: number) => Promise<Buffer>;
  /** Reads as `get`; undefined where there is no such file. */
  readonly find: (file: string, bytesMax: number) => Promise<Buffer | undefined>;
  /** Names of all files. Absent in a bucket, where stray files cost money and harm nothing. */
  readonly list?: () => Promise<string[]>;
  readonly remove?: (file: string) => Promise<void>;
  /** Protects files from change and removal until a time. @returns why the store cannot; null where the files are protected */
  readonly seal: (files: readonly string[], until: Date) => Promise<string | null>;
};
