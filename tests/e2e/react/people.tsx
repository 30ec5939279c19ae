/** A page over a meeting's people, behind a sign-in whose tokens do not live long. */
import {
  Authenticated,
  AuthLoading,
  ConvexProviderWithAuth,
  ConvexReactClient,
  Unauthenticated,
  useMutation,
  usePaginatedQuery,
  useQuery,
} from "convex/react";
import { createContext, StrictMode, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { api } from "../../../convex/_generated/api";
import type { Id } from "../../../convex/_generated/dataModel";

declare global {
  interface Window {
    /** Of the test: gives a token for the person who is signed in. */
    fetchToken(isRefresh: boolean): Promise<string>;
  }
}

const parameters = new URLSearchParams(location.search);
const meetingId = (parameters.get("meeting") ?? "") as Id<"meetings">;
const client = new ConvexReactClient(parameters.get("deployment") ?? "");

const SignIn = createContext({ isSignedIn: false, setSignedIn: (_isSignedIn: boolean) => undefined as void });

function SignInProvider({ children }: { children: ReactNode }) {
  const [isSignedIn, setSignedIn] = useState(false);
  const value = useMemo(() => ({ isSignedIn, setSignedIn }), [isSignedIn]);
  return <SignIn.Provider value={value}>{children}</SignIn.Provider>;
}

function useAuth() {
  const { isSignedIn } = useContext(SignIn);
  const fetchAccessToken = useCallback(
    ({ forceRefreshToken }: { forceRefreshToken: boolean }) => window.fetchToken(forceRefreshToken),
    [],
  );
  return { isLoading: false, isAuthenticated: isSignedIn, fetchAccessToken };
}

function People() {
  const me = useQuery(api.users.queries.getCurrentUser, {});
  const { results } = usePaginatedQuery(
    api.meetings.queries.listMeetingParticipants,
    { meetingId },
    { initialNumItems: 10 },
  );
  const update = useMutation(api.meetings.lifecycle.updateParticipantRole);
  const promote = () => {
    const last = results.at(-1);
    if (last?.userId) void update({ meetingId, userId: last.userId, newRole: "co-host" });
  };
  return (
    <section>
      <output id="me">{me?.email}</output>
      <output id="people">
        {results.map(({ user, role }) => `${user?.displayName}: ${role}`).join(", ")}
      </output>
      <button id="promote" onClick={promote} />
    </section>
  );
}

function Page() {
  const { setSignedIn } = useContext(SignIn);
  return (
    <main>
      <button id="sign-in" onClick={() => setSignedIn(true)} />
      <button id="sign-out" onClick={() => setSignedIn(false)} />
      <AuthLoading>
        <output id="state">loading</output>
      </AuthLoading>
      <Unauthenticated>
        <output id="state">signed out</output>
      </Unauthenticated>
      <Authenticated>
        <output id="state">signed in</output>
        <People />
      </Authenticated>
    </main>
  );
}

const root = document.querySelector("#root");
if (!root) throw new Error("The page has no root");
createRoot(root).render(
  <StrictMode>
    <SignInProvider>
      <ConvexProviderWithAuth client={client} useAuth={useAuth}>
        <Page />
      </ConvexProviderWithAuth>
    </SignInProvider>
  </StrictMode>,
);
