import { LmdbStore } from "../../embedded/storage/lmdbStore";
import { formatMark, NO_MARK } from "../../embedded/storage/logMark";
import { checkKey, listOf, type Store, type Writes } from "../../embedded/storage/store";

/** The database as a store of its own, without a log beside it. */
export class LmdbAlone extends LmdbStore implements Store {
  // oxlint-disable-next-line require-await -- so that what can't be written rejects
  async commit(writes: Writes): Promise<void> {
    writes.forEach((_, key) => checkKey(key));
    this.writeNow(listOf(writes), formatMark(NO_MARK));
  }
}
