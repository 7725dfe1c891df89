/** Reads up to so many bytes, and leaves the rest unread. */
export async function firstBytes(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of stream) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(parts, Math.min(bytes, bytesMax));
}
