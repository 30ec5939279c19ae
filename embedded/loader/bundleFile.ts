import { fileURLToPath } from "node:url";
import type { BuildFile, Draft } from "./buildFile.js";
import type { Bundle } from "./bundle";
import { partsOf, readBundle, readOrigin, type Learned } from "./keptBundle";
import { dependenciesOf, type Source } from "./sources.js";

/** The runtime itself: another version of it may bundle, compile or read an app in another way. */
const RUNTIME_FOLDER = fileURLToPath(new URL("..", import.meta.url));

/**
 * A bundle; what it was made from: files (null when that can't be said), and what is no file, in words that differ when it does;
 * and whether a file holds it as it is.
 */
export type Built = {
  readonly bundle: Bundle;
  readonly sources: readonly Source[] | null;
  readonly origin: string;
  readonly isKept: boolean;
};

/** What a file holds whose bundle was made from files that are as they were then. */
export type Kept = {
  readonly sources: readonly Source[];
  readonly origin: string;
  /** Null when it is damaged. */
  read(): Built | null;
};

/** The file in which a bundle is kept from one start to the next, with what is learned of it. Without one nothing is kept. */
export class BundleFile {
  constructor(private readonly file: BuildFile | null) {}

  /** What is kept, if its files are as they were. */
  read(): Kept | null {
    const kept = this.file?.read();
    if (!kept) return null;
    const { sources, isTouched } = kept;
    const origin = readOrigin(kept);
    if (origin === null) return null;
    return {
      sources,
      origin,
      read: () => {
        const bundle = readBundle(kept);
        return bundle && { bundle, sources, origin, isKept: !isTouched };
      },
    };
  }

  /** To be called before the files are read of which a bundle is made. Null where nothing can be kept. */
  begin(): Draft | null {
    return this.file?.begin() ?? null;
  }

  /** Keeps a bundle with what was learned of it, if there is more than is kept. Gives what there is to know of it then. */
  keep(built: Built, learned: Learned): Built {
    const { bundle, isKept, origin } = built;
    if (!built.sources) return built;
    if (isKept && bundle.declarations === learned.declarations && !learned.isV8CodeRejected) return built;
    const draft = this.file?.begin();
    const sources = draft?.renew(built.sources) ?? null;
    draft?.keep(sources, partsOf(bundle, origin, learned));
    return { bundle, sources, origin, isKept: true };
  }
}

/** Everything that a bundle depends on which is made of files, and of all in folders: with the runtime, see `dependenciesOf`. */
export function bundleDependencies(files: Iterable<string>, folders: Iterable<string>): string[] {
  return dependenciesOf(files, [...folders, RUNTIME_FOLDER]);
}
