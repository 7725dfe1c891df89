/** Why somebody changes something, for colleagues and the audit log. */
import { plainText } from './plain-text.ts';

/** Larger: a line of the audit log is a page. Smaller: the name of an order of a court does not fit. */
export const REASON_CHARS_MAX = 500;
export const reasonText = plainText(REASON_CHARS_MAX);
/** The reason of a request. */
export const reasonField = reasonText.meta({ description: 'For the audit log.' });
