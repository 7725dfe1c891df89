/** Visible ASCII without spaces: what a header may carry as a token, and names of models consist of. */
export const VISIBLE_ASCII = /^[!-~]+$/;
