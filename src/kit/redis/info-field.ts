/** Reads one field of the text that INFO answers with; undefined where the server has none. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1];
}
