/** No rules and no storage: what HTTP, the token and JSON cost for the same bytes. */
import { added, Refusal } from "../shared/answers";
import { wireId } from "../shared/ids";
import { ADD_PATH, type AddRequest } from "../shared/requests";
import { announce, createJsonServer, listen } from "../shared/serve";
import { createVerify } from "../shared/tokens";

let key = 0;
const server = createJsonServer(createVerify(process.env), ({ path, body }) => {
  if (path !== ADD_PATH) throw new Refusal("NOT_FOUND");
  const { participants } = (body as { args: AddRequest }).args;
  return added(
    participants.map(() => wireId("participant", ++key)),
    [],
  );
});
announce(await listen(server));
