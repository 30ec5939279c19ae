/** How a function failed, and how that is told. */
import type { Json } from "../values/json";

/** What a function threw, or what the runtime found wrong with its call. */
export type Failure = {
  /** The message as Convex words it, such as "Uncaught Error: no such thing". */
  readonly message: string;
  /** Frames such as "    at handler (../convex/x.ts:3:4)", one a line, or nothing. */
  readonly trace: string;
  /** The data of a `ConvexError`, which clients get in full. */
  readonly data?: Json;
  /** What was thrown, where the caller and the function share a realm. */
  readonly cause?: unknown;
};

export function failure(message: string): Failure {
  return { message, trace: "" };
}

/** All that clients learn of an error that neither they nor the app are to blame for. */
export const COULD_NOT_COMPLETE = "Your request couldn't be completed. Try again later.";

/** The failure as a client reads it behind "Server Error". */
export function failureText({ message, trace }: Failure): string {
  return trace === "" ? `${message}\n` : `${message}\n${trace}\n`;
}

/** Finds the sources of the frames of a stack. */
export type FrameMapper = (stack: string) => string;

/**
 * Turns what app code threw into a failure. It may come from another realm, so it is looked at, never asked
 * whether it is an `Error`. A `ConvexError` that passed `invokeFunction` of the convex package has its data as JSON text.
 */
export function describeThrown(thrown: unknown, mapFrames: FrameMapper): Failure {
  if (typeof thrown !== "object" || thrown === null) return failure(`Uncaught ${String(thrown)}`);
  const { name, message, stack, data } = thrown as Record<"name" | "message" | "stack" | "data", unknown>;
  const title = typeof name === "string" ? name : "Error";
  const text = typeof message === "string" && message !== "" ? `${title}: ${message}` : title;
  const trace = typeof stack === "string" ? mapFrames(stack) : "";
  const isConvexError = Symbol.for("ConvexError") in thrown;
  return {
    message: `Uncaught ${text}`,
    trace,
    ...(isConvexError && typeof data === "string" ? { data: JSON.parse(data) as Json } : {}),
  };
}
