import { randomBytes } from "node:crypto";
import type { Caller } from "../functions/caller";
import type { Call, Evaluation, Outcome } from "../functions/calls";
import { once } from "../functions/enclosure";
import type { Disclosure } from "../functions/disclosure";
import type { Failure } from "../functions/failure";
import type { Json } from "../values/json";
import { decodeTimestamp, encodeTimestamp } from "../values/timestamp";
import type { LiveQueries, LiveQuery, Watcher } from "./liveQueries";
import {
  parseClientMessage,
  ProtocolError,
  writeFunctionResponse,
  writeTransition,
  type AddQuery,
  type Authenticate,
  type ClientMessage,
  type FunctionRequest,
  type MessageParts,
  type ModifyQuerySet,
  type QueryModification,
  type StateVersion,
} from "./protocol";

/** What a session needs of the deployment. */
export type SessionHost = {
  readonly liveQueries: LiveQueries;
  readonly disclosure: Disclosure;
  call(kind: "mutation" | "action", call: Call): Promise<Outcome>;
  /** Who an `Authenticate` message says the client is. Throws {@link SocketAuthError}. */
  authenticate(message: Authenticate): Promise<SocketIdentity>;
  /** The timestamp of the last commit. */
  timestamp(): bigint;
  /** Resolves when all that is visible now is on disk; `undefined` when it is already. */
  durable(): Promise<void> | undefined;
};

/** `expiresAtMs`: when the token ends, ms since the epoch. */
export type SocketIdentity = { readonly caller: Caller; readonly expiresAtMs: number };

/** A token is not accepted, or not any more. */
export class SocketAuthError extends Error {
  override readonly name = "SocketAuthError";
}

/** The socket under a session. */
export type Transport = {
  /** Sends one message. */
  send(...parts: MessageParts): void;
  /** Resolves when it is this transport's turn to send something that many may be sent at once; `undefined`: it is. */
  turn(): Promise<void> | undefined;
  close(code: number, reason: string): void;
  /** Stops reading what the client sends, which then waits in the client's system, until {@link resume}. */
  pause(): void;
  resume(): void;
};

const ANONYMOUS: SocketIdentity = { caller: { kind: "anonymous" }, expiresAtMs: Infinity };

/** More messages, mutations or actions than this may not wait. */
const MAX_WAITING = 1_000;
/** While messages and mutations of this length wait, no more are read. In UTF-16 units, like all lengths here. */
const MAX_WAITING_LENGTH = 4 * 1024 * 1024;
/** Arguments of actions that run. Reading goes on meanwhile, as they may take long, so more than this are refused. */
const MAX_ACTIONS_LENGTH = 64 * 1024 * 1024;
/** A session may watch so many queries, of this length in all, with what they are asked with, have read and give. */
const MAX_QUERIES = 10_000;
const MAX_QUERIES_LENGTH = 128 * 1024 * 1024;

/** Close codes of RFC 6455. */
const NORMAL = 1000;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

type QueryState = { readonly live: LiveQuery; sent: Evaluation | null };

/**
 * One client's socket: its queries, its identity and its mutations. The client's view moves in transitions, each from one
 * consistent state of the database to a later one.
 */
export class Session {
  #sessionId: string | null = null;
  #identity = ANONYMOUS;
  readonly #queries = new Map<number, QueryState>();
  /** What was removed since the last transition. */
  #removed: number[] = [];
  #received = { querySet: 0, identity: 0 };
  #version: StateVersion = { querySet: 0, identity: 0, ts: encodeTimestamp(0n) };
  /** A transition must go out even if no query has changed. */
  #transitionDue = false;
  #transitionScheduled = false;
  #sending = false;
  #handling: Promise<void> = Promise.resolve();
  /** Frames that wait for the one before them: an `Authenticate` may have to wait for somebody's keys. */
  #framesWaiting = 0;
  readonly #mutations: (() => Promise<void>)[] = [];
  #mutationRunning = false;
  /** The length of the messages and mutations that wait. */
  #waitingLength = 0;
  #actions = 0;
  #actionsLength = 0;
  #closed = false;

  constructor(
    private readonly host: SessionHost,
    private readonly transport: Transport,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Takes a frame from the client. */
  receive(text: string): void {
    if (this.#closed) return;
    if (++this.#framesWaiting > MAX_WAITING)
      return this.#close(TRY_AGAIN_LATER, "Too many messages are waiting");
    const { length } = text;
    this.#wait(length);
    this.#handling = this.#handling.then(async () => {
      this.#framesWaiting--;
      if (this.#closed) return;
      try {
        await this.#handle(parseClientMessage(text), length);
      } catch (error) {
        this.#fail(error);
      }
      this.#waitNoMore(length);
    });
  }

  #wait(length: number): void {
    this.#waitingLength += length;
    if (this.#waitingLength > MAX_WAITING_LENGTH) this.transport.pause();
  }

  #waitNoMore(length: number): void {
    const wasPaused = this.#waitingLength > MAX_WAITING_LENGTH;
    this.#waitingLength -= length;
    if (wasPaused && this.#waitingLength <= MAX_WAITING_LENGTH) this.transport.resume();
  }

  /** The socket is gone. */
  end(): void {
    this.#closed = true;
    for (const { live } of this.#queries.values()) this.host.liveQueries.unwatch(live, this.#watcher);
    this.#queries.clear();
  }

  async #handle(message: ClientMessage, length: number): Promise<void> {
    if (this.#sessionId === null && message.type !== "Connect") {
      throw new ProtocolError("The first message must be Connect");
    }
    switch (message.type) {
      case "Connect": {
        if (this.#sessionId !== null) throw new ProtocolError("Connect may be sent only once");
        this.#sessionId = message.sessionId;
        const seen = message.maxObservedTimestamp ? decodeTimestamp(message.maxObservedTimestamp) : 0n;
        if (seen === null) throw new ProtocolError("A timestamp must have 8 bytes");
        // A client that has seen the future comes from another database: it must not believe what this one says.
        if (seen > this.host.timestamp()) this.#close(INTERNAL_ERROR, "InternalServerError");
        return;
      }
      case "Authenticate":
        return this.#authenticate(message);
      case "ModifyQuerySet":
        return this.#modifyQuerySet(message);
      case "Mutation":
        return this.#mutation(message, length);
      case "Action":
        return this.#action(message, length);
      case "Event":
        return;
      default:
        message satisfies never;
    }
  }

  async #authenticate(message: Authenticate): Promise<void> {
    if (message.baseVersion !== this.#received.identity) throw baseVersionMismatch("identity");
    if (message.tokenType === "None") {
      this.#identity = ANONYMOUS;
    } else {
      try {
        this.#identity = await this.host.authenticate(message);
      } catch (error) {
        if (!(error instanceof SocketAuthError)) throw error;
        this.#refuseIdentity(error.message, true);
        return;
      }
    }
    this.#received.identity++;
    for (const [queryId, { live }] of this.#queries) {
      const { path: udfPath, args, component: componentPath } = live.call;
      this.#watch(queryId, { udfPath, args, componentPath }, live.journal);
    }
    this.#requireTransition();
  }

  #modifyQuerySet(message: ModifyQuerySet): void {
    if (message.baseVersion !== this.#received.querySet) throw baseVersionMismatch("query set");
    if (message.newVersion <= message.baseVersion) throw new ProtocolError("The new version must be greater");
    for (const modification of message.modifications) {
      const { queryId } = modification;
      if (modification.type === "Add") {
        if (this.#queries.has(queryId)) throw new ProtocolError(`Query ${queryId} is there already`);
        if (this.#queries.size >= MAX_QUERIES) throw new ProtocolError(`More than ${MAX_QUERIES} queries`);
        this.#watch(queryId, modification, modification.journal ?? null);
      } else {
        this.#unwatch(queryId);
        this.#removed.push(queryId);
      }
    }
    this.#received.querySet = message.newVersion;
    this.#requireTransition();
  }

  /** Watches a query in the name of the present identity, in the place of what was watched under this id before. */
  #watch(queryId: number, asked: Asked, journal: string | null): void {
    const before = this.#queries.get(queryId);
    const call = { ...callOf(asked, this.#identity.caller), journal };
    const live = this.host.liveQueries.watch(call, this.#watcher);
    this.#queries.set(queryId, { live, sent: before?.sent ?? null });
    if (before) this.host.liveQueries.unwatch(before.live, this.#watcher);
  }

  #unwatch(queryId: number): void {
    const query = this.#queries.get(queryId);
    if (!query) throw new ProtocolError(`There is no query ${queryId}`);
    this.#queries.delete(queryId);
    this.host.liveQueries.unwatch(query.live, this.#watcher);
  }

  /** Mutations of a session run one at a time, in order. */
  #mutation(message: FunctionRequest, length: number): void {
    if (this.#mutations.length >= MAX_WAITING)
      return this.#close(TRY_AGAIN_LATER, "Too many mutations are waiting");
    const { caller } = this.#usableIdentity();
    const call: Call = {
      ...callOf(message, caller),
      enclosure: once(`${this.#sessionId ?? ""}:${message.requestId}`),
    };
    this.#wait(length);
    this.#mutations.push(async () => {
      const outcome = await this.host.call("mutation", call);
      this.#waitNoMore(length);
      this.#respond("MutationResponse", message.requestId, outcome);
    });
    if (!this.#mutationRunning) void this.#runMutations();
  }

  async #runMutations(): Promise<void> {
    for (let run = this.#mutations.shift(); run && !this.#closed; run = this.#mutations.shift()) {
      this.#mutationRunning = true;
      await run();
      this.#mutationRunning = false;
      // Here it finds its state, before the next mutation starts: a client that always has one waiting is told of changes too.
      this.#sendTransition();
    }
  }

  #action(message: FunctionRequest, length: number): void {
    if (this.#actions >= MAX_WAITING || this.#actionsLength > MAX_ACTIONS_LENGTH)
      return this.#close(TRY_AGAIN_LATER, "Too many actions are running");
    const { caller } = this.#usableIdentity();
    this.#actions++;
    this.#actionsLength += length;
    void this.host.call("action", callOf(message, caller)).then((outcome) => {
      this.#actions--;
      this.#actionsLength -= length;
      this.#respond("ActionResponse", message.requestId, outcome);
    });
  }

  /** The response, and then a transition to a state that has what the function did. */
  #respond(type: "MutationResponse" | "ActionResponse", requestId: number, outcome: Outcome): void {
    if (this.#closed) return;
    const { disclosure } = this.host;
    const logLines = disclosure.logLines(outcome.logs);
    if (outcome.ok) {
      const ts = type === "MutationResponse" ? { ts: encodeTimestamp(this.host.timestamp()) } : {};
      this.#send(
        writeFunctionResponse({ type, requestId, logLines, success: true, result: outcome.value, ...ts }),
      );
    } else {
      const { failure } = outcome;
      this.#send(
        writeFunctionResponse({ type, requestId, logLines, success: false, ...errorOf(failure, disclosure) }),
      );
    }
    this.#requireTransition();
  }

  #requireTransition(): void {
    this.#transitionDue = true;
    this.#schedule();
  }

  readonly #watcher: Watcher = {
    changed: () => this.#schedule(),
    drop: () => this.#close(TRY_AGAIN_LATER, "All queries and their results are too large"),
  };

  #schedule(): void {
    if (this.#transitionScheduled || this.#closed) return;
    this.#transitionScheduled = true;
    queueMicrotask(() => {
      this.#transitionScheduled = false;
      this.#sendTransition();
    });
  }

  #sendTransition(): void {
    void this.#transition().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Sends a transition to the present state if there is anything to say and all queries have a result of it. Otherwise the
   * last of them that gets its result will call again.
   */
  async #transition(): Promise<void> {
    // A client must learn of its mutation's end before it sees what the mutation did.
    if (this.#closed || this.#sending || this.#mutationRunning) return;
    if (!this.#resultsAreCurrent()) return;
    const modifications = this.#modifications();
    if (modifications.length === 0 && !this.#transitionDue) return;
    this.#usableIdentity();
    const start = this.#version;
    this.#version = { ...this.#received, ts: encodeTimestamp(this.host.timestamp()) };
    const parts = writeTransition(start, this.#version, modifications);
    this.#transitionDue = false;
    this.#sending = true;
    try {
      await this.host.durable();
      await this.transport.turn();
    } finally {
      this.#sending = false;
    }
    this.#send(...parts);
    this.#schedule();
  }

  /** Whether all queries have a result of the present state. Closes the session if they are too large. */
  #resultsAreCurrent(): boolean {
    let isCurrent = true;
    let length = 0;
    for (const { live } of this.#queries.values()) {
      isCurrent &&= live.isCurrent;
      length += live.askedLength + (live.evaluation?.length ?? 0);
    }
    if (length > MAX_QUERIES_LENGTH)
      this.#close(TRY_AGAIN_LATER, "The queries and their results are too large");
    return isCurrent && !this.#closed;
  }

  #modifications(): QueryModification[] {
    const modifications: QueryModification[] = this.#removed.map((queryId) => ({
      type: "QueryRemoved",
      queryId,
    }));
    this.#removed = [];
    for (const [queryId, query] of this.#queries) {
      const { evaluation } = query.live;
      if (evaluation === null || evaluation === query.sent) continue;
      const isSame = query.sent !== null && sameResult(evaluation.outcome, query.sent.outcome);
      query.sent = evaluation;
      if (!isSame) modifications.push(modificationOf(queryId, query.live, evaluation, this.host.disclosure));
    }
    return modifications;
  }

  #usableIdentity(): SocketIdentity {
    if (Date.now() >= this.#identity.expiresAtMs) throw new SocketAuthError("Token expired");
    return this.#identity;
  }

  #refuseIdentity(error: string, authUpdateAttempted: boolean): void {
    const baseVersion = this.#received.identity;
    this.#send(JSON.stringify({ type: "AuthError", error, baseVersion, authUpdateAttempted }));
    this.#close(NORMAL, "Unauthenticated");
  }

  #fail(error: unknown): void {
    if (error instanceof SocketAuthError) return this.#refuseIdentity(error.message, false);
    if (error instanceof ProtocolError) {
      this.#send(JSON.stringify({ type: "FatalError", error: error.message }));
      return this.#close(NORMAL, "BadRequest");
    }
    this.onFault(error);
    this.#close(INTERNAL_ERROR, "InternalServerError");
  }

  #send(...parts: MessageParts): void {
    if (!this.#closed) this.transport.send(...parts);
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.end();
    this.transport.close(code, reason);
    // What the client still sends is read, to no effect, so that its own close is seen.
    this.transport.resume();
  }
}

/** What a client asks for. */
type Asked = Pick<AddQuery, "udfPath" | "componentPath"> & { readonly args: Json };

function callOf({ udfPath, args, componentPath }: Asked, caller: Caller): Call {
  const call = { path: udfPath, args, caller, internalAllowed: caller.kind === "admin" };
  if (!componentPath) return call;
  if (caller.kind !== "admin") {
    throw new ProtocolError("Only admin or system users can call functions on non-root components directly");
  }
  return { ...call, component: componentPath };
}

function baseVersionMismatch(what: string): ProtocolError {
  return new ProtocolError(`BaseVersionMismatch: the base version of the ${what} is not the current one`);
}

function sameResult(a: Outcome, b: Outcome): boolean {
  if (a.ok !== b.ok || JSON.stringify(a.logs) !== JSON.stringify(b.logs)) return false;
  return a.ok && b.ok ? a.value === b.value : JSON.stringify(a) === JSON.stringify(b);
}

function modificationOf(
  queryId: number,
  live: LiveQuery,
  { outcome, journal }: Evaluation,
  disclosure: Disclosure,
): QueryModification {
  const logLines = disclosure.logLines(outcome.logs);
  if (outcome.ok)
    return { type: "QueryUpdated", queryId, value: live.bytes ?? outcome.value, logLines, journal };
  return { type: "QueryFailed", queryId, logLines, journal, ...errorOf(outcome.failure, disclosure) };
}

function errorOf(failure: Failure, disclosure: Disclosure): { errorMessage: string; errorData?: Json } {
  const errorMessage = disclosure.errorMessage(failure, randomBytes(8).toString("hex"));
  return failure.data === undefined ? { errorMessage } : { errorMessage, errorData: failure.data };
}
