import type * as z from "zod";

type Shape = Readonly<Record<string, z.ZodType>>;

/** One operation of another system's wire, as its router and its OpenAPI document see it. */
export interface WireOperation<
  Path extends Shape = Shape,
  Query extends Shape = Shape,
  Body extends object = object,
> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the place where the system is mounted, with its parameters in braces. */
  readonly path: string;
  /** What the query says to tell this operation from others of the same path. */
  readonly select?: Readonly<Record<string, string>>;
  readonly description: string;
  readonly pathParameters: { readonly [Name in keyof Path]: Path[Name] };
  readonly queryParameters: { readonly [Name in keyof Query]: Query[Name] };
  readonly body?: z.ZodType<Body>;
  /** The answer if all is well; without `body` it has none. */
  readonly answer: { readonly status: number; readonly body?: z.ZodType };
  readonly errors: readonly WireError[];
}

/** What an operation is given: its parameters and the fields of its body. */
export type WireInput<Operation extends WireOperation> = Parsed<Operation["pathParameters"]> &
  Partial<Parsed<Operation["queryParameters"]>> &
  BodyOf<Operation>;

type Parsed<Parameters> = { [Name in keyof Parameters]: z.output<Parameters[Name]> };

type BodyOf<Operation> = Operation extends { readonly body?: z.ZodType<infer Body> } ? Body : object;

/** An error in the system's own words. */
export interface WireError {
  readonly status: number;
  readonly name: string;
}

/** Types one entry of a system's table of operations. */
export function wireOperation<Path extends Shape, Query extends Shape, Body extends object = object>(
  operation: WireOperation<Path, Query, Body>,
): WireOperation<Path, Query, Body> {
  return operation;
}
