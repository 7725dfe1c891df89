/** How large a model may be: larger than any useful one, and small enough to be read and run without harm. */

/** A thousand trees of depth 8 are 40 MB of XGBoost JSON. */
export const MODEL_BYTES_MAX = 64 * 1024 * 1024;
export const MODEL_TREES_MAX = 5000;
/** Nodes of all trees together; 40 bytes a node in memory. */
export const MODEL_NODES_MAX = 2_000_000;
/** Splits on the path from a root to a leaf. Exact Shapley values take depth^2 a leaf. */
export const MODEL_DEPTH_MAX = 64;
export const MODEL_FEATURES_MAX = 1000;
export const FEATURE_NAME_CHARACTERS_MAX = 128;
/**
 * Golden vectors, each of which is run three times before a model may score: a second for the largest model.
 */
export const GOLDEN_VECTORS_MAX = 1000;
