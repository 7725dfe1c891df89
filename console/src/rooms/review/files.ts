/** Attached files between the browser and the API, as base64. */
import type { CaseFile, StoredCaseFile } from '../../../../src/kit/client/api-types.ts';

/** As the API takes. */
const FILE_BYTES_MAX = 256 * 1024;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9.+-]{1,64}$/;
const UNKNOWN_TYPE = 'application/octet-stream';
const NAME_CHARS_MAX = 128;

/** A file that the API would not take. */
export class FileRefused extends Error {}

/** @throws FileRefused for one that is empty or too large */
export async function readFile(file: File): Promise<CaseFile> {
  if (file.size === 0) throw new FileRefused(`${file.name} is empty.`);
  if (file.size > FILE_BYTES_MAX) {
    throw new FileRefused(
      `${file.name} has ${file.size} bytes; at most ${FILE_BYTES_MAX} are taken.`,
    );
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return {
    file_name: file.name.slice(-NAME_CHARS_MAX),
    file_type: MEDIA_TYPE.test(file.type) ? file.type : UNKNOWN_TYPE,
    content: btoa(text),
  };
}

/** Saves it as a download, so that the browser never shows it as a page. */
export function saveFile({ file_name: name, content }: StoredCaseFile): void {
  const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: UNKNOWN_TYPE }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
