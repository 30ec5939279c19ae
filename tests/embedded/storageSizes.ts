import type { LogSizes } from "../../embedded/storage/logStore";

/** So small that a test of a few commits goes through many generations and files. */
export const SMALL_LOG: LogSizes = {
  generationBytes: 2000,
  mostBytes: 8000,
  freeBytes: 2000,
  waitingBytes: 1500,
  waitingGenerations: 3,
  threadBytes: Infinity,
  atOnceBytes: 200,
  fileBytes: 1500,
};

/** The same, and a thread of its own brings over the generations, and none the records. */
export const SMALL_LOG_WITH_THREAD: LogSizes = { ...SMALL_LOG, threadBytes: 0, atOnceBytes: Infinity };
