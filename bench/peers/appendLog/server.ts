/** No rules and nothing that could be read again: the rows at the end of a file, synced before the answer. */
import { open } from "node:fs/promises";
import path from "node:path";
import { added, Refusal } from "../shared/answers";
import { wireId } from "../shared/ids";
import { ADD_PATH, type AddRequest } from "../shared/requests";
import { announce, createJsonServer, dataFolder, listen } from "../shared/serve";
import { createVerify } from "../shared/tokens";
import { GroupCommit } from "./groupCommit";

const file = await open(path.join(dataFolder(), "participants.log"), "a");
const log = new GroupCommit(file);
let key = 0;
const server = createJsonServer(createVerify(process.env), async ({ path: requested, body }) => {
  if (requested !== ADD_PATH) throw new Refusal("NOT_FOUND");
  const { meetingId, participants } = (body as { args: AddRequest }).args;
  const createdAt = Date.now();
  const rows = participants.map(({ userId, role }) => {
    const id = wireId("participant", ++key);
    return { id, meetingId, userId, role, presence: "invited", createdAt };
  });
  await log.append(JSON.stringify(rows) + "\n");
  return added(
    rows.map(({ id }) => id),
    [],
  );
});
announce(await listen(server));
