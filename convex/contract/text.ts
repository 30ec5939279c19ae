import * as z from "zod";

const loneSurrogate = /\p{Surrogate}/u;

/**
 * Text that can be stored and sent back unchanged. JSON can spell half of a surrogate pair (`"\ud800"`), which is
 * no Unicode text and has no UTF-8 form.
 */
export function text() {
  return z.string().refine((value) => !loneSurrogate.test(value), "Must be well-formed Unicode text");
}
