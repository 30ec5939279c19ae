import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, newMeeting, type Person, signUpAll } from "./setup";

const { addMarker, listMarkers, setReadIndex } = api.meetings.history;
const { addMultipleParticipants } = api.meetings.lifecycle;

async function stage() {
  const setting = await newMeeting();
  const { app, host, meetingId } = setting;
  const [ada, bob] = await signUpAll(app, "ada", "bob");
  const mark = (text: string) => host.as.mutation(addMarker, { meetingId, text });
  const seenBy = async (person: Person) => {
    const paginationOpts = { numItems: 10, cursor: null };
    return (await person.as.query(listMarkers, { meetingId, paginationOpts })).page.map(({ text }) => text);
  };
  const read = (person: Person, readIndex: number) =>
    person.as.mutation(setReadIndex, { meetingId, readIndex });
  return { ...setting, ada, bob, mark, seenBy, read };
}

test("who is added with a barrier sees only what is marked afterwards", async () => {
  const { host, ada, bob, meetingId, mark, seenBy } = await stage();
  expect((await mark("One")).number).toBe(1);
  await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [
      { userId: ada.id, role: "participant", hideHistory: true },
      { userId: bob.id, role: "participant" },
    ],
  });
  expect((await mark("Two")).number).toBe(2);
  expect(await seenBy(ada)).toEqual(["Two"]);
  expect(await seenBy(bob)).toEqual(["One", "Two"]);
  expect(await seenBy(host)).toEqual(["One", "Two"]);
});

test("the read index goes forward only, and does not change the list of people", async () => {
  const { host, meeting, read, rows } = await stage();
  const { version } = await meeting();
  await read(host, 5);
  await read(host, 5);
  expect(await codeOf(read(host, 4))).toBe("READ_INDEX_BACKWARD");
  expect(await rows()).toMatchObject([{ readIndex: 5 }]);
  expect((await meeting()).version).toBe(version);
});
