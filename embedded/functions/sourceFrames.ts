import { SourceMap, type SourceMapPayload } from "node:module";
import { bundleFile, type DefinitionBundle } from "./bundle";
import type { FrameMapper } from "./failure";

/**
 * Maps the frames of a stack that lie in the bundle to their sources; other frames are the runtime's own, or another
 * component's, and are left out. The source map is parsed when the first error needs it.
 */
export function frameMapper(bundle: DefinitionBundle): FrameMapper {
  const file = bundleFile(bundle).replace(".", "\\.");
  const frame = new RegExp(`^\\s+at (?:(.*) \\()?(?:.*/)?${file}:(\\d+):(\\d+)\\)?$`);
  let sourceMap: SourceMap | undefined;
  return (stack) => {
    const frames: string[] = [];
    for (const line of stack.split("\n")) {
      const match = frame.exec(line);
      if (!match) continue;
      sourceMap ??= new SourceMap(JSON.parse(bundle.sourceMap) as SourceMapPayload);
      const found = sourceMap.findEntry(Number(match[2]) - 1, Number(match[3]) - 1);
      if (!("originalSource" in found)) continue;
      const place = `${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
      frames.push(match[1] ? `    at ${match[1]} (${place})` : `    at ${place}`);
    }
    return frames.join("\n");
  };
}
