/** A page over the notes of the fixture app: a live list, pages of it, mutations with optimistic updates, an action. */
import {
  ConvexProvider,
  ConvexReactClient,
  optimisticallyUpdateValueInPaginatedQuery,
  useAction,
  useConvexConnectionState,
  useMutation,
  usePaginatedQuery,
  useQuery,
} from "convex/react";
import type { OptimisticLocalStore } from "convex/browser";
import { makeFunctionReference, type PaginationOptions, type PaginationResult } from "convex/server";
import { ConvexError } from "convex/values";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

type Note = { _id: string; text: string };
type Author = { author: string };

const add = makeFunctionReference<"mutation", Author & { text: string }, string>("notes:add");
const edit = makeFunctionReference<"mutation", { id: string; text: string }, null>("notes:edit");
const byAuthor = makeFunctionReference<"query", Author, string[]>("notes:byAuthor");
const page = makeFunctionReference<
  "query",
  Author & { paginationOpts: PaginationOptions },
  PaginationResult<Note>
>("notes:page");
const addTwo = makeFunctionReference<"action", Author, string[]>("outside:addTwo");
const fail = makeFunctionReference<"mutation", Author & { text: string }, null>("misbehave:addAndThrow");

const parameters = new URLSearchParams(location.search);
const author = parameters.get("author") ?? "";
const client = new ConvexReactClient(parameters.get("deployment") ?? "");

const addAtOnce = (store: OptimisticLocalStore, { text }: { text: string }) => {
  const texts = store.getQuery(byAuthor, { author });
  if (texts) store.setQuery(byAuthor, { author }, [...texts, `${text} (sending)`]);
};

function All() {
  const texts = useQuery(byAuthor, { author });
  return <List id="all" texts={texts ?? ["loading"]} />;
}

function Pages() {
  const { results, status, loadMore } = usePaginatedQuery(page, { author }, { initialNumItems: 3 });
  const change = useMutation(edit).withOptimisticUpdate((store, { id, text }) =>
    optimisticallyUpdateValueInPaginatedQuery(store, page, { author }, (note) =>
      note._id === id ? { ...note, text: `${text} (saving)` } : note,
    ),
  );
  return (
    <section>
      <List id="pages" texts={results.map(({ text }) => text)} />
      <output id="status">{status}</output>
      <button id="more" onClick={() => loadMore(3)} />
      <button id="edit" onClick={() => results[1] && void change({ id: results[1]._id, text: "edited" })} />
    </section>
  );
}

function Controls() {
  const [message, setMessage] = useState("");
  const send = useMutation(add).withOptimisticUpdate(addAtOnce);
  const sendInVain = useMutation(fail).withOptimisticUpdate(addAtOnce);
  const act = useAction(addTwo);
  const { isWebSocketConnected } = useConvexConnectionState();
  const show = (error: unknown) => setMessage(error instanceof ConvexError ? String(error.data) : "no data");
  return (
    <section>
      <button id="add" onClick={() => void send({ author, text: "hello" })} />
      <button id="fail" onClick={() => void sendInVain({ author, text: "in vain" }).catch(show)} />
      <button
        id="act"
        onClick={() => void act({ author }).then((ids) => setMessage(`${ids.length} added`))}
      />
      <output id="message">{message}</output>
      <output id="connection">{isWebSocketConnected ? "connected" : "disconnected"}</output>
    </section>
  );
}

function List({ id, texts }: { id: string; texts: readonly string[] }) {
  return <output id={id}>{texts.join(", ")}</output>;
}

const root = document.querySelector("#root");
if (!root) throw new Error("The page has no root");
createRoot(root).render(
  <StrictMode>
    <ConvexProvider client={client}>
      <All />
      <Pages />
      <Controls />
    </ConvexProvider>
  </StrictMode>,
);
