import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { Endpoint } from "../../convex/contract/endpoint";
import { endpoints } from "../../convex/contract/endpoints";
import { type Caller, callEndpoint, codeOf, newApp, newMeeting, signUp } from "./setup";

/** Calls a function with the arguments of its example, which fit the contract but name nothing that exists. */
function callExample(caller: Caller, endpoint: Endpoint): Promise<unknown> {
  return callEndpoint(caller, endpoint, endpoint.example.args);
}

const byPath = endpoints.map((endpoint) => [endpoint.path, endpoint] as const);
const withToken = byPath.filter(([, { access }]) => access !== "anyone");
const forUsers = byPath.filter(([, { access }]) => access === "user");

test.each(withToken)("%s answers nobody without a token", async (_, endpoint) => {
  expect(await codeOf(callExample(newApp(), endpoint))).toBe("UNAUTHENTICATED");
});

describe.each(forUsers)("%s", (_, endpoint) => {
  test("answers nobody who has not signed up", async () => {
    const stranger = newApp().withIdentity({ subject: "stranger" });
    expect(await codeOf(callExample(stranger, endpoint))).toBe("USER_NOT_PROVISIONED");
  });

  test("answers nobody who is deactivated", async () => {
    const gone = await signUp(newApp(), "gone");
    await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
    expect(await codeOf(callExample(gone.as, endpoint))).toBe("USER_DEACTIVATED");
  });
});

test("the module of every endpoint has its function, and no module has another public one", async () => {
  const modules = import.meta.glob<Record<string, { isPublic?: boolean }>>(
    "../../convex/{meetings,users,guests,tenants,webhooks}/*.ts",
    { eager: true },
  );
  const registered = Object.entries(modules).flatMap(([file, module]) =>
    Object.entries(module)
      .filter(([, value]) => value.isPublic)
      .map(([name]) => `${file.replace("../../convex/", "").replace(".ts", "")}/${name}`),
  );
  expect(registered.toSorted()).toEqual(endpoints.map(({ path }) => path).toSorted());
});

test("the name of a user in the arguments grants nothing", async () => {
  const { app, host, meetingId } = await newMeeting();
  const mallory = await signUp(app, "mallory", { org_id: "org_evil", role: "admin" });
  const { mutations } = api.users;
  const calls = [
    mallory.as.mutation(api.meetings.lifecycle.createMeeting, { title: "Mine", organizerId: host.id }),
    mallory.as.mutation(mutations.upsertUser, { workosUserId: "host", email: "mallory@example.com" }),
    mallory.as.mutation(mutations.updateUserProfile, { userId: host.id, displayName: "Mallory" }),
    mallory.as.mutation(mutations.deactivateUser, { userId: host.id }),
    mallory.as.mutation(api.meetings.lifecycle.addParticipant, {
      meetingId,
      userId: mallory.id,
      role: "host",
    }),
    mallory.as.query(api.meetings.queries.getMeeting, { meetingId }),
    mallory.as.query(api.meetings.queries.listMeetingParticipants, {
      meetingId,
      paginationOpts: { numItems: 1, cursor: null },
    }),
  ];
  const codes = await Promise.all(calls.map((call) => codeOf(call)));
  expect(codes).toEqual(calls.map(() => "FORBIDDEN"));
});

test("an admin of the organization is nothing special in a meeting", async () => {
  const { app, meetingId } = await newMeeting();
  const admin = await signUp(app, "admin", { org_id: "org_1", role: "admin" });
  const call = admin.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
  expect(await codeOf(call)).toBe("FORBIDDEN");
});

test("an unknown meeting is told from one that is not for the caller", async () => {
  const { app } = await newMeeting();
  const ada = await signUp(app, "ada");
  for (const meetingId of ["no id at all", ada.id]) {
    const call = ada.as.query(api.meetings.queries.getMeeting, {
      meetingId: meetingId as string as Id<"meetings">,
    });
    expect(await codeOf(call)).toBe("MEETING_NOT_FOUND");
  }
});
