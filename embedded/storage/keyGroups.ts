/*
 * How keys of index entries begin, as far as what remembers them looks at it: with the number of the index, and often with an id.
 */

/** The last character of an index's number, by which indexes are told apart. */
export const INDEX_AT = 4;
export const INDEXES = 256;

/** Where in a key that begins with an id ids differ most. */
export const ID_AT = 19;
export const ID_END = 27;

/** What keys of a group begin with: the index, and a first field that holds an id of 32 characters, with its tag and its end. */
export const GROUP_CHARS = 39;
