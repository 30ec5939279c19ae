import { SourceMap, type SourceMapPayload } from "node:module";
import { BUNDLE_FILE } from "./bundle";
import type { FrameMapper } from "./failure";

const FRAME = new RegExp(
  `^\\s+at (?:(.*) \\()?(?:.*/)?${BUNDLE_FILE.replace(".", "\\.")}:(\\d+):(\\d+)\\)?$`,
);

/**
 * Maps the frames of a stack that lie in the bundle to their sources; other frames are the runtime's own and are
 * left out. The source map is parsed when the first error needs it.
 */
export function frameMapper(sourceMapJson: string): FrameMapper {
  let sourceMap: SourceMap | undefined;
  return (stack) => {
    const frames: string[] = [];
    for (const line of stack.split("\n")) {
      const match = FRAME.exec(line);
      if (!match) continue;
      sourceMap ??= new SourceMap(JSON.parse(sourceMapJson) as SourceMapPayload);
      const found = sourceMap.findEntry(Number(match[2]) - 1, Number(match[3]) - 1);
      if (!("originalSource" in found)) continue;
      const place = `${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
      frames.push(match[1] ? `    at ${match[1]} (${place})` : `    at ${place}`);
    }
    return frames.join("\n");
  };
}
