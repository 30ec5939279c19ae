import type { LogSizes } from "../../embedded/storage/logStore";

/** So small that a test of a few commits goes through many generations and files. */
export const SMALL_LOG: LogSizes = {
  generationChars: 2000,
  mostChars: 8000,
  freeChars: 2000,
  fileBytes: 1500,
};
