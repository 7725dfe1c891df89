/**
 * The error of a code, such as USD and US-EG: tells a sender of small letters the code in capitals.
 * @param otherwise says what is allowed
 */
export const codeError = (isCode: (text: string) => boolean, otherwise: string) => ({
  error: ({ input }: { readonly input?: unknown }) => {
    const capitals = String(input).toUpperCase();
    return capitals !== input && isCode(capitals)
      ? `must be in capitals, as ${capitals}`
      : otherwise;
  },
});
